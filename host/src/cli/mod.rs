//! The subcommands and what they print. Not here: the work itself.
