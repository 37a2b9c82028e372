//! Native libraries: who lets them in, what happens when they fail, and that nothing above can tell the forms apart.

use super::support::{Room, collect, config, context, library, native_room, question, room, row};
use crate::domain::{Model, ModelType};
use crate::error::Error;
use crate::plugin::{Plugins, PluginsConfig};
use crate::provider::{
    CallContext, ChatDelta, EmbedPurpose, LoadedFrom, PluginDesk, PluginForm, PluginSource, PluginState, ProviderErrorKind, TokenizeMode,
};
use futures_util::StreamExt;
use std::path::Path;
use std::time::Duration;

fn embedder(name: &str) -> Model {
    row("fickle", name, ModelType::Embedding)
}

fn chat(name: &str) -> Model {
    row("fickle", name, ModelType::KnowledgeQA)
}

/// A folder with the library `fickle`, perhaps changed, that nobody has allowed.
fn waiting(change: impl FnOnce(&mut Vec<u8>)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    let mut bytes = library("fickle");
    change(&mut bytes);
    std::fs::write(folder.path().join("plugins/fickle.so"), bytes).unwrap();
    folder
}

fn open(folder: &Path) -> std::sync::Arc<Plugins> {
    Plugins::open(config(folder, &[])).unwrap()
}

#[test]
fn native_library_is_refused_until_it_is_allowed_as_one() {
    let folder = waiting(|_| {});
    let plugins = open(folder.path());
    let shown = plugins.list().unwrap().remove(0);
    assert_eq!((shown.state, shown.form, shown.memory_bytes_max), (PluginState::NativeRefused, PluginForm::Native, 0));
    let refused = plugins.allow("fickle", Some(&shown.digest)).unwrap_err();
    assert!(refused.to_string().contains("knowhost plugin allow fickle --native"), "{refused}");
    assert!(matches!(plugins.allow_native("fickle", "another"), Err(Error::Conflict(_))));
    assert!(plugins.embedder(&embedder("fine")).is_err(), "nothing was loaded");
    let allowed = plugins.allow_native("fickle", &shown.digest).unwrap();
    assert_eq!((allowed.state, allowed.loaded_from), (PluginState::Allowed, Some(LoadedFrom::Library)));
    assert_eq!(allowed.kinds, ["embedder", "chat-model", "tokenizer"]);

    // The next start loads it by what stands in the lock file, and by nothing less.
    let lock = folder.path().join("plugins.lock");
    assert_eq!(open(folder.path()).list().unwrap()[0].state, PluginState::Allowed);
    let text = std::fs::read_to_string(&lock).unwrap();
    std::fs::write(&lock, text.replace("allow_native = true\n", "")).unwrap();
    let plugins = open(folder.path());
    assert_eq!(plugins.list().unwrap()[0].state, PluginState::NativeRefused);
    assert!(plugins.embedder(&embedder("fine")).is_err());
    std::fs::write(&lock, text.replace(&shown.digest, &"0".repeat(64))).unwrap();
    assert!(matches!(open(folder.path()).list().unwrap()[0].state, PluginState::Changed { .. }));
}

#[test]
fn component_is_not_allowed_as_native() {
    let room = room(&[], &["echo"]);
    let digest = room.plugins.list().unwrap()[0].digest.clone();
    let error = room.plugins.allow_native("echo", &digest).unwrap_err();
    assert!(error.to_string().contains("is a component"), "{error}");
}

#[test]
fn another_version_of_the_border_is_refused_with_both_versions() {
    let folder = waiting(|bytes| {
        let table = [b"KNOWHOST".as_slice(), &1_u32.to_le_bytes()].concat();
        let places: Vec<usize> = (0..bytes.len() - 12).filter(|at| bytes[*at..].starts_with(&table)).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|at| bytes[at + 8] = 7);
    });
    let plugins = open(folder.path());
    let digest = plugins.list().unwrap()[0].digest.clone();
    let error = plugins.allow_native("fickle", &digest).unwrap_err().to_string();
    assert!(error.contains("built for version 7 of the native border; this server speaks version 1"), "{error}");
    assert!(!folder.path().join("plugins.lock").exists(), "what does not load is not written down");
}

#[test]
fn another_interface_is_refused_without_loading_it() {
    let folder = waiting(|bytes| {
        let line = b"interface = \"0.1\"";
        let at = (0..bytes.len() - line.len()).find(|at| bytes[*at..].starts_with(line)).unwrap();
        bytes[at + line.len() - 2] = b'8';
    });
    let PluginState::Broken { reason } = open(folder.path()).list().unwrap().remove(0).state else { panic!("it is not broken") };
    assert!(reason.contains("\"0.8\"") && reason.contains("\"0.1\""), "{reason}");
}

#[tokio::test]
async fn what_was_hashed_is_what_runs_whatever_becomes_of_the_file() {
    let room = native_room("fickle");
    let file = room.folder.path().join("plugins/fickle.so");
    // Written over in place: what is mapped from a file would change, and crash.
    std::fs::write(&file, vec![0; library("fickle").len()]).unwrap();
    assert_eq!(room.embed(&embedder("fine"), &["a"]).await.unwrap().dimension, 2);
    let states: Vec<PluginState> = room.plugins.list().unwrap().into_iter().map(|plugin| plugin.state).collect();
    assert!(matches!(&states[..], [PluginState::Broken { .. }]), "{states:?}");
}

#[tokio::test]
async fn warm_up_is_run_once_for_all_instances_and_permissions() {
    let room = native_room("fickle");
    let digest = room.plugins.list().unwrap()[0].digest.clone();
    room.plugins.deny("fickle").unwrap();
    room.plugins.allow_native("fickle", &digest).unwrap();
    // A row of (1, times warmed up), brought to unit length.
    let data = room.embed(&embedder("fine"), &["a"]).await.unwrap().data;
    assert_eq!(data[0].to_bits(), data[1].to_bits());
}

#[tokio::test(flavor = "multi_thread")]
async fn panic_ends_the_call_and_the_instance_and_nothing_else() {
    let room = native_room("fickle");
    let error = room.embed(&embedder("panic"), &["a", "b"]).await.unwrap_err();
    assert_eq!((error.kind, error.plugin.as_str()), (ProviderErrorKind::PluginFault, "fickle 0.1.0"));
    assert!(error.message.contains("it panicked: as told to embed 2 texts"), "{error}");
    assert_eq!(room.embed(&embedder("fine"), &["a"]).await.unwrap().dimension, 2, "the next call works");
    let error = room.say(&chat("trap"), "one two").await.unwrap_err();
    assert!(error.message.contains("as told after word 0"), "{error}");
    assert_eq!(room.say(&chat("words"), "one two").await.unwrap(), "one two");
}

#[tokio::test(flavor = "multi_thread")]
async fn panic_while_a_cancelled_call_is_dropped_ends_the_instance_and_nothing_else() {
    let room = native_room("fickle");
    let mut held = room.chat(&chat("drop"), "one two").await.unwrap();
    assert_eq!(held.next().await.unwrap().unwrap(), ChatDelta::Text("one ".into()));
    drop(held);
    assert_eq!(room.say(&chat("words"), "three").await.unwrap(), "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_many_threads_get_their_own_answers() {
    let room = native_room("fickle");
    let model = chat("words");
    let asked: Vec<String> = (0..200).map(|number| format!("{number} and {number}")).collect();
    let answers = futures_util::future::join_all(asked.iter().map(|text| room.say(&model, text))).await;
    for (asked, answer) in asked.iter().zip(answers) {
        assert_eq!(&answer.unwrap(), asked);
    }
    assert!(room.instances("fickle") > 0);
}

#[tokio::test]
async fn too_large_an_answer_is_refused() {
    let room = native_room("fickle");
    let error = room.embed(&embedder("big"), &["a"]).await.unwrap_err();
    assert!(error.message.contains("more than 64 MiB in one step"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn call_ends_at_its_deadline_though_the_turn_does_not() {
    let room = native_room("fickle");
    let model = room.plugins.embedder(&embedder("slow")).unwrap();
    let short = CallContext { deadline: std::time::Instant::now() + Duration::from_millis(50), ..context() };
    let error = model.embed(&short, EmbedPurpose::Query, &["3000".into()]).await.unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::Timeout);
}

/// What a plugin `echo` says in whatever form, in words and bits.
async fn said_by(room: &Room) -> (String, Vec<u32>, Vec<(usize, u32)>, String) {
    let text = "知识库 naïve  words 🐋 end";
    let answer = room.say(&row("echo", "echo", ModelType::KnowledgeQA), text).await.unwrap();
    let rows = room.embed(&row("echo", "echo", ModelType::Embedding), &["", "a", text]).await.unwrap();
    let bits = rows.data.iter().map(|number| number.to_bits()).collect();
    let reranker = room.plugins.reranker(&row("echo", "echo", ModelType::Rerank)).unwrap();
    let hits = reranker.rerank(&context(), "q", &["a".into(), "b".into(), "c".into()], Some(2)).await.unwrap();
    let hits = hits.iter().map(|hit| (hit.index, hit.relevance_score.to_bits())).collect();
    let mut dropped = room.chat(&row("echo", "echo", ModelType::KnowledgeQA), "one two three").await.unwrap();
    let first = format!("{:?}", dropped.next().await.unwrap().unwrap());
    (answer, bits, hits, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_tell_a_library_from_a_component() {
    let (component, native) = (room(&[], &["echo"]), native_room("echo"));
    assert_eq!(said_by(&component).await, said_by(&native).await);
    for room in [&component, &native] {
        let listing = room.plugins.list().unwrap().remove(0);
        assert_eq!(listing.kinds.len(), 3, "{:?}", listing.kinds);
        room.plugins.deny("echo").unwrap();
        let error = room.say(&row("echo", "echo", ModelType::KnowledgeQA), "x").await.unwrap_err();
        assert_eq!(error.kind, ProviderErrorKind::NotFound);
    }
}

/// The built-in embedder in its three forms, out of one source.
fn embedders() -> [(&'static str, Room); 3] {
    let shipped = PluginsConfig::in_data_dir(Path::new("unused"), vec![], String::new()).shipped;
    let component = shipped.into_iter().find(|component| component.name == "embedder-local").expect("the build script built it");
    let [folder, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let first = Plugins::open(config(folder.path(), &[("embedder-local", component.bytes.into_owned())])).unwrap();
    let linked = PluginsConfig { linked: vec![&embedder_local::KNOWHOST_PLUGIN], ..config(other.path(), &[]) };
    let third = Plugins::open(linked).unwrap();
    [
        ("component", Room { folder, plugins: first }),
        ("native", native_room("embedder-local")),
        ("linked", Room { folder: other, plugins: third }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_embedder_in_three_forms_gives_the_same_bits() {
    let long = "Ein längerer Absatz über Fahrkarten, 年假和出差, and refunds. ".repeat(40);
    let texts = ["", " ", "a", "The cat sleeps on the sofa.", "猫在沙发上睡觉。", "नमस्ते दुनिया", "🐋🐋 \u{0}\u{fffd}", "0", &long];
    let mut seen: Vec<(&str, Vec<u32>)> = Vec::new();
    for (form, room) in embedders() {
        let mut bits = Vec::new();
        for name in ["knowhost-embed", "knowhost-embed-static"] {
            let rows = room.embed(&row("embedder-local", name, ModelType::Embedding), &texts).await.unwrap();
            assert_eq!((rows.dimension, rows.data.len()), (512, 512 * texts.len()), "{form}");
            bits.extend(rows.data.iter().map(|number| number.to_bits()));
        }
        let listing = room.plugins.list().unwrap().remove(0);
        assert_eq!(format!("{:?}", listing.form).to_lowercase(), form);
        seen.push((form, bits));
    }
    for (form, bits) in &seen[1..] {
        let other = bits.iter().zip(&seen[0].1).filter(|(a, b)| a != b).count();
        assert_eq!(other, 0, "{form} gives {other} other numbers than {} of {}", seen[0].0, bits.len());
    }
}

#[tokio::test]
async fn linked_plugin_is_shipped_and_cannot_be_taken_away() {
    let [_, _, (_, room)] = embedders();
    let listing = room.plugins.list().unwrap().remove(0);
    assert_eq!((listing.state, listing.loaded_from), (PluginState::Shipped, Some(LoadedFrom::Library)));
    assert!(room.plugins.deny("embedder-local").is_err());
    // A file of its name in the folder can not take its place.
    std::fs::create_dir_all(room.folder.path().join("plugins")).unwrap();
    std::fs::write(room.folder.path().join("plugins/e.so"), library("embedder-local")).unwrap();
    assert!(matches!(room.plugins.list().unwrap().remove(1).state, PluginState::Broken { .. }));
}

#[tokio::test]
async fn native_tokenizer_answers_with_its_one_step() {
    let room = native_room("fickle");
    let plugin = room.plugins.plugin("fickle").unwrap();
    let tokenizer = crate::plugin::adapters::tokenizer(plugin);
    let words = tokenizer.tokenize(&["ab".into(), String::new(), "知识".into()], TokenizeMode::Query).await.unwrap();
    assert_eq!(words.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!((words[2][0].start, words[2][0].end), (0, 6));
    // A question mark, so that the helpers of chat calls are in use for every form.
    assert_eq!(collect(room.chat(&chat("words"), "?").await.unwrap()).await.unwrap(), "?");
    assert_eq!(question("?").messages.len(), 1);
}
