//! Lists the sample documents of `examples/corpus`, so that the server embeds them.
//!
//! Not here: what is done with them (`app::sample`).

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// Writes `corpus.rs` into `out`: a slice of (file name, bytes).
pub(super) fn write_index(out: &Path) -> Result<(), String> {
    let root = env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?;
    let folder = Path::new(&root).join("../examples/corpus");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let mut text = "&[\n".to_owned();
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).ok_or_else(|| format!("{} has an odd name", file.display()))?;
        let _ = writeln!(text, "({name:?}, include_bytes!({:?})),", file.display().to_string());
    }
    text.push_str("]\n");
    fs::write(out.join("corpus.rs"), text).map_err(|error| error.to_string())
}
