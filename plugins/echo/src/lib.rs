//! Says back what it is asked: the smallest plugin, for tests and for reading.
