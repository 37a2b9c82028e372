//! All stored files, a few at a time. Not here: who owns them.

use super::{Files, TEMPORARY, fault};
use crate::error::{Error, Result};
use std::fs::{DirEntry, ReadDir};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Goes through the folders `tenant/knowledge` once.
pub struct FileWalk {
    root: Arc<Path>,
    age: Duration,
    /// Open folders, the innermost last; `None` before the first look.
    folders: Option<Vec<ReadDir>>,
}

impl Files {
    /// The keys of files that were last written longer than `age` ago; unfinished uploads are none of them.
    pub fn walk(&self, age: Duration) -> FileWalk {
        FileWalk { root: Arc::clone(&self.root), age, folders: None }
    }
}

impl FileWalk {
    /// The next keys, at most `count`; none when the walk is over. Empty folders of that age are removed on the way.
    pub async fn next_keys(&mut self, count: usize) -> Result<Vec<String>> {
        let (root, age, folders) = (Arc::clone(&self.root), self.age, self.folders.take());
        let walked = tokio::task::spawn_blocking(move || {
            let mut folders = match folders {
                Some(folders) => folders,
                None => vec![std::fs::read_dir(&root)?],
            };
            let keys = walk(&root, age, &mut folders, count)?;
            Ok((keys, folders))
        });
        let (keys, folders) =
            walked.await.map_err(|error| Error::internal(anyhow::Error::new(error)))?.map_err(|error| fault("listing files", error))?;
        self.folders = Some(folders);
        Ok(keys)
    }
}

fn walk(root: &Path, age: Duration, folders: &mut Vec<ReadDir>, count: usize) -> std::io::Result<Vec<String>> {
    let mut keys = Vec::new();
    while keys.len() < count {
        let Some(folder) = folders.last_mut() else { break };
        let Some(entry) = folder.next() else {
            folders.pop();
            continue;
        };
        let (entry, depth) = (entry?, folders.len());
        let path = entry.path();
        let kind = entry.file_type()?;
        // Whatever lies elsewhere was put there by people.
        if kind.is_dir() && depth < 3 && !(depth == 1 && entry.file_name() == TEMPORARY) {
            // Removing fails for a folder with something in it, and that is what tells them apart.
            if !(is_older(&entry, age) && std::fs::remove_dir(&path).is_ok()) {
                match std::fs::read_dir(path) {
                    Ok(folder) => folders.push(folder),
                    // Its document was deleted just now.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        } else if kind.is_file() && depth == 3 && is_older(&entry, age) {
            keys.extend(path.strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned));
        }
    }
    Ok(keys)
}

/// What vanished meanwhile, or has no time, counts as young.
fn is_older(entry: &DirEntry, age: Duration) -> bool {
    let changed = entry.metadata().and_then(|metadata| metadata.modified()).ok();
    changed.is_some_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|passed| passed >= age))
}
