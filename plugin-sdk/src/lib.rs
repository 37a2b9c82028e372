//! The contract between Knowhost and its plugins.
