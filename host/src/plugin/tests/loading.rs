//! From files to plugins: the cache of compiled files, permissions, what is refused before anything runs.

use super::support::{component, component_with, config, room, row};
use crate::domain::ModelType;
use crate::plugin::{Plugins, PluginsConfig};
use crate::provider::{LoadedFrom, PluginDesk, PluginSource, PluginState, TokenizeMode};

fn compiled_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder.join("cache/compiled")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn second_start_compiles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = [("echo", component("echo"))];
    for expected in [LoadedFrom::Compiler, LoadedFrom::Cache] {
        let plugins = Plugins::open(config(folder.path(), &shipped)).unwrap();
        assert_eq!(plugins.list().unwrap()[0].loaded_from, Some(expected));
    }
}

#[tokio::test]
async fn foreign_compiled_file_swapped_into_the_cache_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = [("echo", component("echo")), ("hostile", component("hostile"))];
    drop(Plugins::open(config(folder.path(), &shipped)).unwrap());
    let files = compiled_files(folder.path());
    assert_eq!(files.len(), 2);
    // A whole file of this very server, but of another component; and one that another server made of the same component.
    let other = tempfile::tempdir().unwrap();
    drop(Plugins::open(config(other.path(), &shipped)).unwrap());
    let own = std::fs::read(&files[0]).unwrap();
    let swaps: [Vec<u8>; 4] = [
        std::fs::read(&files[1]).unwrap(),
        std::fs::read(&compiled_files(other.path())[0]).unwrap(),
        own[..own.len() / 2].to_vec(),
        b"\x7fELF not ours".to_vec(),
    ];
    for swap in swaps {
        std::fs::write(&files[0], &swap).unwrap();
        let plugins = Plugins::open(config(folder.path(), &shipped)).unwrap();
        let listing = plugins.list().unwrap();
        let from: Vec<_> = listing.iter().map(|plugin| plugin.loaded_from).collect();
        assert!(from.contains(&Some(LoadedFrom::Compiler)) && from.contains(&Some(LoadedFrom::Cache)), "{from:?}");
        let embedder = plugins.embedder(&row("echo", "echo", ModelType::Embedding)).unwrap();
        let texts = ["a".to_owned()];
        let rows = embedder.embed(&super::support::context(), crate::provider::EmbedPurpose::Query, &texts).await.unwrap();
        assert_eq!(rows.dimension, 8, "it still answers, compiled anew");
    }
}

#[tokio::test]
async fn third_party_plugin_waits_until_allowed_and_is_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plugins/any-name.wasm");
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    std::fs::write(&file, component("hostile")).unwrap();
    let harmless = row("Hostile", "harmless", ModelType::KnowledgeQA);
    {
        let plugins = Plugins::open(config(folder.path(), &[])).unwrap();
        assert_eq!(plugins.list().unwrap()[0].state, PluginState::Waiting);
        let error = plugins.chat_model(&harmless).err().unwrap();
        assert!(error.message.contains("sources are local, remote, aliyun"), "{error}");
        let shown = plugins.allow("hostile", None).unwrap();
        assert_eq!((shown.state, shown.allowed_hosts), (PluginState::Allowed, vec!["{base_url}".to_owned()]));
        assert!(shown.kinds.contains(&"chat-model".to_owned()) && shown.secrets.contains_key("api_key"));
        assert!(plugins.chat_model(&harmless).is_ok());
    }
    {
        let plugins = Plugins::open(config(folder.path(), &[])).unwrap();
        assert!(plugins.chat_model(&harmless).is_ok(), "still allowed after a restart");
    }
    // Another file under the allowed name.
    std::fs::write(&file, component_with("hostile", |toml| toml.replace("Breaks every rule", "Breaks all rules"))).unwrap();
    let plugins = Plugins::open(config(folder.path(), &[])).unwrap();
    assert!(plugins.chat_model(&harmless).is_err());
    assert!(matches!(plugins.list().unwrap()[0].state, PluginState::Changed { .. }));
    plugins.allow("hostile", None).unwrap();
    assert!(plugins.chat_model(&harmless).is_ok());
    plugins.deny("hostile").unwrap();
    assert!(plugins.chat_model(&harmless).is_err() && plugins.deny("hostile").is_err());
}

#[test]
fn files_that_are_no_plugins_of_this_interface_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join("plugins").join(name), bytes).unwrap();
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    put("a.wasm", b"\0asm\x01\0\0\0".to_vec());
    put("b.wasm", component_with("echo", |toml| toml.replace("interface = \"0.1\"", "interface = \"9.7\"")));
    put("c.wasm", component("hostile")[..10_000].to_vec());
    put("d.wasm", component("echo"));
    std::fs::create_dir(folder.path().join("plugins/e.wasm")).unwrap();
    let plugins = Plugins::open(config(folder.path(), &[("echo", component("echo"))])).unwrap();
    let listing = plugins.list().unwrap();
    let reason = |file: &str| match &listing.iter().find(|plugin| plugin.file.as_deref() == Some(file)).unwrap().state {
        PluginState::Broken { reason } => reason.clone(),
        other => panic!("{file}: {other:?}"),
    };
    assert!(reason("a.wasm").contains("no manifest"), "{}", reason("a.wasm"));
    assert!(reason("b.wasm").contains("interface"), "{}", reason("b.wasm"));
    assert!(reason("c.wasm").contains("no manifest"), "{}", reason("c.wasm"));
    assert!(reason("e.wasm").contains("is no file"), "{}", reason("e.wasm"));
    assert!(reason("d.wasm").contains("belongs to a plugin of this server"), "{}", reason("d.wasm"));
    assert!(plugins.allow("nobody", None).is_err() && plugins.allow("echo", None).is_err());
}

/// A number as WebAssembly writes it.
fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = vec![];
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id], &leb(body.len() as u32)[..], body].concat()
}

/// A component, written by hand, of `instances` core instances of one module with a table of `elements` and `pages` of memory.
fn bomb(instances: u32, elements: u32, pages: u32) -> Vec<u8> {
    let table = section(4, &[&[1, 0x70, 0], &leb(elements)[..]].concat());
    let memory = section(5, &[&[1, 0], &leb(pages)[..]].concat());
    let module = [&b"\0asm\x01\0\0\0"[..], &table, &memory].concat();
    let instances = section(2, &[leb(instances), [0, 0, 0].repeat(instances as usize)].concat());
    let component = [&b"\0asm\x0d\0\x01\0"[..], &section(1, &module), &instances].concat();
    let toml = include_str!("../../../../tests/plugins/hostile/plugin.toml").replace("\"hostile\"", "\"bomb\"");
    knowhost_plugin_sdk::section::embed_manifest(&component, &toml)
}

#[test]
fn bombs_of_tables_instances_and_memory_are_refused_before_anything_runs() {
    for (name, bytes, expected) in [
        ("table", bomb(1, u32::MAX, 1), "table"),
        ("instance", bomb(10_000, 1, 0), "instance"),
        ("instance", bomb(100, 1, 0), "instance"),
        ("memory", bomb(1, 1, 65_536), "memory"),
        ("small", bomb(1, 1, 1), "it exports none of the kinds"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
        std::fs::write(folder.path().join("plugins/bomb.wasm"), bytes).unwrap();
        let plugins = Plugins::open(config(folder.path(), &[])).unwrap();
        let started = std::time::Instant::now();
        let error = plugins.allow("bomb", None).unwrap_err().to_string();
        eprintln!("{name}: {:?} {error}", started.elapsed());
        assert!(error.contains(expected), "{name}: {error}");
        assert!(started.elapsed() < std::time::Duration::from_secs(5), "{name}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn echo_answers_on_all_its_sockets() {
    let room = room(&["echo"], &[]);
    let words = "one two three";
    assert_eq!(room.say(&row("ECHO", "echo", ModelType::KnowledgeQA), words).await.unwrap(), words);
    let texts: Vec<String> = (0..100).map(|number| format!("text {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let rows = room.embed(&row("echo", "echo", ModelType::Embedding), &texts).await.unwrap();
    assert_eq!((rows.dimension, rows.rows().count()), (8, 100), "in several batches");
    for row in rows.rows() {
        assert!((row.iter().map(|number| number * number).sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let embedder = room.plugins.embedder(&row("echo", "echo", ModelType::Embedding)).unwrap();
    assert_eq!((embedder.digest(), embedder.model_id(), embedder.plugin().name.as_str()), ("echo-1", "echo-echo", "echo"));
    let unknown = room.plugins.embedder(&row("echo", "other", ModelType::Embedding)).err().unwrap();
    assert!(unknown.message.contains("it brings echo"), "{unknown}");
    let none = room.embed(&row("echo", "echo", ModelType::Embedding), &[]).await.unwrap();
    assert!(none.data.is_empty());
    assert!(room.folder.path().join("cache/compiled").is_dir());
}

/// The components in this very binary: all of them load, warm up, and answer from their snapshots.
#[tokio::test]
async fn shipped_plugins_load_and_start_from_their_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Plugins::open(PluginsConfig::in_data_dir(folder.path(), vec![], "http://127.0.0.1:11434".into())).unwrap();
    let first = open().list().unwrap();
    let plugins = open();
    let second = plugins.list().unwrap();
    for (cold, warm) in first.iter().zip(&second) {
        // One ships without its files.
        if matches!(cold.state, PluginState::NeedsFiles { .. }) {
            continue;
        }
        eprintln!("{} {:?}: {} us, then {} us", cold.name, cold.kinds, cold.load_time_us, warm.load_time_us);
        assert_eq!((cold.loaded_from, warm.loaded_from), (Some(LoadedFrom::Compiler), Some(LoadedFrom::Cache)), "{}", cold.name);
    }
    if !second.iter().any(|plugin| plugin.name == "tokenizer-jieba") {
        return;
    }
    let tokenizer = plugins.tokenizer();
    let text = "我们在北京大学学习 machine learning";
    let started = std::time::Instant::now();
    let words = tokenizer.tokenize(&[text.to_owned()], TokenizeMode::Query).await.unwrap();
    eprintln!("first words after {:?}", started.elapsed());
    let words: Vec<&str> = words[0].iter().map(|span| &text[span.start..span.end]).collect();
    assert!(words.contains(&"北京大学") && words.contains(&"learning"), "{words:?}");
    let listing = plugins.list().unwrap();
    let jieba = listing.iter().find(|plugin| plugin.name == "tokenizer-jieba").unwrap();
    eprintln!("{} instances of tokenizer-jieba with {} bytes of linear memory", jieba.instances, jieba.memory_bytes);
}
