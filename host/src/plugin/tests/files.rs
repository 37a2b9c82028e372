//! Plugins that bring files: missing, wrong, late, and read where they must not be.

use super::support::{Room, component_with, config, row};
use crate::domain::{Model, ModelType};
use crate::plugin::{Installation, Plugins, PluginsConfig, brought_models};
use crate::provider::{LoadedFrom, PluginDesk, PluginSource, PluginState, ProviderErrorKind};
use sha2::{Digest, Sha256};
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const WORDS: &str = "the words of the file";
const SAID: &str = "the words of the file (Some(0), 21 of 21)";

/// The test plugin, made for a file with this content.
fn reader(content: &str) -> Vec<u8> {
    component_with("reader", |toml| {
        let [old, new] = [WORDS, content].map(|text| hex::encode(Sha256::digest(text)));
        toml.replace(&old, &new).replace("size_bytes = 21", &format!("size_bytes = {}", content.len()))
    })
}

fn room_of(component: Vec<u8>) -> Room {
    let folder = tempfile::tempdir().unwrap();
    let plugins = Plugins::open(config(folder.path(), &[("reader", component)])).unwrap();
    Room { folder, plugins }
}

fn put(room: &Room, content: &str) {
    let folder = room.folder.path().join("models/reader");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("words.txt"), content).unwrap();
}

fn model(name: &str) -> Model {
    row("reader", name, ModelType::KnowledgeQA)
}

fn state(plugins: &Plugins) -> PluginState {
    plugins.list().unwrap().into_iter().find(|listing| listing.name == "reader").unwrap().state
}

fn reason(plugins: &Plugins) -> String {
    match state(plugins) {
        PluginState::NeedsFiles { reason, get } => format!("{reason}; {get}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn plugin_without_its_files_says_what_to_type_and_is_taken_up_when_they_come() {
    let room = room_of(reader(WORDS));
    assert!(reason(&room.plugins).ends_with("reader; said") && reason(&room.plugins).contains("words.txt is missing"));
    assert_eq!((room.instances("reader"), std::fs::read_dir(room.folder.path().join("cache/compiled")).unwrap().count()), (0, 0));
    let error = room.plugins.chat_model(&model("said")).err().unwrap();
    assert_eq!((error.kind, error.plugin.as_str()), (ProviderErrorKind::Unsupported, "reader"));
    assert!(error.message.contains("knowhost models get said"), "{error}");
    assert!(room.plugins.sources().contains(&"reader".to_owned()), "a row may be made for it");

    put(&room, WORDS);
    assert_eq!(room.say(&model("said"), "x").await.unwrap(), SAID);
    assert_eq!(state(&room.plugins), PluginState::Shipped);
    let again = Plugins::open(config(room.folder.path(), &[("reader", reader(WORDS))])).unwrap();
    assert_eq!(again.list().unwrap()[0].loaded_from, Some(LoadedFrom::Cache));
    std::fs::remove_file(room.folder.path().join("models/reader/words.txt")).unwrap();
    let gone = Plugins::open(config(room.folder.path(), &[("reader", reader(WORDS))])).unwrap();
    assert!(reason(&gone).contains("missing"), "whoever removes the files removes the model");
}

#[tokio::test]
async fn wrong_file_is_refused_until_the_right_one_comes() {
    let room = room_of(reader(WORDS));
    put(&room, "the words of the fill");
    for _ in 0..2 {
        let error = room.plugins.chat_model(&model("said")).err().unwrap();
        assert!(error.message.contains("SHA-256") && error.message.contains("models get said"), "{error}");
    }
    let second = Plugins::open(config(room.folder.path(), &[("reader", reader(WORDS))])).unwrap();
    assert!(reason(&second).contains("SHA-256"), "a bad file does not stop the start");
    put(&room, "short");
    assert!(room.plugins.chat_model(&model("said")).err().unwrap().message.contains("has not the 21 bytes"));
    // Another length first: two writes within a tick of the clock of files look the same otherwise.
    put(&room, WORDS);
    let made = std::fs::File::options().write(true).open(room.folder.path().join("models/reader/words.txt")).unwrap();
    made.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(5)).unwrap();
    assert_eq!(room.say(&model("said"), "x").await.unwrap(), SAID);
}

#[tokio::test]
async fn files_are_closed_after_the_warm_up_and_other_files_always() {
    let room = room_of(reader(WORDS));
    put(&room, WORDS);
    let error = room.say(&model("late"), "x").await.unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::PluginFault);
    assert!(error.message.contains("\"words.txt\", but files can be read only while it warms up"), "{error}");
    assert_eq!(room.say(&model("said"), "x").await.unwrap(), SAID, "the next call works");

    for (content, asked) in [("other words", "\"other.txt\""), ("escape words", "compiled-plugins.key\"")] {
        let room = room_of(reader(content));
        put(&room, content);
        let error = room.plugins.chat_model(&model("said")).err().unwrap();
        assert!(error.message.contains(asked) && error.message.contains("which its manifest does not list"), "{error}");
    }
}

#[tokio::test]
async fn third_party_plugin_can_be_allowed_before_its_files_come() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    std::fs::write(folder.path().join("plugins/reader.wasm"), reader(WORDS)).unwrap();
    let config = config(folder.path(), &[]);
    assert!(Installation::find(&config, "said").is_err(), "nothing is fetched for a plugin that nobody allowed");
    let room = Room { plugins: Plugins::open(config.clone()).unwrap(), folder };
    let shown = room.plugins.allow("reader", None).unwrap();
    assert!(matches!(shown.state, PluginState::NeedsFiles { .. }) && shown.files["words.txt"] == 21);
    assert!(reason(&Plugins::open(config.clone()).unwrap()).contains("missing"));
    put(&room, WORDS);
    assert_eq!(room.say(&model("said"), "x").await.unwrap(), SAID);
    assert_eq!(Installation::find(&config, "said").unwrap().plugin, "reader");
    room.plugins.deny("reader").unwrap();
    assert!(room.plugins.chat_model(&model("said")).is_err());
}

/// The full model that ships without its files, where they are at hand: the component in this binary against the plain forward pass in f64.
#[tokio::test]
async fn full_model_answers_as_its_golden_vectors_say() {
    let Some(files) = std::env::var_os("KNOWHOST_TEST_MODELS").map(PathBuf::from) else {
        eprintln!("skipped: KNOWHOST_TEST_MODELS names no folder with sp.model and weights.npz");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut config = PluginsConfig::in_data_dir(folder.path(), vec![], "http://127.0.0.1:11434".into());
    config.shipped.retain(|component| component.name == "embedder-full");
    Installation::find(&config, "knowhost-embed-full").unwrap().take(&files).unwrap();
    let room = Room { plugins: Plugins::open(config).unwrap(), folder };
    let model = row("embedder-full", "knowhost-embed-full", ModelType::Embedding);
    for line in include_str!("../../../../plugins/embedder-full/data/golden.tsv").lines() {
        let [text, _, expected]: [&str; 3] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let text = text.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r");
        let row = room.embed(&model, &[&text]).await.unwrap().data;
        let gap = expected.split(' ').zip(&row).map(|(x, y)| (x.parse::<f32>().unwrap() - y).abs()).fold(0.0, f32::max);
        assert!(row.len() == 512 && gap < 0.003, "{text}: {gap}");
    }
    let listing = &room.plugins.list().unwrap()[0];
    eprintln!("loaded in {} us, {} bytes in {} instances", listing.load_time_us, listing.memory_bytes, listing.instances);
}

fn installation(folder: &Path) -> (PluginsConfig, Installation) {
    let config = config(folder, &[("reader", reader(WORDS))]);
    let installation = Installation::find(&config, "said").unwrap();
    (config, installation)
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn files_are_taken_from_a_folder_an_archive_or_alone() {
    let elsewhere = tempfile::tempdir().unwrap();
    let place = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = elsewhere.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let sources = [
        place("model.whl", &archive(&[("x", "y"), ("inside/words.txt", WORDS)])),
        place("flat.zip", &archive(&[("words.txt", WORDS)])),
        place("folder/words.txt", WORDS.as_bytes()).parent().unwrap().to_owned(),
        place("unpacked/inside/words.txt", WORDS.as_bytes()).parent().unwrap().parent().unwrap().to_owned(),
        place("words.txt", WORDS.as_bytes()),
    ];
    for source in sources {
        let folder = tempfile::tempdir().unwrap();
        let (config, installation) = installation(folder.path());
        assert!(!installation.is_complete() && brought_models(&config).unwrap()[0].lacking.is_some());
        assert_eq!(installation.take(&source).unwrap(), ["words.txt"], "{}", source.display());
        assert!(installation.is_complete() && brought_models(&config).unwrap()[0].lacking.is_none());
        let put = std::fs::metadata(installation.folder().join("words.txt")).unwrap();
        assert_eq!(put.permissions().mode() & 0o777, 0o644);
    }
}

#[test]
fn what_is_not_the_listed_file_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_, installation) = installation(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let path = elsewhere.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = format!("{:#}", installation.take(&path).unwrap_err());
        assert!(names(installation.folder()).is_empty(), "{name}: {:?}", names(installation.folder()));
        error
    };
    assert!(refused("words.txt", b"the words of the fill").contains("its SHA-256 is"));
    assert!(refused("words.txt", b"the words of the file and more").contains("longer than 21 bytes"));
    assert!(refused("a.whl", &archive(&[("inside/words.txt", "the words")])).contains("SHA-256"));
    assert!(refused("b.whl", &archive(&[("other.txt", WORDS)])).contains("holds none of inside/words.txt"));
    assert!(refused("c.whl", b"no archive").contains("neither a ZIP archive"));
    let whole = archive(&[("inside/words.txt", WORDS)]);
    assert!(refused("d.whl", &whole[..whole.len() / 2]).contains("neither a ZIP archive"));
    assert!(installation.take(&elsewhere.path().join("missing")).unwrap_err().to_string().contains("can not read"));
    assert!(installation.take(folder.path()).is_err(), "a folder without the files");
}
