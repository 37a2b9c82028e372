//! The file format: a head, a list of named sections, the sections (described in `data/README.md`).
//!
//! A model that comes in another form is packed into this one (`pack`), so that there is one reader for both.
//!
//! Not here: what the sections mean (each reader beside its use).

use std::fmt;

const MAGIC: &[u8; 8] = b"KHEMBED1";

/// The model's data is not what this code reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableError(String);

impl TableError {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model's data is damaged: {}", self.0)
    }
}

impl std::error::Error for TableError {}

/// The numbers of section `META`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    pub(super) pieces: usize,
    pub(super) stage_rows: [usize; 3],
    pub(super) subspaces: usize,
    pub(super) width: usize,
    pub(super) controls: usize,
    pub(super) sif: f32,
}

/// Sections by name.
#[derive(Clone, Copy)]
pub struct Table {
    bytes: &'static [u8],
}

/// Makes a file out of sections.
pub fn pack(sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut at = MAGIC.len() + 4 + 12 * sections.len();
    let total = at + sections.iter().map(|(_, section)| section.len().next_multiple_of(4)).sum::<usize>();
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    for (tag, section) in sections {
        out.extend_from_slice(tag.as_bytes());
        out.extend_from_slice(&(at as u32).to_le_bytes());
        out.extend_from_slice(&(section.len() as u32).to_le_bytes());
        at += section.len().next_multiple_of(4);
    }
    for (_, section) in sections {
        out.extend_from_slice(section);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

impl Table {
    pub fn read(bytes: &'static [u8]) -> Result<Self, TableError> {
        if bytes.get(..8) != Some(MAGIC) {
            return Err(TableError::new("it does not begin as a table does"));
        }
        Ok(Self { bytes })
    }

    /// The numbers of a quantised table.
    pub(super) fn meta(&self) -> Result<Meta, TableError> {
        let meta = self.section("META")?;
        let number = |i: usize| word(meta, 4 * i).ok_or_else(|| TableError::new("section META is short"));
        let size = |i: usize| number(i).map(|n| n as usize);
        let meta = Meta {
            pieces: size(0)?,
            stage_rows: [size(0)?, size(1)?, size(2)?],
            subspaces: size(3)?,
            width: size(4)?,
            controls: size(5)?,
            sif: f32::from_bits(number(6)?),
        };
        if meta.subspaces * meta.width != super::DIMENSION {
            return Err(TableError::new("its row length is not 512"));
        }
        Ok(meta)
    }

    /// The bytes of a section.
    pub(super) fn section(&self, tag: &str) -> Result<&'static [u8], TableError> {
        find(self.bytes, tag)
    }

    /// The bytes of a section that must have this length.
    pub(super) fn sized(&self, tag: &str, length: usize) -> Result<&'static [u8], TableError> {
        let section = self.section(tag)?;
        if section.len() == length {
            Ok(section)
        } else {
            Err(TableError::new(format!("section {tag} has {} bytes, not {length}", section.len())))
        }
    }

    /// A section of `count` numbers.
    pub(super) fn floats(&self, tag: &str, count: usize) -> Result<Vec<f32>, TableError> {
        Ok(to_floats(self.sized(tag, 4 * count)?))
    }
}

pub(super) fn to_floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

fn find(bytes: &'static [u8], tag: &str) -> Result<&'static [u8], TableError> {
    let missing = || TableError::new(format!("section {tag} is missing"));
    let count = word(bytes, 8).ok_or_else(missing)? as usize;
    for entry in 0..count.min(1000) {
        let at = 12 + 12 * entry;
        if bytes.get(at..at + 4) == Some(tag.as_bytes()) {
            let start = word(bytes, at + 4).ok_or_else(missing)? as usize;
            let length = word(bytes, at + 8).ok_or_else(missing)? as usize;
            return start.checked_add(length).and_then(|end| bytes.get(start..end)).ok_or_else(missing);
        }
    }
    Err(missing())
}

/// Takes `length byte, bytes` off the front of a list of texts.
pub(super) fn take_text(rest: &mut &'static [u8]) -> Option<&'static [u8]> {
    let (length, after) = rest.split_first()?;
    let (text, after) = after.split_at_checked(usize::from(*length))?;
    *rest = after;
    Some(text)
}
