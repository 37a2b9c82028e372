//! The binary: hands the command line to `knowhost::cli`.

fn main() -> std::process::ExitCode {
    knowhost::cli::run()
}
