//! A file of rows as it lies on disk: its layout, reading it through a memory map, writing it through calls.
//!
//! Not here: which rows count. Rows that are committed never change in place, so a reader of them meets no writer.
#![expect(unsafe_code, reason = "a memory map and views of its bytes as numbers")]

use super::quantise::{META_BYTES, RowMeta, stride};
use memmap2::Mmap;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Seek, SeekFrom, Write};
use std::path::Path;

/// The schema's ids have 36 characters.
pub(super) const ID_BYTES_MAX: usize = 39;
const ID_BYTES: usize = ID_BYTES_MAX + 1;
const IDS_BYTES: usize = 2 * ID_BYTES;
const PAGE: usize = 4096;
/// Last byte: version of the layout.
const MAGIC: u64 = u64::from_ne_bytes(*b"khrows\x00\x01");

/// Where things stand in a file of `capacity` rows. Regions start at pages; space that is not written yet takes none on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub dimension: usize,
    pub capacity: usize,
}

impl Layout {
    fn header(self) -> [u64; 3] {
        [MAGIC, self.dimension as u64, self.capacity as u64]
    }

    fn codes_at(self) -> usize {
        PAGE
    }

    fn metas_at(self) -> usize {
        (self.codes_at() + self.capacity * stride(self.dimension)).next_multiple_of(PAGE)
    }

    fn full_at(self) -> usize {
        (self.metas_at() + self.capacity * META_BYTES).next_multiple_of(PAGE)
    }

    fn ids_at(self) -> usize {
        (self.full_at() + self.capacity * self.dimension * 4).next_multiple_of(PAGE)
    }

    fn len_bytes(self) -> usize {
        (self.ids_at() + self.capacity * IDS_BYTES).next_multiple_of(PAGE)
    }
}

/// Read access. Row numbers must lie below the capacity; that a row was written is the caller's knowledge.
pub(super) struct RowMap {
    map: Mmap,
    layout: Layout,
}

impl RowMap {
    pub(super) fn open(path: &Path, layout: Layout) -> Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() != layout.len_bytes() as u64 {
            return Err(Error::new(ErrorKind::InvalidData, format!("{} has another length than its commit says", path.display())));
        }
        // SAFETY: the folder belongs to this process (its lock is held); nobody shortens the file, and committed bytes are never written again.
        let map = unsafe { Mmap::map(&file)? };
        let this = Self { map, layout };
        let header: &[u64] = this.view(0, 3);
        if header != layout.header() {
            return Err(Error::new(ErrorKind::InvalidData, format!("{} is not the file that its commit names", path.display())));
        }
        Ok(this)
    }

    /// `count` numbers at a byte offset.
    fn view<T: Number>(&self, at: usize, count: usize) -> &[T] {
        let bytes = &self.map[at..at + count * std::mem::size_of::<T>()];
        assert!(bytes.as_ptr().cast::<T>().is_aligned(), "Invariant: regions start at pages");
        // SAFETY: in bounds and aligned as checked; every bit pattern is a value of T (sealed below).
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), count) }
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn codes(&self, first: usize, count: usize) -> &[i8] {
        let stride = stride(self.layout.dimension);
        self.check(first, count);
        self.view(self.layout.codes_at() + first * stride, count * stride)
    }

    pub(super) fn metas(&self, first: usize, count: usize) -> &[RowMeta] {
        self.check(first, count);
        self.view(self.layout.metas_at() + first * META_BYTES, count)
    }

    pub(super) fn full(&self, first: usize, count: usize) -> &[f32] {
        self.check(first, count);
        self.view(self.layout.full_at() + first * self.layout.dimension * 4, count * self.layout.dimension)
    }

    pub(super) fn chunk_id(&self, row: usize) -> &str {
        self.id(row, 0)
    }

    pub(super) fn knowledge_id(&self, row: usize) -> &str {
        self.id(row, ID_BYTES)
    }

    fn ids(&self, first: usize, count: usize) -> &[u8] {
        self.check(first, count);
        self.view(self.layout.ids_at() + first * IDS_BYTES, count * IDS_BYTES)
    }

    /// Empty for bytes that are no id: a damaged row then matches nothing that SQL knows.
    fn id(&self, row: usize, offset: usize) -> &str {
        let bytes = &self.ids(row, 1)[offset..offset + ID_BYTES];
        let len = usize::from(bytes[0]).min(ID_BYTES_MAX);
        std::str::from_utf8(&bytes[1..1 + len]).unwrap_or_default()
    }

    fn check(&self, first: usize, count: usize) {
        assert!(first + count <= self.layout.capacity, "Invariant: rows lie within the file");
    }
}

/// Plain numbers without padding or forbidden bit patterns.
trait Number: Copy {}
impl Number for u8 {}
impl Number for i8 {}
impl Number for u64 {}
impl Number for f32 {}
impl Number for RowMeta {}

fn bytes_of<T: Number>(values: &[T]) -> &[u8] {
    // SAFETY: `Number` types have no padding, and any byte may be read as u8.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), std::mem::size_of_val(values)) }
}

/// Rows on their way into a file, already in its form.
#[derive(Default)]
pub(super) struct RowBatch {
    codes: Vec<i8>,
    metas: Vec<RowMeta>,
    full: Vec<f32>,
    ids: Vec<u8>,
}

impl RowBatch {
    pub(super) fn len(&self) -> usize {
        self.metas.len()
    }

    /// Ids longer than [`ID_BYTES_MAX`] are refused before this.
    pub(super) fn push(&mut self, chunk_id: &str, knowledge_id: &str, vector: &[f32]) {
        let start = self.codes.len();
        self.codes.resize(start + stride(vector.len()), 0);
        self.metas.push(super::quantise::quantise(vector, &mut self.codes[start..]));
        self.full.extend_from_slice(vector);
        for id in [chunk_id, knowledge_id] {
            let start = self.ids.len();
            let len = id.len().min(ID_BYTES_MAX);
            self.ids.push(len as u8);
            self.ids.extend_from_slice(&id.as_bytes()[..len]);
            self.ids.resize(start + ID_BYTES, 0);
        }
    }

    pub(super) fn push_copy(&mut self, map: &RowMap, row: usize) {
        self.codes.extend_from_slice(map.codes(row, 1));
        self.metas.extend_from_slice(map.metas(row, 1));
        self.full.extend_from_slice(map.full(row, 1));
        self.ids.extend_from_slice(map.ids(row, 1));
    }

    pub(super) fn clear(&mut self) {
        self.codes.clear();
        self.metas.clear();
        self.full.clear();
        self.ids.clear();
    }
}

/// Write access: one writer at a time, which appends.
pub(super) struct RowFile {
    file: File,
    layout: Layout,
}

impl RowFile {
    pub(super) fn create(path: &Path, layout: Layout) -> Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len(layout.len_bytes() as u64)?;
        file.write_all(bytes_of(&layout.header()))?;
        Ok(Self { file, layout })
    }

    pub(super) fn open(path: &Path, layout: Layout) -> Result<Self> {
        Ok(Self { file: OpenOptions::new().read(true).write(true).open(path)?, layout })
    }

    /// Writes the batch as rows `first..`; the caller keeps it within the capacity.
    pub(super) fn write(&mut self, first: usize, batch: &RowBatch) -> Result<()> {
        if first + batch.len() > self.layout.capacity {
            return Err(Error::new(ErrorKind::InvalidInput, "the rows do not fit into their file"));
        }
        let layout = self.layout;
        self.write_at(layout.codes_at() + first * stride(layout.dimension), bytes_of(&batch.codes))?;
        self.write_at(layout.metas_at() + first * META_BYTES, bytes_of(&batch.metas))?;
        self.write_at(layout.full_at() + first * layout.dimension * 4, bytes_of(&batch.full))?;
        self.write_at(layout.ids_at() + first * IDS_BYTES, &batch.ids)
    }

    fn write_at(&mut self, at: usize, bytes: &[u8]) -> Result<()> {
        self.file.seek(SeekFrom::Start(at as u64))?;
        self.file.write_all(bytes)
    }

    /// After this the rows outlive a power cut. `sync_all`, because the first call must keep the length too.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_row() -> RowBatch {
        let mut batch = RowBatch::default();
        batch.push("chunk-1", "knowledge-1", &[0.5, -0.25, 0.125]);
        batch
    }

    #[test]
    fn rows_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let layout = Layout { dimension: 3, capacity: 4 };
        let mut file = RowFile::create(&path, layout).unwrap();
        file.write(2, &one_row()).unwrap();
        let map = RowMap::open(&path, layout).unwrap();
        assert_eq!((map.chunk_id(2), map.knowledge_id(2), map.full(2, 1)), ("chunk-1", "knowledge-1", [0.5, -0.25, 0.125].as_slice()));
        assert_eq!(map.codes(2, 1)[..4], [127, -64, 32, 0]);
        // The map was opened before this write and sees it: both go through the page cache.
        file.write(3, &one_row()).unwrap();
        assert_eq!(map.chunk_id(3), "chunk-1");
        assert!(file.write(4, &one_row()).is_err());
    }

    #[test]
    fn a_file_of_another_length_or_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let layout = Layout { dimension: 3, capacity: 4 };
        RowFile::create(&path, layout).unwrap();
        assert!(RowMap::open(&path, Layout { dimension: 2, capacity: 4 }).is_err(), "the header names the dimension");
        let len = layout.len_bytes() as u64;
        for wrong in [0, 1, len - 1, len + 1] {
            OpenOptions::new().write(true).open(&path).unwrap().set_len(wrong).unwrap();
            assert!(RowMap::open(&path, layout).is_err(), "{wrong}");
        }
        std::fs::write(&path, vec![0xff; layout.len_bytes()]).unwrap();
        assert!(RowMap::open(&path, layout).is_err(), "foreign bytes");
    }

    #[test]
    fn damaged_ids_are_empty_instead_of_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let layout = Layout { dimension: 1, capacity: 1 };
        let mut file = RowFile::create(&path, layout).unwrap();
        file.write_at(layout.ids_at(), &[0xff; IDS_BYTES]).unwrap();
        let map = RowMap::open(&path, layout).unwrap();
        assert_eq!((map.chunk_id(0), map.knowledge_id(0)), ("", ""));
    }
}
