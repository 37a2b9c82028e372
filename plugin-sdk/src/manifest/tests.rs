use super::*;

const FULL: &str = r#"
name = "example"
title = "Example"
version = "1.2.3"
licence = "Apache-2.0"
interface = "0.1"
profile = "network"
tasks = ["answer", "title"]
allowed_hosts = ["https://api.example.com", "http://localhost:8080/", "https://[::1]:9", "{base_url}"]
allowed_models = ["chat"]
cache_bytes_max = 1000

[secrets]
api_key = ["{base_url}", "https://api.example.com:443"]

[settings]
type = "object"
required = ["region"]

[settings.properties]
region = { type = "string", title = "Region" }

[limits]
turn_ms_max = 10

[[models]]
kind = "embedder"
name = "small"
dimension = 256
digest = "abc"
score_map = [[0, 0.0], [0.25, 0.5], [1, 1]]

[[files]]
name = "weights.bin"
sha256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
size_bytes = 1234
url = "https://example.com/model.zip"
member = "model/weights.bin"
"#;

fn refused(toml: &str) -> (String, String) {
    let error = Manifest::parse(toml).expect_err(toml);
    (error.key, error.text)
}

/// The full manifest with one line in place of another.
fn with(old: &str, new: &str) -> String {
    assert!(FULL.contains(old), "{old}");
    FULL.replacen(old, new, 1)
}

#[test]
fn full_manifest_is_read() {
    let manifest = Manifest::parse(FULL).unwrap();
    assert_eq!(manifest.name, "example");
    assert_eq!(manifest.profile, Profile::Network);
    assert_eq!(manifest.tasks, [Task::Answer, Task::Title]);
    let hosts: Vec<String> = manifest.allowed_hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["https://api.example.com:443", "http://localhost:8080", "https://[::1]:9", "{base_url}"]);
    assert_eq!(manifest.secret("api_key").unwrap().hosts.len(), 2);
    assert!(manifest.secret("other").is_none());
    assert_eq!(manifest.settings.as_ref().unwrap()["properties"]["region"]["type"], "string");
    assert_eq!(manifest.limits, Limits { turn_ms_max: Some(10), ..Limits::default() });
    assert_eq!(manifest.models[0].dimension, Some(256));
    assert_eq!(manifest.models[0].score_map, [(0.0, 0.0), (0.25, 0.5), (1.0, 1.0)]);
    assert_eq!((manifest.files[0].name.as_str(), manifest.files[0].size_bytes), ("weights.bin", 1234));
    assert_eq!(manifest.files[0].member.as_deref(), Some("model/weights.bin"));
}

#[test]
fn unknown_keys_are_refused_with_the_known_ones() {
    for (toml, key) in [
        (format!("colour = 1\n{FULL}"), "colour"),
        (with("turn_ms_max", "turn_ms"), "limits.turn_ms"),
        (with("digest", "hash"), "models[0].hash"),
    ] {
        let (found, text) = refused(&toml);
        assert_eq!(found, key);
        assert!(text.contains("the keys here are"), "{text}");
    }
    assert!(refused(&format!("colour = 1\n{FULL}")).1.contains("allowed_hosts"));
}

#[test]
fn wrong_values_are_refused_with_the_accepted_ones() {
    for (old, new, key, says) in [
        ("name = \"example\"", "name = \"Example\"", "name", "a-z, 0-9 and -"),
        ("name = \"example\"", "name = \"../x\"", "name", "a-z, 0-9 and -"),
        ("name = \"example\"", "name = 7", "name", "as text"),
        ("name = \"example\"", "", "name", "is missing"),
        ("title = \"Example\"", "title = \" \"", "title", "is empty"),
        ("1.2.3", "1.2", "version", "three numbers"),
        ("1.2.3", "1.2.3-", "version", "three numbers"),
        ("1.2.3", "1.2.3-a/b", "version", "three numbers"),
        ("\"0.1\"", "\"0.2\"", "interface", "\"0.1\""),
        ("\"network\"", "\"fast\"", "profile", "\"network\", \"compute\""),
        ("\"title\"]", "\"poem\"]", "tasks", "\"rewrite\""),
        ("\"title\"]", "\"answer\"]", "tasks", "twice"),
        ("[\"chat\"]", "[\"image\"]", "allowed_models", "\"embed\""),
        ("[\"chat\"]", "\"chat\"", "allowed_models", "a list"),
        ("= 1000", "= -1", "cache_bytes_max", "whole number"),
        ("= 10\n", "= 0\n", "limits.turn_ms_max", "whole number"),
        ("required = [\"region\"]", "required = [\"zone\"]", "settings.required", "settings.properties"),
        ("type = \"object\"", "type = \"array\"", "settings.type", "object"),
        ("region = { type = \"string\", title = \"Region\" }", "region = 1", "settings.properties.region", "JSON Schema"),
        ("\"embedder\"", "\"painter\"", "models[0].kind", "\"reranker\""),
        ("\"embedder\"", "\"reranker\"", "models[0].dimension", "embedders only"),
        ("dimension = 256\n", "", "models[0].dimension", "row length"),
        ("dimension = 256", "dimension = 99999999999", "models[0].dimension", "at most"),
        ("[0.25, 0.5]", "[0.25]", "models[0].score_map", "pairs"),
        ("[0.25, 0.5]", "[0.25, 0.5, 1]", "models[0].score_map", "pairs"),
        ("[0.25, 0.5]", "[0.25, 1.5]", "models[0].score_map", "between 0 and 1"),
        ("[0.25, 0.5]", "[0, 0.5]", "models[0].score_map", "raw rises"),
        ("[0.25, 0.5]", "[0.25, nan]", "models[0].score_map", "pairs"),
    ] {
        let (found, text) = refused(&with(old, new));
        assert_eq!(found, key, "{new}: {text}");
        assert!(text.contains(says), "{new}: {text}");
    }
}

#[test]
fn addresses_have_scheme_host_and_port_only() {
    for address in [
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://a b",
        "https://user@api.example.com",
        "https://api.example.com/v1",
        "https://*.example.com",
        "https://api.example.com:0",
        "https://api.example.com:99999",
        "https://api.example.com:",
        "https://API.example.com",
        "https://a..b",
        "https://[::1",
        "https://x?y",
        "{base_url}/x",
        "{other}",
        "https://-a.com",
        "",
    ] {
        let (key, text) = refused(&with("\"https://[::1]:9\"", &format!("{address:?}")));
        assert_eq!(key, "allowed_hosts", "{address}");
        assert!(text.contains("{base_url}"), "{text}");
    }
}

#[test]
fn secret_goes_only_where_the_plugin_may_go() {
    let (key, text) = refused(&with("\"https://api.example.com:443\"", "\"https://other.example.com\""));
    assert_eq!(key, "secrets.api_key");
    assert!(text.contains("allowed_hosts"), "{text}");
    assert_eq!(refused(&with("api_key = [\"{base_url}\", \"https://api.example.com:443\"]", "api_key = []")).0, "secrets.api_key");
    assert_eq!(refused(&with("api_key =", "\"API KEY\" =")).0, "secrets.API KEY");
}

#[test]
fn compute_plugin_has_no_hosts() {
    assert_eq!(refused(&with("\"network\"", "\"compute\"")).0, "allowed_hosts");
}

#[test]
fn text_that_is_no_toml_or_too_long_is_refused() {
    assert_eq!(refused("name = ").0, "");
    assert_eq!(refused(&format!("# {}\n{FULL}", "x".repeat(300_000))).0, "");
    assert!(Manifest::parse("name = ").unwrap_err().to_string().starts_with("plugin.toml: it is not valid TOML"));
}

#[test]
fn files_need_a_plain_name_a_digest_a_size_and_a_safe_address() {
    for (old, new, key) in [
        ("name = \"weights.bin\"", "name = \"../weights.bin\"", "files[0].name"),
        ("name = \"weights.bin\"", "name = \".weights\"", "files[0].name"),
        ("name = \"weights.bin\"", "name = \"a/b\"", "files[0].name"),
        ("37c9\"", "37C9\"", "files[0].sha256"),
        ("37c9\"", "37c\"", "files[0].sha256"),
        ("size_bytes = 1234", "size_bytes = 0", "files[0].size_bytes"),
        ("size_bytes = 1234", "", "files[0].size_bytes"),
        ("https://example.com/model.zip", "http://example.com/model.zip", "files[0].url"),
        ("https://example.com/model.zip", "file:///etc/passwd", "files[0].url"),
        ("url = \"https://example.com/model.zip\"", "", "files[0].member"),
        ("size_bytes = 1234", "size_bytes = 1234\nmode = 7", "files[0].mode"),
    ] {
        assert_eq!(refused(&with(old, new)).0, key, "{new}");
    }
    let twice = format!("{FULL}\n[[files]]\nname = \"weights.bin\"\nsha256 = \"{}\"\nsize_bytes = 1\n", "0".repeat(64));
    assert_eq!(refused(&twice).0, "files[1].name");
}
