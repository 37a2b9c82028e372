//! The subcommands and what they print.
//!
//! Not here: the work itself. Every command but `serve` speaks the public API: to the running server of the data folder, or to one that lives as long as the command.

mod arguments;
mod ask;
mod client;
mod doctor;
mod import;
mod index;
mod kb;
mod key;
mod model;
mod models;
mod output;
mod plugin;
mod serve;

use crate::config;
use arguments::{Arguments, Command};
use clap::Parser;
use output::Output;
use std::io::Write;
use std::process::ExitCode;

/// Everything was done.
pub const EXIT_DONE: u8 = 0;
/// Nothing was done; the last line on stderr says why.
pub const EXIT_FAILED: u8 = 1;
// 2 is clap's: the command line itself is wrong.
/// Some of it was done.
pub const EXIT_PARTLY: u8 = 3;

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::ParseWorker) = arguments.command {
        return crate::ingest::parse::worker_main();
    }
    if let Some(Command::Openapi) = arguments.command {
        return match std::io::stdout().write_all(crate::app::api_description().as_bytes()) {
            Ok(()) => ExitCode::from(EXIT_DONE),
            Err(_) => ExitCode::from(EXIT_FAILED),
        };
    }
    if let Some(Command::CompilePlugins { data_dir }) = &arguments.command {
        return crate::plugin::compile_main(data_dir);
    }
    let output = Output::new(arguments.json);
    match start(arguments, &output) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output.error(&error);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn start(arguments: Arguments, output: &Output) -> anyhow::Result<u8> {
    let flags = config::Flags { config: arguments.config, listen: arguments.listen, data_dir: arguments.data_dir };
    let settings = config::load(&flags)?;
    // A client without a provider of cryptography can not be built; a second installation is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        match arguments.command {
            None | Some(Command::Serve) => serve::run(settings, output).await,
            Some(Command::Ask(command)) => ask::run(settings, command, output).await,
            Some(Command::Import(command)) => import::run(settings, command, output).await,
            Some(Command::Doctor) => doctor::run(settings, output).await,
            Some(Command::Key) => key::run(settings, output).await,
            Some(Command::Index { command }) => index::run(settings, command, output).await,
            Some(Command::Kb { command }) => kb::run(settings, command, output).await,
            Some(Command::Model { command }) => model::run(settings, command, output).await,
            Some(Command::Models { command }) => models::run(settings, command, output).await,
            Some(Command::Plugin { command }) => plugin::run(settings, *command, output).await,
            Some(Command::ParseWorker | Command::Openapi | Command::CompilePlugins { .. }) => Ok(EXIT_FAILED),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}
