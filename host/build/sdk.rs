//! Packs the sources of the plugin SDKs for `knowhost plugin new`, so that a plugin is built with the SDK of the very server that made it.
//!
//! Not here: anything that reads them. What the workspace says about versions is written out, because the copy stands alone.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, String>;

/// Writes `sdk.rs`, `sdk-python.rs` and `sdk-js.rs`: lists of names and texts.
pub(crate) fn write_index(root: &Path, out: &Path) -> Result<()> {
    let sdk = root.join("plugin-sdk");
    let mut files = vec![PathBuf::from("README.md")];
    walk(&sdk, Path::new("src"), &mut files)?;
    let cargo = standalone(&read(&root.join("Cargo.toml"))?, &read(&sdk.join("Cargo.toml"))?)?;
    write_list(&sdk, &sdk, files, &[("Cargo.toml", &cargo)], &out.join("sdk.rs"))?;
    for language in ["python", "js"] {
        let mut files = Vec::new();
        walk(&sdk.join(language), Path::new(""), &mut files)?;
        files.retain(|file| is_source(file));
        write_list(&sdk, &sdk.join(language), files, &[], &out.join(format!("sdk-{language}.rs")))?;
    }
    Ok(())
}

/// The files of a package and the interface beside them; `made` are texts that no file holds.
fn write_list(sdk: &Path, package: &Path, mut files: Vec<PathBuf>, made: &[(&str, &str)], place: &Path) -> Result<()> {
    files.sort();
    let mut wit = Vec::new();
    walk(sdk, Path::new("wit"), &mut wit)?;
    wit.sort();
    let mut index = String::from("&[\n");
    for (name, text) in made {
        writeln!(index, "    ({name:?}, {text:?}),").map_err(|error| error.to_string())?;
    }
    for (folder, file) in files.iter().map(|file| (package, file)).chain(wit.iter().map(|file| (sdk, file))) {
        let path = folder.join(file).canonicalize().map_err(|error| format!("{}: {error}", file.display()))?;
        writeln!(index, "    ({:?}, include_str!({:?})),", file.display().to_string(), path.display().to_string())
            .map_err(|error| error.to_string())?;
    }
    index.push_str("]\n");
    if fs::read_to_string(place).is_ok_and(|old| old == index) {
        return Ok(());
    }
    fs::write(place, index).map_err(|error| format!("{}: {error}", place.display()))
}

/// Neither tests nor what their tools leave behind.
fn is_source(file: &Path) -> bool {
    let is_foreign = |name: &str| name.starts_with('.') || matches!(name, "tests" | "__pycache__" | "node_modules" | "venv");
    let name = file.display().to_string();
    let endings = [".py", ".typed", ".toml", ".js", ".mjs", ".d.ts", "package.json"];
    !name.split('/').any(is_foreign) && endings.iter().any(|ending| name.ends_with(ending))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(root.join(folder)).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        if root.join(&path).is_dir() {
            walk(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The SDK's `Cargo.toml` with the workspace's words in the place of `workspace = true`.
fn standalone(workspace: &str, package: &str) -> Result<String> {
    let mut text = String::new();
    let mut section = "";
    for line in package.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        }
        if section == "lints" {
            continue;
        }
        let line = match line.split_once(".workspace = true") {
            Some((name, "")) if section == "package" => format!("{name} = {}", value(workspace, "workspace.package", name)?),
            Some((name, "")) => format!("{name} = {}", value(workspace, "workspace.dependencies", name)?),
            Some(_) | None => match line.split_once(" = { workspace = true, ") {
                Some((name, rest)) => {
                    let given = value(workspace, "workspace.dependencies", name)?;
                    let given = given
                        .strip_prefix("{ ")
                        .and_then(|given| given.strip_suffix(" }"))
                        .map_or_else(|| format!("version = {given}"), str::to_owned);
                    format!("{name} = {{ {given}, {rest}")
                }
                None => line.to_owned(),
            },
        };
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// What stands after `name = ` in a section.
fn value<'a>(text: &'a str, section: &str, name: &str) -> Result<&'a str> {
    let head = format!("[{section}]");
    let lines = text.lines().skip_while(|line| *line != head).skip(1).take_while(|line| !line.starts_with('['));
    let found = lines.filter_map(|line| line.split_once(" = ")).find(|(key, _)| *key == name);
    found.map(|(_, value)| value).ok_or_else(|| format!("Cargo.toml: [{section}] has no {name}"))
}
