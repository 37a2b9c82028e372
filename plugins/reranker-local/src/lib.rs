//! In the next commits.
