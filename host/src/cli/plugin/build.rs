//! `knowhost plugin build`: from a folder to one component with its manifest, once or whenever something changes.
//!
//! Not here: how a language is compiled (`language`).

use super::super::output::Output;
use super::super::{EXIT_DONE, EXIT_FAILED};
use super::arguments::Build;
use super::desk::Desk;
use super::install;
use super::language::Language;
use super::source::Source;
use crate::config::Settings;
use crate::plugin::check::Workbench;
use crate::plugin::{PluginListing, PluginState};
use anyhow::{Context, Result, bail};
use knowhost_plugin_sdk::section::{embed_manifest, read_manifest};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often a watched folder is looked at.
const WATCH: Duration = Duration::from_millis(300);
/// Files of a folder that are watched.
const WATCHED_MAX: usize = 5_000;

pub(super) async fn run(settings: Settings, command: &Build, output: &Output) -> Result<u8> {
    let language = Language::of_folder(&command.folder)?;
    if !command.watch {
        once(&settings, command, language, output).await?;
        return Ok(EXIT_DONE);
    }
    loop {
        let seen = fingerprint(language, &command.folder);
        let built = once(&settings, command, language, output).await;
        // The next change may put it right.
        let good = built.inspect_err(|error| output.error(error)).is_ok();
        output.warn("Watching; Ctrl-C ends it.");
        loop {
            tokio::select! {
                () = tokio::time::sleep(WATCH) => {}
                _ = tokio::signal::ctrl_c() => return Ok(if good { EXIT_DONE } else { EXIT_FAILED }),
            }
            if fingerprint(language, &command.folder) != seen {
                break;
            }
        }
    }
}

async fn once(settings: &Settings, command: &Build, language: Language, output: &Output) -> Result<()> {
    let source = Source::read(&command.folder)?;
    let (folder, release) = (command.folder.clone(), command.release);
    let component = tokio::task::spawn_blocking(move || language.build(&folder, release)).await??;
    let packed = embed_manifest(&component, &source.toml);
    if read_manifest(&packed) != Some(&source.toml) {
        bail!("what was built is no WebAssembly component");
    }
    let file = source.component();
    // Linked here, so that a wrong interface or a missing export is told now and not by the operator.
    let (bytes, bench_settings) = (packed.clone(), super::workbench(settings, false));
    let needs_files = !source.manifest.files.is_empty();
    let bench = tokio::task::spawn_blocking(move || Workbench::open_bytes(bytes, &bench_settings)).await?;
    let kinds: Vec<&str> = match &bench {
        Ok(bench) => bench.kinds().iter().map(|kind| kind.name()).collect(),
        // Its files may not be there yet; everything else is an error.
        Err(_) if needs_files => Vec::new(),
        Err(error) => bail!("{error:#}"),
    };
    write(&file, &packed)?;
    let about = about(&source, &file, &packed, &kinds);
    tell(&about, output);
    output.value(&about);
    if command.install {
        reload(settings, &file, command.yes, output).await?;
    }
    Ok(())
}

/// Whole or not at all, because a server or a check may be reading it.
fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = file.with_extension(format!("wasm.{}.new", std::process::id()));
    std::fs::write(&temporary, bytes).with_context(|| format!("can not write {}", temporary.display()))?;
    std::fs::rename(&temporary, file).with_context(|| format!("can not write {}", file.display()))
}

fn about(source: &Source, file: &Path, bytes: &[u8], kinds: &[&str]) -> Value {
    let manifest = &source.manifest;
    let hosts = |hosts: &[knowhost_plugin_sdk::manifest::AllowedHost]| hosts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let secrets: serde_json::Map<String, Value> =
        manifest.secrets.iter().map(|secret| (secret.name.clone(), json!(hosts(&secret.hosts)))).collect();
    json!({
        "file": file,
        "name": manifest.name,
        "version": manifest.version,
        "size_bytes": bytes.len(),
        "kinds": kinds,
        "allowed_hosts": hosts(&manifest.allowed_hosts),
        "secrets": secrets,
        "allowed_models": manifest.allowed_models,
        "digest": crate::plugin::digest_of(bytes),
    })
}

fn tell(about: &Value, output: &Output) {
    let list = |name: &str| {
        let items: Vec<&str> = about[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if items.is_empty() { "none".to_owned() } else { items.join(", ") }
    };
    let secrets: Vec<&str> = about["secrets"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    output.line(format!("Built {}", about["file"].as_str().unwrap_or_default()));
    output.line(format!("  size     {} KiB", about["size_bytes"].as_u64().unwrap_or_default().div_ceil(1 << 10)));
    output.line(format!("  kinds    {}", list("kinds")));
    output.line(format!("  hosts    {}", list("allowed_hosts")));
    output.line(format!("  secrets  {}", if secrets.is_empty() { "none".to_owned() } else { secrets.join(", ") }));
    output.line(format!("  digest   {}", about["digest"].as_str().unwrap_or_default()));
}

/// Installs, and allows where the operator allowed all of it before: a new version that asks for more has to be looked at.
async fn reload(settings: &Settings, file: &Path, yes: bool, output: &Output) -> Result<()> {
    // Asked before the file is replaced, because then it is another plugin's manifest that stands there.
    let name = install::name_of(file)?;
    let desk = Desk::find(settings.clone()).await?;
    let allowed = desk.list().await?.into_iter().find(|plugin| plugin.name == name && plugin.state == PluginState::Allowed);
    install::put(settings, file)?;
    let now = desk.list().await?.into_iter().find(|plugin| plugin.name == name);
    let Some(now) = now else { bail!("{name} was installed, but the server does not see it; does it have another --data-dir?") };
    if now.state == PluginState::Allowed {
        output.line(format!("{name} {} is in use already.", now.version));
        return Ok(());
    }
    let same = allowed.as_ref().is_some_and(|before| asks_no_more(before, &now));
    if same || yes || output.confirm(&format!("Allow {name} {} what stands above?", now.version)) {
        desk.allow(&name, &now.digest, false).await?;
        output.line(format!("{name} {} is allowed; new calls go to it, those under way end where they began.", now.version));
        output.value(&json!({ "installed": name, "allowed": true, "digest": now.digest }));
    } else {
        output.line(format!("Installed; it waits for `knowhost plugin allow {name}`."));
        output.value(&json!({ "installed": name, "allowed": false, "digest": now.digest }));
    }
    Ok(())
}

fn asks_no_more(before: &PluginListing, now: &PluginListing) -> bool {
    let known = |secret: &String, hosts: &Vec<String>| {
        before.secrets.get(secret).is_some_and(|granted| hosts.iter().all(|host| granted.contains(host)))
    };
    now.allowed_hosts.iter().all(|host| before.allowed_hosts.contains(host))
        && now.allowed_models.iter().all(|model| before.allowed_models.contains(model))
        && now.secrets.iter().all(|(secret, hosts)| known(secret, hosts))
        && now.cache_bytes_max <= before.cache_bytes_max
        && now.files.keys().all(|file| before.files.contains_key(file))
}

/// Changes with every source.
fn fingerprint(language: Language, folder: &Path) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let mut open: Vec<PathBuf> = language.watched(folder);
    open.push(folder.join(super::source::MANIFEST));
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        let Ok(about) = std::fs::metadata(&path) else { continue };
        if about.is_dir() {
            open.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if seen.len() < WATCHED_MAX {
            seen.push((path, about.modified().ok(), about.len()));
        }
    }
    seen.sort();
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(hosts: &[&str], secrets: &[(&str, &[&str])]) -> PluginListing {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let value = json!({
            "form": "component", "name": "p", "title": "", "version": "1.0.0", "licence": "", "digest": "", "kinds": [], "profile": "network",
            "allowed_hosts": texts(hosts),
            "secrets": secrets.iter().map(|(name, hosts)| ((*name).to_owned(), json!(hosts))).collect::<serde_json::Map<_, _>>(),
            "allowed_models": [], "cache_bytes_max": 0, "memory_bytes_max": 0, "turn_ms_max": 0, "models": [], "files": {},
            "file": null, "state": "waiting", "loaded_from": null, "load_time_us": 0, "instances": 0, "memory_bytes": 0, "paused": null
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn new_version_that_asks_for_more_is_not_taken_up_by_itself() {
        let before = listing(&["https://a.example:443"], &[("api_key", &["https://a.example:443"])]);
        assert!(asks_no_more(&before, &before));
        assert!(asks_no_more(&before, &listing(&[], &[])));
        assert!(!asks_no_more(&before, &listing(&["https://b.example:443"], &[])));
        assert!(!asks_no_more(&before, &listing(&["https://a.example:443"], &[("other", &["https://a.example:443"])])));
        assert!(!asks_no_more(&listing(&["{base_url}"], &[]), &listing(&["{base_url}"], &[("api_key", &["{base_url}"])])));
    }

    #[test]
    fn change_of_a_source_is_seen_and_of_a_product_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("src/deep")).unwrap();
        std::fs::write(folder.path().join("src/deep/a.rs"), "1").unwrap();
        let before = fingerprint(Language::Rust, folder.path());
        std::fs::write(folder.path().join("x.wasm"), "1").unwrap();
        assert_eq!(fingerprint(Language::Rust, folder.path()), before);
        std::fs::write(folder.path().join("src/deep/a.rs"), "12").unwrap();
        assert_ne!(fingerprint(Language::Rust, folder.path()), before);
    }
}
