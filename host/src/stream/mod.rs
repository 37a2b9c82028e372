//! Answers under way, to be followed by several readers. Not here: how they are made.
