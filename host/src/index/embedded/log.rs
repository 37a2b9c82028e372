//! The commit log of the vectors: which files hold which rows, as of which change.
//!
//! Not here: the rows. A line counts when its checksum, which covers the line before it too, is right; what follows the last such line is
//! cut off at open, and rows that no line names are overwritten.

use super::IndexKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;
const NAME: &str = "commits";
/// A log shorter than this is never rewritten.
const REWRITE_BYTES_MIN: u64 = 256 << 10;

/// Vectors that are searched together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SpaceKey {
    pub tenant_id: i64,
    pub knowledge_base_id: String,
    pub dimension: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SpaceRecord {
    pub key: SpaceKey,
    /// Number of the file.
    pub file: u64,
    pub capacity: usize,
    /// 0: the space is gone.
    pub rows: usize,
    /// Rows deleted since the record before of the same file.
    pub dead: Vec<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Commit {
    pub sequence: i64,
    /// File numbers from here on were never used.
    pub next_file: u64,
    /// Those that changed.
    pub spaces: Vec<SpaceRecord>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    big_endian: bool,
    key: IndexKey,
}

/// All commits, taken together.
#[derive(Default)]
pub(super) struct State {
    pub sequence: i64,
    pub next_file: u64,
    pub spaces: BTreeMap<SpaceKey, SpaceRecord>,
}

impl State {
    fn apply(&mut self, commit: Commit) {
        self.sequence = commit.sequence;
        self.next_file = commit.next_file;
        for mut record in commit.spaces {
            if record.rows == 0 {
                self.spaces.remove(&record.key);
                continue;
            }
            if let Some(before) = self.spaces.get_mut(&record.key).filter(|before| before.file == record.file) {
                let mut dead = std::mem::take(&mut before.dead);
                dead.append(&mut record.dead);
                record.dead = dead;
            }
            self.spaces.insert(record.key.clone(), record);
        }
    }

    fn to_commit(&self) -> Commit {
        Commit { sequence: self.sequence, next_file: self.next_file, spaces: self.spaces.values().cloned().collect() }
    }
}

pub(super) struct CommitLog {
    folder: PathBuf,
    file: File,
    checksum: [u8; 8],
    key: IndexKey,
    len_bytes: u64,
    /// Length right after the last rewrite.
    base_bytes: u64,
}

impl CommitLog {
    /// `Ok(None)`: there is none, or it belongs to other data or another format.
    pub(super) fn open(folder: &Path, key: &IndexKey) -> Result<Option<(Self, State)>> {
        let path = folder.join(NAME);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path)?;
        let mut checksum = [0; 8];
        let Some((line, mut good)) = next_line(&bytes, 0, &mut checksum) else { return Ok(None) };
        let Ok(header) = serde_json::from_slice::<Header>(line) else { return Ok(None) };
        if header.format != FORMAT || header.big_endian != cfg!(target_endian = "big") || header.key != *key {
            return Ok(None);
        }
        let mut state = State::default();
        while let Some((line, end)) = next_line(&bytes, good, &mut checksum) {
            let Ok(commit) = serde_json::from_slice(line) else { return Ok(None) };
            state.apply(commit);
            good = end;
        }
        let file = OpenOptions::new().append(true).open(&path)?;
        if good < bytes.len() {
            file.set_len(good as u64)?;
            file.sync_all()?;
        }
        let len_bytes = good as u64;
        Ok(Some((Self { folder: folder.to_owned(), file, checksum, key: key.clone(), len_bytes, base_bytes: len_bytes }, state)))
    }

    pub(super) fn create(folder: &Path, key: &IndexKey, state: &State) -> Result<Self> {
        let path = folder.join(NAME);
        let fresh = folder.join("commits.new");
        let mut checksum = [0; 8];
        let header = Header { format: FORMAT, big_endian: cfg!(target_endian = "big"), key: key.clone() };
        let mut bytes = line(&serde_json::to_vec(&header)?, &mut checksum);
        bytes.extend(line(&serde_json::to_vec(&state.to_commit())?, &mut checksum));
        let mut file = File::create(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&fresh, &path)?;
        sync_folder(folder)?;
        let file = OpenOptions::new().append(true).open(&path)?;
        let len_bytes = bytes.len() as u64;
        Ok(Self { folder: folder.to_owned(), file, checksum, key: key.clone(), len_bytes, base_bytes: len_bytes })
    }

    /// Durable when it returns. After an error the log must be opened anew.
    pub(super) fn append(&mut self, commit: &Commit) -> Result<()> {
        let mut checksum = self.checksum;
        let bytes = line(&serde_json::to_vec(commit)?, &mut checksum);
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        self.checksum = checksum;
        self.len_bytes += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn wants_rewrite(&self) -> bool {
        self.len_bytes > REWRITE_BYTES_MIN.max(4 * self.base_bytes)
    }

    /// Puts one commit in the place of all.
    pub(super) fn rewrite(&mut self, state: &State) -> Result<()> {
        *self = Self::create(&self.folder, &self.key, state)?;
        Ok(())
    }
}

/// New names in a folder outlive a power cut after this.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn digest(before: &[u8; 8], body: &[u8]) -> [u8; 8] {
    let sum = Sha256::new().chain_update(before).chain_update(body).finalize();
    let mut short = [0; 8];
    short.copy_from_slice(&sum[..8]);
    short
}

/// `checksum body`, and `checksum` moves on.
fn line(body: &[u8], checksum: &mut [u8; 8]) -> Vec<u8> {
    *checksum = digest(checksum, body);
    let mut bytes = hex::encode(*checksum).into_bytes();
    bytes.push(b' ');
    bytes.extend_from_slice(body);
    bytes.push(b'\n');
    bytes
}

/// Body and end of the line at `start`, if it is whole; then `checksum` moves on.
fn next_line<'a>(bytes: &'a [u8], start: usize, checksum: &mut [u8; 8]) -> Option<(&'a [u8], usize)> {
    let rest = &bytes[start..];
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let (sum, body) = rest[..end].split_at_checked(16)?;
    let body = body.strip_prefix(b" ")?;
    let expected = digest(checksum, body);
    if hex::encode(expected).as_bytes() != sum {
        return None;
    }
    *checksum = expected;
    Some((body, start + end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> IndexKey {
        IndexKey { database_id: "db".into(), tokens: "t".into() }
    }

    fn commit(sequence: i64, rows: usize, dead: Vec<u32>) -> Commit {
        let key = SpaceKey { tenant_id: 1, knowledge_base_id: "kb".into(), dimension: 2 };
        Commit { sequence, next_file: 1, spaces: vec![SpaceRecord { key, file: 0, capacity: 8, rows, dead }] }
    }

    #[test]
    fn a_log_cut_anywhere_opens_at_the_last_whole_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let mut log = CommitLog::create(folder.path(), &key(), &State::default()).unwrap();
        let mut ends = vec![(log.len_bytes, 0, 0)];
        for (sequence, rows) in [(3, 2), (5, 4), (9, 5)] {
            log.append(&commit(sequence, rows, vec![rows as u32 - 1])).unwrap();
            ends.push((log.len_bytes, sequence, rows));
        }
        let whole = std::fs::read(&path).unwrap();
        for len in ends[0].0..=whole.len() as u64 {
            std::fs::write(&path, &whole[..len as usize]).unwrap();
            let (mut log, state) = CommitLog::open(folder.path(), &key()).unwrap().unwrap();
            let &(_, sequence, rows) = ends.iter().rfind(|(end, ..)| *end <= len).unwrap();
            assert_eq!((state.sequence, state.spaces.values().map(|s| s.rows).sum::<usize>()), (sequence, rows), "cut at {len}");
            log.append(&commit(100, 7, vec![])).unwrap();
            assert_eq!(CommitLog::open(folder.path(), &key()).unwrap().unwrap().1.sequence, 100, "cut at {len}, then written on");
        }
        for len in 0..ends[0].0 {
            std::fs::write(&path, &whole[..len as usize]).unwrap();
            let opened = CommitLog::open(folder.path(), &key()).unwrap();
            assert!(opened.is_none_or(|(_, state)| state.sequence == 0), "cut at {len}");
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_log_before_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let mut log = CommitLog::create(folder.path(), &key(), &State::default()).unwrap();
        log.append(&commit(3, 2, vec![])).unwrap();
        let first = log.len_bytes as usize;
        log.append(&commit(5, 4, vec![])).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for place in first..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 4;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(CommitLog::open(folder.path(), &key()).unwrap().unwrap().1.sequence, 3, "{place}");
        }
    }

    #[test]
    fn another_key_or_format_is_not_opened_and_dead_rows_add_up() {
        let folder = tempfile::tempdir().unwrap();
        assert!(CommitLog::open(folder.path(), &key()).unwrap().is_none());
        let mut log = CommitLog::create(folder.path(), &key(), &State::default()).unwrap();
        log.append(&commit(1, 4, vec![1])).unwrap();
        log.append(&commit(2, 5, vec![0, 3])).unwrap();
        let (mut log, state) = CommitLog::open(folder.path(), &key()).unwrap().unwrap();
        assert_eq!(state.spaces.values().next().unwrap().dead, [1, 0, 3]);
        log.rewrite(&state).unwrap();
        let (mut log, state) = CommitLog::open(folder.path(), &key()).unwrap().unwrap();
        assert_eq!((state.sequence, state.spaces.values().next().unwrap().dead.len()), (2, 3));
        log.append(&commit(3, 0, vec![])).unwrap();
        assert!(CommitLog::open(folder.path(), &key()).unwrap().unwrap().1.spaces.is_empty());
        let other = IndexKey { database_id: "other".into(), tokens: "t".into() };
        assert!(CommitLog::open(folder.path(), &other).unwrap().is_none());
    }
}
