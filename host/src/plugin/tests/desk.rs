//! Allowing, replacing and denying while calls are under way.

use super::support::{collect, component, component_with, config, context, question, room, row};
use crate::domain::{Model, ModelType};
use crate::error::Error;
use crate::plugin::Plugins;
use crate::provider::{ChatDelta, PluginDesk, PluginGrantsChange, PluginSource, ProviderErrorKind};
use futures_util::StreamExt;

fn pieces(count: u64) -> Model {
    let mut model = row("hostile", "deep-trap", ModelType::KnowledgeQA);
    model.parameters.settings.insert("count".into(), count.into());
    model
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_plugin_ends_its_calls_while_new_ones_go_to_the_new_digest() {
    let room = room(&[], &["hostile"]);
    let mut old = room.chat(&pieces(50), "go on").await.unwrap();
    assert_eq!(old.next().await.unwrap().unwrap(), ChatDelta::Text("0 ".into()));
    let newer = component_with("hostile", |toml| toml.replace("version = \"0.1.0\"", "version = \"0.2.0\""));
    std::fs::write(room.folder.path().join("plugins/hostile.wasm"), newer).unwrap();
    // Calls go on all the time, and none of them may fail.
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let room = std::sync::Arc::new(room);
    let calls = tokio::spawn({
        let room = room.clone();
        async move {
            let mut versions = Vec::new();
            while stopped.try_recv().is_err() {
                let model = room.plugins.chat_model(&row("hostile", "harmless", ModelType::KnowledgeQA)).unwrap();
                let said = collect(model.chat_stream(&context(), question("x")).await.unwrap()).await.unwrap();
                assert_eq!(said, "harmless");
                versions.push(model.plugin().version.clone());
            }
            versions
        }
    });
    let desk = room.clone();
    let shown = tokio::task::spawn_blocking(move || desk.plugins.allow("hostile", None).unwrap()).await.unwrap();
    assert_eq!(shown.version, "0.2.0");
    assert_eq!(room.say(&pieces(1), "x").await.unwrap(), "0 1 ");
    assert_eq!(room.plugins.chat_model(&pieces(1)).unwrap().plugin().version, "0.2.0");
    stop.send(()).unwrap();
    let versions = calls.await.unwrap();
    assert_eq!(versions.first().map(String::as_str), Some("0.1.0"));
    assert!(versions.is_sorted(), "back to the old one: {versions:?}");
    let rest: String = (1..100).map(|piece| format!("{piece} ")).collect();
    assert_eq!(collect(old).await.unwrap(), rest, "the old call ended where it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_plugin_ends_at_once() {
    let room = room(&[], &["hostile"]);
    let mut under_way = room.chat(&pieces(1_000_000), "go on").await.unwrap();
    assert_eq!(under_way.next().await.unwrap().unwrap(), ChatDelta::Text("0 ".into()));
    room.plugins.deny("hostile").unwrap();
    let error = collect(under_way).await.unwrap_err();
    assert!(error.kind == ProviderErrorKind::Denied && error.message.contains("took its permission back"), "{error}");
    assert_eq!(room.say(&pieces(1), "x").await.unwrap_err().kind, ProviderErrorKind::NotFound);
    assert!(!room.plugins.sources().contains(&"hostile".to_owned()));
}

#[test]
fn file_that_was_changed_after_it_was_shown_is_not_allowed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    let file = folder.path().join("plugins/h.wasm");
    std::fs::write(&file, component("hostile")).unwrap();
    let plugins = Plugins::open(config(folder.path(), &[])).unwrap();
    let shown = plugins.list().unwrap().remove(0);
    std::fs::write(&file, component_with("hostile", |toml| toml.replace("0.1.0", "0.1.1"))).unwrap();
    assert!(matches!(plugins.allow("hostile", Some(&shown.digest)), Err(Error::Conflict(_))));
    assert!(matches!(plugins.allow("nobody", None), Err(Error::NotFound { .. })));
    assert!(matches!(plugins.deny("hostile"), Err(Error::NotFound { .. })));
    let shown = plugins.list().unwrap().remove(0);
    assert!(plugins.allow("hostile", Some(&shown.digest)).is_ok());
}

fn newer(room: &super::support::Room, version: &str) {
    let bytes = component_with("hostile", |toml| toml.replace("version = \"0.1.0\"", &format!("version = \"{version}\"")));
    std::fs::write(room.folder.path().join("plugins/hostile.wasm"), bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rolled_back_plugin_is_the_one_before_and_no_call_fails_meanwhile() {
    let room = std::sync::Arc::new(room(&[], &["hostile"]));
    assert!(matches!(room.plugins.roll_back("hostile"), Err(Error::Conflict(_))), "there is no version before the first");
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let calls = tokio::spawn({
        let room = room.clone();
        async move {
            let mut versions = Vec::new();
            while stopped.try_recv().is_err() {
                let model = room.plugins.chat_model(&row("hostile", "harmless", ModelType::KnowledgeQA)).unwrap();
                assert_eq!(collect(model.chat_stream(&context(), question("x")).await.unwrap()).await.unwrap(), "harmless");
                versions.push(model.plugin().version.clone());
            }
            versions.dedup();
            versions
        }
    });
    let desk = room.clone();
    tokio::task::spawn_blocking(move || {
        newer(&desk, "0.2.0");
        let shown = desk.plugins.allow("hostile", None).unwrap();
        assert_eq!(shown.previous.map(|previous| previous.version).as_deref(), Some("0.1.0"));
        std::thread::sleep(std::time::Duration::from_millis(20));
        let back = desk.plugins.roll_back("hostile").unwrap();
        assert_eq!((back.version.as_str(), back.previous.unwrap().version.as_str()), ("0.1.0", "0.2.0"));
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(desk.plugins.roll_back("hostile").unwrap().version, "0.2.0");
    })
    .await
    .unwrap();
    assert_eq!(room.plugins.chat_model(&pieces(1)).unwrap().plugin().version, "0.2.0");
    stop.send(()).unwrap();
    let versions = calls.await.unwrap();
    assert_eq!(versions.first().map(String::as_str), Some("0.1.0"), "{versions:?}");
    let listed = room.plugins.list().unwrap().into_iter().find(|plugin| plugin.name == "hostile").unwrap();
    assert_eq!(
        (listed.version.as_str(), listed.previous.unwrap().version.as_str()),
        ("0.2.0", "0.1.0"),
        "the file in the folder is the one that runs"
    );
}

#[tokio::test]
async fn narrowed_plugin_reaches_less_from_the_next_call_on_and_after_an_upgrade() {
    let room = room(&[], &["hostile"]);
    let server = super::support::server(super::support::ok_response(b"fine"), super::support::always_open()).await;
    let mut model = row("hostile", "count", ModelType::KnowledgeQA);
    model.parameters.base_url = server.url.clone();
    assert!(room.say(&model, "x").await.is_ok());
    let hosts = |hosts: &[&str]| PluginGrantsChange {
        allowed_hosts: Some(hosts.iter().map(|host| (*host).to_owned()).collect()),
        ..PluginGrantsChange::default()
    };
    let shown = room.plugins.grant("hostile", &hosts(&[])).unwrap();
    assert_eq!(shown.granted.unwrap().allowed_hosts, [""; 0]);
    let denied = room.say(&model, "x").await.unwrap_err();
    assert!(denied.kind == ProviderErrorKind::Denied && denied.message.contains("allowed_hosts"), "{denied}");
    newer(&room, "0.2.0");
    room.plugins.allow("hostile", None).unwrap();
    assert_eq!(room.say(&model, "x").await.unwrap_err().kind, ProviderErrorKind::Denied, "an upgrade widens nothing");
    let refused = room.plugins.grant("hostile", &hosts(&["https://elsewhere.example:443"])).unwrap_err();
    assert!(matches!(&refused, Error::BadRequest(text) if text.contains("does not ask for it")), "{refused}");
    room.plugins.grant("hostile", &hosts(&["{base_url}"])).unwrap();
    assert!(room.say(&model, "x").await.is_ok());
    assert!(matches!(room.plugins.grant("nobody", &hosts(&[])), Err(Error::NotFound { .. })));
}
