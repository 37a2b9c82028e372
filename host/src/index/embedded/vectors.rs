//! All spaces of the embedded index and their common commit.
//!
//! Not here: keywords, and who may see what.

use super::log::{Commit, CommitLog, SpaceKey, State, sync_folder};
use super::map::{ID_BYTES_MAX, RowBatch};
use super::space::{Space, SpaceView, file_number, id_number};
use super::{IndexKey, limits};
use crate::provider::IndexedChunk;
use std::collections::{BTreeMap, HashSet};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What searches read, from one commit to the next.
pub(super) type VectorView = BTreeMap<SpaceKey, Arc<SpaceView>>;

pub(super) struct Vectors {
    folder: PathBuf,
    log: CommitLog,
    spaces: BTreeMap<SpaceKey, Space>,
    sequence: i64,
    next_file: u64,
    /// Files that no row counts in once the next commit is durable.
    obsolete: Vec<u64>,
}

impl Vectors {
    /// `Ok(None)`: nothing usable is there. An error: what is there is damaged.
    pub(super) fn open(folder: &Path, key: &IndexKey) -> Result<Option<Self>> {
        let Some((log, state)) = CommitLog::open(folder, key)? else { return Ok(None) };
        let mut spaces = BTreeMap::new();
        for (key, record) in &state.spaces {
            spaces.insert(key.clone(), Space::open(folder, record)?);
        }
        let this =
            Self { folder: folder.to_owned(), log, spaces, sequence: state.sequence, next_file: state.next_file, obsolete: Vec::new() };
        this.remove_orphans()?;
        Ok(Some(this))
    }

    pub(super) fn create(folder: &Path, key: &IndexKey) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let log = CommitLog::create(folder, key, &State::default())?;
        Ok(Self { folder: folder.to_owned(), log, spaces: BTreeMap::new(), sequence: 0, next_file: 0, obsolete: Vec::new() })
    }

    fn remove_orphans(&self) -> Result<()> {
        let known: HashSet<u64> = self.spaces.values().map(Space::file).collect();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            if let Some(file) = name.to_str().and_then(file_number).filter(|file| !known.contains(file)) {
                Space::remove_file(&self.folder, file);
            }
        }
        Ok(())
    }

    pub(super) fn sequence(&self) -> i64 {
        self.sequence
    }

    /// Adds or replaces. The caller checked the chunks with [`check`]; of two with the same id the later one counts.
    pub(super) fn upsert(&mut self, tenant_id: i64, chunks: &[IndexedChunk]) -> Result<()> {
        let mut latest = HashSet::new();
        let mut batches = BTreeMap::<SpaceKey, (Vec<u128>, RowBatch)>::new();
        for chunk in chunks.iter().rev() {
            let id = id_number(&chunk.chunk_id);
            if !latest.insert((&chunk.knowledge_base_id, id)) {
                continue;
            }
            self.delete_ids(tenant_id, &chunk.knowledge_base_id, &[id]);
            if let Some(vector) = &chunk.vector {
                let key = SpaceKey { tenant_id, knowledge_base_id: chunk.knowledge_base_id.clone(), dimension: vector.len() };
                let (ids, batch) = batches.entry(key).or_default();
                ids.push(id);
                batch.push(&chunk.chunk_id, &chunk.knowledge_id, vector);
            }
        }
        for (key, (ids, batch)) in batches {
            self.append(key, &ids, &batch)?;
        }
        Ok(())
    }

    fn append(&mut self, key: SpaceKey, ids: &[u128], batch: &RowBatch) -> Result<()> {
        if !self.spaces.contains_key(&key) {
            let space = Space::create(&self.folder, key.clone(), self.next_file, batch.len())?;
            self.next_file += 1;
            self.spaces.insert(key.clone(), space);
        }
        let file = self.next_file;
        let Some(space) = self.spaces.get_mut(&key) else { return Ok(()) };
        if !space.has_room(batch.len()) {
            self.obsolete.push(space.move_to(file, batch.len())?);
            self.next_file += 1;
        }
        space.append(ids, batch)
    }

    pub(super) fn delete(&mut self, tenant_id: i64, knowledge_base_id: &str, chunk_ids: &[String]) {
        let ids: Vec<u128> = chunk_ids.iter().map(|id| id_number(id)).collect();
        self.delete_ids(tenant_id, knowledge_base_id, &ids);
    }

    fn delete_ids(&mut self, tenant_id: i64, knowledge_base_id: &str, ids: &[u128]) {
        let key = |dimension| SpaceKey { tenant_id, knowledge_base_id: knowledge_base_id.to_owned(), dimension };
        for (_, space) in self.spaces.range_mut(key(0)..=key(usize::MAX)) {
            for &id in ids {
                space.delete(id);
            }
        }
    }

    /// Makes everything so far durable. After an error the store must be opened anew.
    pub(super) fn commit(&mut self, sequence: i64) -> Result<()> {
        let files_before = self.next_file;
        let mut changed = Vec::new();
        for (key, space) in self.spaces.iter_mut().filter(|(_, space)| space.is_dirty()) {
            if space.live() > 0 && space.wants_compaction() {
                self.obsolete.push(space.move_to(self.next_file, 0)?);
                self.next_file += 1;
            }
            space.sync()?;
            changed.push((key.clone(), space.record(false)));
        }
        if !changed.is_empty() || files_before != self.next_file {
            sync_folder(&self.folder)?;
        }
        let commit = Commit { sequence, next_file: self.next_file, spaces: changed.iter().map(|(_, record)| record.clone()).collect() };
        self.log.append(&commit)?;
        self.sequence = sequence;
        for (key, record) in changed {
            if record.rows == 0 {
                self.spaces.remove(&key);
                self.obsolete.push(record.file);
            } else if let Some(space) = self.spaces.get_mut(&key) {
                space.committed();
            }
        }
        if self.log.wants_rewrite() {
            let spaces = self.spaces.iter().map(|(key, space)| (key.clone(), space.record(true))).collect();
            self.log.rewrite(&State { sequence, next_file: self.next_file, spaces })?;
        }
        for file in self.obsolete.drain(..) {
            Space::remove_file(&self.folder, file);
        }
        self.bound_memory();
        Ok(())
    }

    /// Maps from ids to rows are a convenience of the writer; beyond a size they are made again when needed.
    fn bound_memory(&mut self) {
        let mut kept: usize = self.spaces.values().map(Space::places_len).sum();
        for space in self.spaces.values_mut() {
            if kept <= limits::INDEX_PLACES_MAX {
                break;
            }
            kept -= space.places_len();
            space.forget_places();
        }
    }

    /// What readers see: the state of the last commit.
    pub(super) fn view(&self) -> VectorView {
        self.spaces.iter().filter_map(|(key, space)| Some((key.clone(), space.view()?.clone()))).collect()
    }
}

/// Whether the chunk can be stored; the text is the reason why not.
pub(super) fn check(chunk: &IndexedChunk) -> std::result::Result<(), String> {
    for id in [&chunk.chunk_id, &chunk.knowledge_id, &chunk.knowledge_base_id] {
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(format!("{id:?} is no id of 1 to {ID_BYTES_MAX} bytes"));
        }
    }
    chunk.vector.as_deref().map_or(Ok(()), check_vector)
}

pub(super) fn check_vector(vector: &[f32]) -> std::result::Result<(), String> {
    if vector.is_empty() || vector.len() > limits::VECTOR_DIMENSION_MAX {
        return Err(format!("a vector has 1 to {} components, not {}", limits::VECTOR_DIMENSION_MAX, vector.len()));
    }
    // Unit length is the contract; what is finite and of a sane size is searched exactly all the same.
    if vector.iter().any(|value| value.is_nan() || value.abs() > 1e6) {
        return Err("a vector holds a number that is not finite or far too large".into());
    }
    Ok(())
}

/// A damaged store, as an error of the file system.
pub(super) fn damaged(message: &str) -> Error {
    Error::new(ErrorKind::InvalidData, message.to_owned())
}
