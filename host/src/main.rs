//! The binary: hands the command line to `knowhost::cli`.

fn main() {}
