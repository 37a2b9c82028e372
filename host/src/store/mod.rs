//! SQL: the truth. Not here: providers, or anything that decides.
