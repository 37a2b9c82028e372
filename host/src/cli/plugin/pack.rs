//! `knowhost plugin pack`: one file with the component, its manifest, the schema of its settings and its licence.
//!
//! Not here: trust. A pack is installed as its component would be: it waits for the operator.

use super::super::EXIT_DONE;
use super::super::output::Output;
use super::source::{MANIFEST, Source};
use crate::limits;
use crate::plugin::{digest_of, read_component};
use anyhow::{Context, Result, bail};
use knowhost_plugin_sdk::section::read_manifest;
use serde_json::json;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

const COMPONENT: &str = "plugin.wasm";
const SCHEMA: &str = "settings.schema.json";
/// Files of the folder that go along where they are, for people.
const TEXTS: [&str; 5] = ["LICENSE", "LICENCE", "NOTICE", "README.md", "CHANGELOG.md"];
const MEMBERS_MAX: usize = 16;

pub(super) fn run(folder: &Path, out: Option<&Path>, output: &Output) -> Result<u8> {
    let source = Source::read(folder)?;
    let component = std::fs::read(source.component())
        .with_context(|| format!("can not read {}; run `knowhost plugin build --release` before", source.component().display()))?;
    read_component(&component).with_context(|| source.component().display().to_string())?;
    if read_manifest(&component) != Some(&source.toml) {
        bail!("{} was built with another {MANIFEST}; build it again", source.component().display());
    }
    let packed = pack(&source, &component)?;
    let name = format!("{}-{}.plugin.zip", source.manifest.name, source.manifest.version);
    let out = out.map_or_else(|| folder.join(name), Path::to_owned);
    std::fs::write(&out, &packed).with_context(|| format!("can not write {}", out.display()))?;
    let digest = digest_of(&packed);
    output.line(format!("Packed {} ({} KiB), SHA-256 {digest}", out.display(), packed.len().div_ceil(1 << 10)));
    output.value(&json!({ "file": out, "size_bytes": packed.len(), "digest": digest, "component_digest": digest_of(&component) }));
    Ok(EXIT_DONE)
}

/// The same folder gives the same bytes, wherever and whenever.
fn pack(source: &Source, component: &[u8]) -> Result<Vec<u8>> {
    let mut members: Vec<(&str, Vec<u8>)> = vec![(COMPONENT, component.to_vec()), (MANIFEST, source.toml.clone().into_bytes())];
    if let Some(schema) = &source.manifest.settings {
        members.push((SCHEMA, serde_json::to_vec_pretty(schema)?));
    }
    for name in TEXTS {
        if let Ok(text) = std::fs::read(source.folder.join(name)) {
            members.push((name, text));
        }
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in members {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

pub(super) fn is_pack(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The component in a pack; its manifest has to be the one that lies beside it, because that is the one people read.
pub(super) fn component(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).context("it is no whole ZIP archive")?;
    if archive.len() > MEMBERS_MAX {
        bail!("a pack has at most {MEMBERS_MAX} files, and this has {}", archive.len());
    }
    let mut member = |name: &str| -> Result<Vec<u8>> {
        let file = archive.by_name(name).with_context(|| format!("it holds no {name}; make it with `knowhost plugin pack`"))?;
        let mut bytes = Vec::new();
        // What the archive says about sizes is not believed.
        file.take(limits::PLUGIN_COMPONENT_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| format!("{name} in it is damaged"))?;
        if bytes.len() as u64 > limits::PLUGIN_COMPONENT_BYTES_MAX {
            bail!("{name} in it is larger than {} MiB", limits::PLUGIN_COMPONENT_BYTES_MAX >> 20);
        }
        Ok(bytes)
    };
    let (component, manifest) = (member(COMPONENT)?, member(MANIFEST)?);
    if read_manifest(&component).map(str::as_bytes) != Some(&manifest) {
        bail!("its {MANIFEST} is not the one inside of its component");
    }
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::*;
    use knowhost_plugin_sdk::section::embed_manifest;

    const TOML: &str = "name = \"p\"\ntitle = \"P\"\nversion = \"1.0.0\"\nlicence = \"MIT\"\ninterface = \"0.1\"\nprofile = \"network\"\n";

    fn packed(toml_inside: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MANIFEST), TOML).unwrap();
        std::fs::write(folder.path().join("LICENSE"), "free").unwrap();
        let source = Source::read(folder.path()).unwrap();
        pack(&source, &embed_manifest(b"\0asm\x0d\0\x01\0", toml_inside)).unwrap()
    }

    #[test]
    fn what_was_packed_comes_out_and_is_the_same_each_time() {
        let one = packed(TOML);
        assert!(is_pack(&one) && one == packed(TOML));
        let component = component(one).unwrap();
        assert_eq!(read_manifest(&component), Some(TOML));
    }

    #[test]
    fn pack_that_shows_another_manifest_is_refused() {
        let error = component(packed(&TOML.replace("network", "compute"))).unwrap_err();
        assert!(error.to_string().contains("not the one inside"), "{error}");
    }

    #[test]
    fn damaged_and_strange_archives_are_refused() {
        let whole = packed(TOML);
        for cut in [10, whole.len() / 2, whole.len() - 3] {
            assert!(component(whole[..cut].to_vec()).is_err(), "{cut}");
        }
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("../plugin.wasm", SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).unwrap();
        let strange = zip.finish().unwrap().into_inner();
        assert!(format!("{:#}", component(strange).unwrap_err()).contains("plugin.wasm"));
    }
}
