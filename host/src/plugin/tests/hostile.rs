//! Plugins that break the rules end with a sentence that names them, and the next call works.

use super::support::{Room, component_with, config, context, question, room, row};
use crate::domain::{Model, ModelType};
use crate::plugin::Plugins;
use crate::provider::{PluginDesk, PluginSource, ProviderError, ProviderErrorKind, TokenizeMode};

fn chat_row(name: &str) -> Model {
    row("hostile", name, ModelType::KnowledgeQA)
}

/// On a slow machine making much of anything takes more CPU time than a turn may: that is as good a reason.
const TOO_SLOW: &str = "it computed for";

fn check_fault(error: &ProviderError, name: &str, expected: &str) {
    assert_eq!(error.kind, ProviderErrorKind::PluginFault, "{name}: {error}");
    let large = matches!(name, "big" | "alloc");
    assert!(error.message.contains(expected) || (large && error.message.contains(TOO_SLOW)), "{name}: {error}");
    assert_eq!(error.plugin, "hostile 0.1.0");
}

/// The call ends with a fault that says `expected`; a harmless call right after it works.
async fn check_chat(room: &Room, name: &str, expected: &str) {
    check_fault(&room.say(&chat_row(name), "x").await.unwrap_err(), name, expected);
    assert_eq!(room.say(&chat_row("harmless"), "x").await.unwrap(), "harmless", "after {name}");
}

async fn check_all_faults(room: Room) {
    check_chat(&room, "loop", "it computed for").await;
    check_chat(&room, "alloc", "MiB of memory").await;
    check_chat(&room, "trap", "as told").await;
    check_chat(&room, "sleep", "plugins never block").await;
    check_chat(&room, "silent", "nothing is pending").await;
    check_chat(&room, "flood", "it asked for 10000 things in one step").await;
    check_chat(&room, "strange-op", "nothing is pending").await;
    check_chat(&room, "big", "delta of more than").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_third_party_plugin_end_the_call_and_nothing_else() {
    check_all_faults(room(&[], &["hostile"])).await;
}

#[tokio::test]
async fn faults_of_a_shipped_plugin_end_the_call_and_nothing_else() {
    check_all_faults(room(&["hostile"], &[])).await;
}

#[tokio::test]
async fn sleeping_an_hour_through_std_traps_at_once() {
    let room = room(&["hostile"], &[]);
    let started = std::time::Instant::now();
    let error = room.say(&chat_row("sleep"), "x").await.unwrap_err();
    assert!(error.message.contains("wasi:") && error.message.contains("sleep"), "{error}");
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn wrong_embeddings_are_refused() {
    let room = room(&["hostile"], &[]);
    for (name, expected) in [("wrong-rows", "4 numbers for 2 texts"), ("nan", "not finite"), ("big", "numbers for 2 texts")] {
        let error = room.embed(&row("hostile", name, ModelType::Embedding), &["a", "b"]).await.unwrap_err();
        check_fault(&error, name, expected);
    }
    let rows = room.embed(&row("hostile", "harmless", ModelType::Embedding), &["a", "b"]).await.unwrap();
    assert_eq!((rows.dimension, rows.data), (4, vec![0.5; 8]), "rows have unit length");
}

#[tokio::test]
async fn wrong_rankings_are_refused() {
    let room = room(&["hostile"], &[]);
    let texts = ["a".to_owned(), "b".to_owned()];
    for (name, expected) in [("wrong-rows", "it ranked text"), ("nan", "not between 0 and 1"), ("big", "it ranked text 0 twice")] {
        let reranker = room.plugins.reranker(&row("hostile", name, ModelType::Rerank)).unwrap();
        let error = reranker.rerank(&context(), "q", &texts, None).await.unwrap_err();
        check_fault(&error, name, expected);
    }
    let reranker = room.plugins.reranker(&row("hostile", "harmless", ModelType::Rerank)).unwrap();
    assert_eq!(reranker.rerank(&context(), "q", &texts, Some(1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn wrong_words_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let as_tokenizer = component_with("hostile", |toml| toml.replace("\"hostile\"", "\"tokenizer-jieba\""));
    let plugins = Plugins::open(config(folder.path(), &[("tokenizer-jieba", as_tokenizer)])).unwrap();
    let tokenizer = plugins.tokenizer();
    for text in ["bad-utf8-spans é", "bad-counts", "backwards x", "beyond", "trap"] {
        let error = tokenizer.tokenize(&[text.to_owned()], TokenizeMode::Query).await.unwrap_err();
        assert!(error.kind == ProviderErrorKind::PluginFault && error.plugin.starts_with("tokenizer-jieba"), "{text}: {error}");
    }
    assert_eq!(tokenizer.tokenize(&["fine".to_owned()], TokenizeMode::Index).await.unwrap(), [vec![]]);
}

#[tokio::test]
async fn plugin_that_allocates_without_end_is_stopped_at_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let small = component_with("hostile", |toml| format!("{toml}\n[limits]\nmemory_bytes_max = 8388608\n"));
    let plugins = Plugins::open(config(folder.path(), &[("hostile", small)])).unwrap();
    let error = plugins.chat_model(&chat_row("alloc")).unwrap().chat_stream(&context(), question("x")).await.err().unwrap();
    assert!(error.message.contains("it asked for more than its 8 MiB of memory"), "{error}");
    assert!(plugins.chat_model(&chat_row("harmless")).unwrap().chat_stream(&context(), question("x")).await.is_ok());
}

#[tokio::test]
async fn log_flood_is_cut_and_the_call_goes_on() {
    let room = room(&["hostile"], &[]);
    assert_eq!(room.say(&chat_row("log-flood"), "x").await.unwrap(), "harmless");
}

#[tokio::test]
async fn plugin_that_traps_again_and_again_is_paused_with_the_reason() {
    let room = room(&["hostile"], &[]);
    for _ in 0..crate::limits::PLUGIN_FAULTS_IN_A_ROW_MAX {
        room.say(&chat_row("trap"), "x").await.unwrap_err();
    }
    let error = room.say(&chat_row("harmless"), "x").await.unwrap_err();
    assert!(error.message.contains("paused") && error.message.contains("as told"), "{error}");
    assert!(room.plugins.list().unwrap()[0].paused.as_ref().is_some_and(|reason| reason.contains("as told")));
}
