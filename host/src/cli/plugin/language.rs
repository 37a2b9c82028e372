//! The languages that plugins are written in: what a new one holds, what builds it, and what is watched.
//!
//! Not here: the manifest and the check, which are the same for all of them.

mod javascript;
mod python;
mod rust;
mod template;

use super::arguments::KindName;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Language {
    Rust,
    Python,
    #[value(name = "js", alias = "javascript")]
    JavaScript,
}

/// A file of a new plugin, by its path in the folder.
pub(super) struct NewFile {
    pub(super) path: String,
    pub(super) text: String,
}

/// What a new plugin is made of.
pub(super) struct Blueprint<'a> {
    pub(super) name: &'a str,
    pub(super) kind: KindName,
    /// An SDK that lies elsewhere; `None`: the server's own goes along.
    pub(super) sdk: Option<&'a Path>,
}

impl Language {
    pub(super) const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::JavaScript];

    /// What stands in the folder of every plugin of the language.
    fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Python => "plugin.py",
            Self::JavaScript => "plugin.js",
        }
    }

    pub(super) fn of_folder(folder: &Path) -> Result<Self> {
        match Self::ALL.into_iter().find(|language| folder.join(language.mark()).is_file()) {
            Some(language) => Ok(language),
            None => {
                let marks: Vec<&str> = Self::ALL.into_iter().map(Self::mark).collect();
                bail!("{} can not be built: it holds no {}", folder.display(), marks.join(" or "))
            }
        }
    }

    pub(super) fn files(self, blueprint: &Blueprint<'_>) -> Result<Vec<NewFile>> {
        match self {
            Self::Rust => rust::files(blueprint),
            Self::Python => python::files(blueprint),
            Self::JavaScript => javascript::files(blueprint),
        }
    }

    /// Builds the component, still without its manifest, and gives its bytes. Only Rust has two ways of building.
    pub(super) fn build(self, folder: &Path, release: bool) -> Result<Vec<u8>> {
        match self {
            Self::Rust => rust::build(folder, release),
            Self::Python => python::build(folder),
            Self::JavaScript => javascript::build(folder),
        }
    }

    /// Files and folders that a build depends on.
    pub(super) fn watched(self, folder: &Path) -> Vec<PathBuf> {
        match self {
            Self::Rust => ["Cargo.toml", "Cargo.lock", "src", "sdk"].map(|name| folder.join(name)).to_vec(),
            Self::Python => template::sources(folder, &["py", "toml", "json"]),
            Self::JavaScript => template::sources(folder, &["js", "mjs", "json"]),
        }
    }

    /// What is missing to build the plugin in the folder, with the line to type; `None`: nothing. Without a folder: on this machine.
    pub(super) fn lacking(self, folder: Option<&Path>) -> Option<String> {
        match self {
            Self::Rust => rust::lacking(folder.unwrap_or(Path::new("."))),
            Self::Python => python::lacking(folder),
            Self::JavaScript => javascript::lacking(folder),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
        }
    }
}
