//! `knowhost plugin`: what authors do (new, build, check, run, record, bench, pack) and what operators do (install, allow, grant, rollback, deny, remove, list).
//!
//! Not here: how plugins are run and checked (`plugin`).

mod arguments;
mod build;
mod call;
mod check;
mod create;
mod desk;
mod doctor;
mod grant;
mod install;
mod language;
mod pack;
mod source;

pub(super) use arguments::Plugin;

use super::output::Output;
use crate::config::Settings;
use crate::plugin::check::WorkbenchSettings;
use anyhow::Result;

pub(super) async fn run(settings: Settings, command: Plugin, output: &Output) -> Result<u8> {
    match command {
        Plugin::New(command) => create::run(&command, output),
        Plugin::Build(command) => build::run(settings, &command, output).await,
        Plugin::Check(command) => check::run(&settings, &command, output).await,
        Plugin::Run(command) => call::run(&settings, &command, output).await,
        Plugin::Record(command) => call::record(&settings, &command, output).await,
        Plugin::Bench(command) => call::bench(&settings, &command, output).await,
        Plugin::Pack { folder, out } => pack::run(&folder, out.as_deref(), output),
        Plugin::Install { file } => install::run(&settings, &file, output),
        Plugin::Remove { name, yes } => install::remove(settings, &name, yes, output).await,
        Plugin::List => desk::show(settings, output).await,
        Plugin::Allow { name, native, yes } => desk::allow(settings, &name, native, yes, output).await,
        Plugin::Deny { name } => desk::deny(settings, &name, output).await,
        Plugin::Grant { name, host, no_hosts, model, no_models, secret, no_secrets, all } => {
            let wanted = grant::Wanted {
                hosts: grant::choice(host, no_hosts),
                models: grant::choice(model, no_models),
                secrets: grant::choice(secret, no_secrets),
                all,
            };
            grant::run(settings, &name, &wanted, output).await
        }
        Plugin::Rollback { name } => desk::roll_back(settings, &name, output).await,
        Plugin::Doctor => doctor::run(settings, output).await,
    }
}

fn workbench(settings: &Settings, allow_native: bool) -> WorkbenchSettings {
    let models_dir = Some(settings.data_dir.join("models"));
    WorkbenchSettings { models_dir, private_hosts: settings.private_hosts.clone(), allow_native }
}
