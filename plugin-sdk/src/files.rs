//! Files beside the component, for `warm`: weights that are too large to be compiled in.
//!
//! Not here: how they come to the server (`[[files]]` in the manifest, `knowhost models get`). They can be read in [`crate::Warm::warm`] and
//! at no other time: what a plugin wants of them afterwards it keeps in memory, and that memory becomes the image of every instance.

#[cfg(target_family = "wasm")]
use crate::bindings::warm::knowhost::plugin::files as host;
#[cfg(not(target_family = "wasm"))]
use natively as host;
use std::io::{self, Read, Seek, SeekFrom};

#[cfg(not(target_family = "wasm"))]
pub(crate) use natively::given;

/// Asked of the host at once.
const PIECE_BYTES: u32 = 256 << 10;

/// A file of the manifest, read in pieces.
///
/// ```
/// use knowhost_plugin_sdk::{files::File, testing::with_files};
/// use std::io::Read;
///
/// let text = with_files([("words.txt", b"one two".to_vec())], || {
///     let mut text = String::new();
///     File::open("words.txt").read_to_string(&mut text).unwrap();
///     text
/// });
/// assert_eq!(text, "one two");
/// ```
#[derive(Debug)]
pub struct File {
    name: String,
    size: u64,
    at: u64,
    /// what was read ahead, and how much of it was taken
    piece: Vec<u8>,
    taken: usize,
}

impl File {
    /// The file `name` of the manifest. A name that the manifest does not list, or a call outside of the warm-up, ends the plugin.
    pub fn open(name: &str) -> Self {
        Self { name: name.to_owned(), size: host::size(name), at: 0, piece: Vec::new(), taken: 0 }
    }

    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Read for File {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() && self.at < self.size && !out.is_empty() {
            self.piece = host::read(&self.name, self.at, PIECE_BYTES);
            self.taken = 0;
            self.at += self.piece.len() as u64;
        }
        let rest = &self.piece[self.taken..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let here = self.at - (self.piece.len() - self.taken) as u64;
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => here.checked_add_signed(offset),
        };
        let at = at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning of the file"))?;
        self.piece.clear();
        self.taken = 0;
        self.at = at;
        Ok(at)
    }
}

/// What stands for the host in native builds: the files that a test gave.
#[cfg(not(target_family = "wasm"))]
#[expect(clippy::panic, reason = "the real host ends the plugin here")]
mod natively {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    type Files = BTreeMap<String, Vec<u8>>;

    thread_local! {
        static FILES: RefCell<Option<Files>> = const { RefCell::new(None) };
    }

    /// Puts files in place and gives back what was there before; `None`: no warm-up is running.
    pub(crate) fn given(files: Option<Files>) -> Option<Files> {
        FILES.replace(files)
    }

    fn with<R>(name: &str, f: impl FnOnce(&[u8]) -> R) -> R {
        FILES.with_borrow(|files| match files.as_ref().map(|files| files.get(name)) {
            Some(Some(bytes)) => f(bytes),
            Some(None) => panic!("the manifest lists no file {name:?}"),
            None => panic!("files can be read only while the plugin warms up"),
        })
    }

    pub(super) fn size(name: &str) -> u64 {
        with(name, |bytes| bytes.len() as u64)
    }

    pub(super) fn read(name: &str, offset: u64, length: u32) -> Vec<u8> {
        with(name, |bytes| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            let end = start.saturating_add(length as usize).min(bytes.len());
            bytes[start..end].to_vec()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with_files;

    #[test]
    fn files_are_read_whole_in_parts_and_from_any_place() {
        let bytes: Vec<u8> = (0..600_000_u32).map(|number| number as u8).collect();
        with_files([("a", bytes.clone()), ("empty", vec![])], || {
            let mut file = File::open("a");
            assert_eq!(file.size(), 600_000);
            let mut all = Vec::new();
            file.read_to_end(&mut all).unwrap();
            assert_eq!(all, bytes);
            file.seek(SeekFrom::End(-3)).unwrap();
            let mut two = [0; 2];
            file.read_exact(&mut two).unwrap();
            assert_eq!(two, bytes[599_997..599_999]);
            assert_eq!(file.stream_position().unwrap(), 599_999);
            file.seek(SeekFrom::Current(-599_999)).unwrap();
            file.read_exact(&mut two).unwrap();
            assert_eq!(two, [0, 1]);
            assert!(file.seek(SeekFrom::Current(-3)).is_err());
            file.seek(SeekFrom::Start(1 << 40)).unwrap();
            assert_eq!(file.read(&mut two).unwrap(), 0, "nothing behind the end");
            assert_eq!(File::open("empty").read(&mut two).unwrap(), 0);
        });
    }

    #[test]
    #[should_panic(expected = "lists no file \"b\"")]
    fn a_file_that_the_manifest_does_not_list_ends_the_plugin() {
        with_files([("a", vec![])], || File::open("b"));
    }

    #[test]
    #[should_panic(expected = "only while the plugin warms up")]
    fn files_are_closed_after_the_warm_up() {
        let mut file = with_files([("a", vec![1])], || File::open("a"));
        let _ = file.read(&mut [0]);
    }
}
