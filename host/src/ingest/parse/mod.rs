//! Parsing in a child process. Not here: the readers themselves (`knowhost_parse`).
