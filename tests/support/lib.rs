//! What the tests of the server from outside share: a running server, callers, builders.
