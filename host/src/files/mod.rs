//! Uploaded bytes on local disk. Not here: what is in them.
