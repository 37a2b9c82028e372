//! Members of a ZIP archive that is read in pieces: `weights.npz` is one, with an array for each member.
//!
//! Not here: what an array holds (`array`). The file was checked by its digest; a damaged one still ends in an error and no worse.

use embedder_core::TableError;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// The largest array has 4 MB.
const MEMBER_BYTES_MAX: usize = 16 << 20;

#[derive(Clone, Copy)]
struct Member {
    method: u16,
    packed_bytes: usize,
    bytes: usize,
    start: u64,
}

pub(crate) struct Archive<R> {
    file: R,
    members: BTreeMap<String, Member>,
}

fn damaged<E: std::fmt::Display>(error: E) -> TableError {
    TableError::new(format!("the archive can not be read: {error}"))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the table of contents, at the end of the file.
    pub(crate) fn open(mut file: R) -> Result<Self, TableError> {
        let size = file.seek(SeekFrom::End(0)).map_err(damaged)?;
        let tail_start = size.saturating_sub(END_BYTES as u64 + u64::from(u16::MAX));
        file.seek(SeekFrom::Start(tail_start)).map_err(damaged)?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail).map_err(damaged)?;
        let end = tail.windows(END_SIGNATURE.len()).rposition(|window| window == END_SIGNATURE);
        let places = end.and_then(|end| Some((u32_at(&tail, end + 12)?, u32_at(&tail, end + 16)?)));
        let (length, start) = places.filter(|(length, _)| *length <= MEMBER_BYTES_MAX).ok_or_else(|| damaged("it has no end"))?;
        file.seek(SeekFrom::Start(start as u64)).map_err(damaged)?;
        let mut contents = vec![0; length];
        file.read_exact(&mut contents).map_err(damaged)?;
        let members = members(&contents).ok_or_else(|| damaged("its table of contents is cut"))?;
        Ok(Self { file, members })
    }

    /// A whole member.
    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, TableError> {
        let member = *self.members.get(name).ok_or_else(|| damaged(format!("{name} is missing")))?;
        if member.packed_bytes.max(member.bytes) > MEMBER_BYTES_MAX {
            return Err(damaged(format!("{name} is too large")));
        }
        let mut local = [0; LOCAL_BYTES];
        self.file.seek(SeekFrom::Start(member.start)).map_err(damaged)?;
        self.file.read_exact(&mut local).map_err(damaged)?;
        let skip = u16_at(&local, 26).unwrap_or(0) + u16_at(&local, 28).unwrap_or(0);
        self.file.seek(SeekFrom::Start(member.start + (LOCAL_BYTES + skip) as u64)).map_err(damaged)?;
        let mut packed = vec![0; member.packed_bytes];
        self.file.read_exact(&mut packed).map_err(damaged)?;
        let bytes = match member.method {
            STORED => packed,
            DEFLATED => decompress_to_vec_with_limit(&packed, member.bytes).map_err(damaged)?,
            method => return Err(damaged(format!("{name} is packed by method {method}"))),
        };
        if bytes.len() == member.bytes { Ok(bytes) } else { Err(damaged(format!("{name} is cut"))) }
    }
}

fn members(contents: &[u8]) -> Option<BTreeMap<String, Member>> {
    let mut members = BTreeMap::new();
    let mut at = 0;
    while at < contents.len() {
        let entry = contents.get(at..)?;
        if entry.get(..4)? != ENTRY_SIGNATURE {
            return None;
        }
        let name = ENTRY_BYTES..ENTRY_BYTES + u16_at(entry, 28)?;
        let member = Member {
            method: u16_at(entry, 10)? as u16,
            packed_bytes: u32_at(entry, 20)?,
            bytes: u32_at(entry, 24)?,
            start: u32_at(entry, 42)? as u64,
        };
        members.insert(String::from_utf8_lossy(entry.get(name.clone())?).into_owned(), member);
        at += name.end + u16_at(entry, 30)? + u16_at(entry, 32)?;
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// An archive with one stored and one deflated member.
    fn archive() -> Vec<u8> {
        let (mut out, mut contents) = (Vec::new(), Vec::new());
        let packed = miniz_oxide::deflate::compress_to_vec(&[7; 1000], 6);
        for (name, method, body, bytes) in [("a.npy", STORED, b"plain".to_vec(), 5_u32), ("b.npy", DEFLATED, packed, 1000)] {
            let mut sizes = (body.len() as u32).to_le_bytes().to_vec();
            sizes.extend_from_slice(&bytes.to_le_bytes());
            sizes.extend_from_slice(&(name.len() as u16).to_le_bytes());
            contents.extend_from_slice(ENTRY_SIGNATURE);
            contents.extend_from_slice(&[0; 6]);
            contents.extend_from_slice(&method.to_le_bytes());
            contents.extend_from_slice(&[0; 8]);
            contents.extend_from_slice(&sizes);
            contents.extend_from_slice(&[0; 12]);
            contents.extend_from_slice(&(out.len() as u32).to_le_bytes());
            contents.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"PK\x03\x04");
            out.extend_from_slice(&[0; 14]);
            out.extend_from_slice(&sizes);
            out.extend_from_slice(&2_u16.to_le_bytes());
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&body);
        }
        let start = out.len() as u32;
        out.extend_from_slice(&contents);
        out.extend_from_slice(END_SIGNATURE);
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&(contents.len() as u32).to_le_bytes());
        out.extend_from_slice(&start.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out
    }

    #[test]
    fn members_are_read_by_name() {
        let mut archive = Archive::open(Cursor::new(archive())).unwrap();
        assert_eq!(archive.read("a.npy").unwrap(), b"plain");
        assert_eq!(archive.read("b.npy").unwrap(), [7; 1000]);
        assert!(archive.read("c.npy").unwrap_err().to_string().contains("c.npy is missing"));
    }

    #[test]
    fn cut_and_changed_archives_are_errors_and_never_worse() {
        let whole = archive();
        for cut in 0..whole.len() - 2 {
            assert!(Archive::open(Cursor::new(&whole[..cut])).is_err(), "cut at {cut}");
        }
        for at in 0..whole.len() {
            for bit in [0, 3, 7] {
                let mut broken = whole.clone();
                broken[at] ^= 1 << bit;
                if let Ok(mut archive) = Archive::open(Cursor::new(broken)) {
                    let _ = archive.read("a.npy");
                    let _ = archive.read("b.npy");
                }
            }
        }
    }
}
