//! The vectors of one knowledge base and dimension: what readers see and what the writer adds.
//!
//! Not here: the commit that makes additions count (`vectors`), and the search (`scan`).

use super::log::{SpaceKey, SpaceRecord};
use super::map::{Layout, RowBatch, RowFile, RowMap};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

const CAPACITY_MIN: usize = 256;
/// Fewer dead rows than this are not worth a rewrite.
const DEAD_MIN: usize = 256;
const COPY_ROWS: usize = 512;

/// Rows that are gone.
#[derive(Clone, Default)]
pub(super) struct Dead {
    words: Vec<u64>,
    count: usize,
}

impl Dead {
    pub(super) fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Whether it was alive.
    fn insert(&mut self, row: usize) -> bool {
        if self.contains(row) {
            return false;
        }
        if self.words.len() <= row / 64 {
            self.words.resize(row / 64 + 1, 0);
        }
        self.words[row / 64] |= 1 << (row % 64);
        self.count += 1;
        true
    }
}

/// What a search reads; never changes.
pub(super) struct SpaceView {
    pub map: Arc<RowMap>,
    pub rows: usize,
    pub dead: Arc<Dead>,
    /// Neighbouring rows of one knowledge, made when a filter first asks.
    runs: OnceLock<HashMap<String, Vec<(usize, usize)>>>,
}

impl SpaceView {
    pub(super) fn live(&self) -> usize {
        self.rows - self.dead.count
    }

    /// (first, count) of the rows of these knowledge ids, ascending, without overlaps.
    pub(super) fn rows_of(&self, knowledge_ids: &[String]) -> Vec<(usize, usize)> {
        let runs = self.runs.get_or_init(|| {
            let mut runs = HashMap::<String, Vec<(usize, usize)>>::new();
            let mut start = 0;
            for row in 1..=self.rows {
                if row == self.rows || self.map.knowledge_id(row) != self.map.knowledge_id(start) {
                    runs.entry(self.map.knowledge_id(start).to_owned()).or_default().push((start, row - start));
                    start = row;
                }
            }
            runs
        });
        let mut wanted: Vec<_> = knowledge_ids.iter().filter_map(|id| runs.get(id)).flatten().copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    pub(super) fn live_ids(&self) -> impl Iterator<Item = &str> {
        (0..self.rows).filter(|&row| !self.dead.contains(row)).map(|row| self.map.chunk_id(row))
    }
}

/// A chunk id as a number: the id itself where it is a UUID, else its digest.
pub(super) fn id_number(id: &str) -> u128 {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    if let Ok(uuid) = uuid::Uuid::try_parse(id)
        && uuid.hyphenated().encode_lower(&mut text) == id
    {
        return uuid.as_u128();
    }
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(16).fold(0, |number, &byte| number << 8 | u128::from(byte))
}

/// A space with what is not committed yet.
pub(super) struct Space {
    key: SpaceKey,
    folder: PathBuf,
    file: u64,
    map: Arc<RowMap>,
    writer: Option<RowFile>,
    rows: usize,
    dead: Dead,
    dead_since_commit: Vec<u32>,
    /// Row of each living chunk; made when a change first asks.
    places: Option<HashMap<u128, u32>>,
    dirty: bool,
    view: Option<Arc<SpaceView>>,
}

fn path_of(folder: &Path, file: u64) -> PathBuf {
    folder.join(format!("{file}.rows"))
}

/// The number in a file's name.
pub(super) fn file_number(name: &str) -> Option<u64> {
    name.strip_suffix(".rows")?.parse().ok()
}

impl Space {
    pub(super) fn open(folder: &Path, record: &SpaceRecord) -> Result<Self> {
        let layout = Layout { dimension: record.key.dimension, capacity: record.capacity };
        if record.rows > record.capacity || record.dead.iter().any(|&row| row as usize >= record.rows) {
            return Err(Error::new(ErrorKind::InvalidData, "a commit names rows that its file does not have"));
        }
        let map = Arc::new(RowMap::open(&path_of(folder, record.file), layout)?);
        let mut dead = Dead::default();
        for &row in &record.dead {
            dead.insert(row as usize);
        }
        let mut space = Self {
            key: record.key.clone(),
            folder: folder.to_owned(),
            file: record.file,
            map,
            writer: None,
            rows: record.rows,
            dead,
            dead_since_commit: Vec::new(),
            places: None,
            dirty: false,
            view: None,
        };
        space.view = Some(space.fresh_view());
        Ok(space)
    }

    pub(super) fn create(folder: &Path, key: SpaceKey, file: u64, rows: usize) -> Result<Self> {
        let layout = Layout { dimension: key.dimension, capacity: capacity_for(rows) };
        let path = path_of(folder, file);
        let writer = RowFile::create(&path, layout)?;
        Ok(Self {
            key,
            folder: folder.to_owned(),
            file,
            map: Arc::new(RowMap::open(&path, layout)?),
            writer: Some(writer),
            rows: 0,
            dead: Dead::default(),
            dead_since_commit: Vec::new(),
            places: Some(HashMap::new()),
            dirty: true,
            view: None,
        })
    }

    fn fresh_view(&self) -> Arc<SpaceView> {
        Arc::new(SpaceView { map: self.map.clone(), rows: self.rows, dead: Arc::new(self.dead.clone()), runs: OnceLock::new() })
    }

    fn places(&mut self) -> &mut HashMap<u128, u32> {
        self.places.get_or_insert_with(|| {
            let living = (0..self.rows).filter(|&row| !self.dead.contains(row));
            living.map(|row| (id_number(self.map.chunk_id(row)), row as u32)).collect()
        })
    }

    pub(super) fn delete(&mut self, id: u128) {
        if let Some(row) = self.places().remove(&id)
            && self.dead.insert(row as usize)
        {
            self.dead_since_commit.push(row);
            self.dirty = true;
        }
    }

    pub(super) fn has_room(&self, rows: usize) -> bool {
        self.rows + rows <= self.map.layout().capacity
    }

    /// Appends; [`Self::has_room`] said yes, and the ids were deleted before.
    pub(super) fn append(&mut self, ids: &[u128], batch: &RowBatch) -> Result<()> {
        let first = self.rows;
        let (path, layout) = (path_of(&self.folder, self.file), self.map.layout());
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(RowFile::open(&path, layout)?),
        };
        writer.write(first, batch)?;
        self.places().extend(ids.iter().enumerate().map(|(place, &id)| (id, (first + place) as u32)));
        self.rows += batch.len();
        self.dirty = true;
        Ok(())
    }

    /// Copies the living rows into a new file with room for more. The old file stays until the commit is durable; its number is the answer.
    pub(super) fn move_to(&mut self, file: u64, more_rows: usize) -> Result<u64> {
        let mut moved = Self::create(&self.folder, self.key.clone(), file, self.live() + more_rows)?;
        let mut batch = RowBatch::default();
        let mut ids = Vec::new();
        for row in (0..self.rows).filter(|&row| !self.dead.contains(row)) {
            batch.push_copy(&self.map, row);
            ids.push(id_number(self.map.chunk_id(row)));
            if batch.len() == COPY_ROWS {
                moved.append(&ids, &batch)?;
                batch.clear();
                ids.clear();
            }
        }
        moved.append(&ids, &batch)?;
        moved.view = self.view.take();
        Ok(std::mem::replace(self, moved).file)
    }

    pub(super) fn live(&self) -> usize {
        self.rows - self.dead.count
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.dirty
    }

    pub(super) fn wants_compaction(&self) -> bool {
        self.dead.count >= DEAD_MIN && self.dead.count * 2 > self.rows
    }

    pub(super) fn sync(&self) -> Result<()> {
        self.writer.as_ref().map_or(Ok(()), RowFile::sync)
    }

    pub(super) fn record(&self, all_dead: bool) -> SpaceRecord {
        let dead = if all_dead {
            (0..self.rows).filter(|&row| self.dead.contains(row)).map(|row| row as u32).collect()
        } else {
            self.dead_since_commit.clone()
        };
        let rows = if self.live() == 0 { 0 } else { self.rows };
        SpaceRecord { key: self.key.clone(), file: self.file, capacity: self.map.layout().capacity, rows, dead }
    }

    pub(super) fn file(&self) -> u64 {
        self.file
    }

    /// After a durable commit: what was added is what readers see from now on.
    pub(super) fn committed(&mut self) {
        if std::mem::take(&mut self.dirty) || self.view.is_none() {
            self.dead_since_commit.clear();
            self.view = Some(self.fresh_view());
        }
        self.writer = None;
    }

    pub(super) fn view(&self) -> Option<&Arc<SpaceView>> {
        self.view.as_ref()
    }

    pub(super) fn places_len(&self) -> usize {
        self.places.as_ref().map_or(0, HashMap::len)
    }

    pub(super) fn forget_places(&mut self) {
        self.places = None;
    }

    pub(super) fn remove_file(folder: &Path, file: u64) {
        // A file that stays is removed at the next open.
        if let Err(error) = std::fs::remove_file(path_of(folder, file)) {
            tracing::debug!(%error, file, "an old vector file stays for now");
        }
    }
}

fn capacity_for(rows: usize) -> usize {
    (rows + rows / 2).next_power_of_two().max(CAPACITY_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_canonical_uuid_is_its_own_number() {
        let canonical = "0198c1a6-7c4b-7a55-9d5c-0f6a2b1c3d4e";
        let number = id_number(canonical);
        assert_eq!(number, 0x0198_c1a6_7c4b_7a55_9d5c_0f6a_2b1c_3d4e);
        for other in [canonical.to_uppercase(), canonical.replace('-', ""), format!("{{{canonical}}}"), String::new()] {
            assert_ne!(id_number(&other), number, "{other}");
        }
    }

    #[test]
    fn capacity_leaves_room_to_grow() {
        assert_eq!((capacity_for(0), capacity_for(170), capacity_for(200), capacity_for(100_000)), (256, 256, 512, 262_144));
    }
}
