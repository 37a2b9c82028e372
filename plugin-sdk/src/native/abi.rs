//! The native form's border: plain C types, which a plugin and a server agree on whatever compiled them.
//!
//! Not here: what stands behind the functions (`serve` in a plugin, `plugin::native` in the server). `docs/plugins/native.md` tells it in words.

use std::ffi::c_void;

/// The first eight bytes of every table.
pub const MAGIC: [u8; 8] = *b"KNOWHOST";
/// Version of this border. A change of [`Table`], of the functions' meaning or of the encoding is another version; [`Header`] never changes.
pub const ABI: u32 = 1;
/// The one symbol that a native library exports: a [`Table`].
pub const SYMBOL: &str = "knowhost_plugin";

/// What a function answers.
pub mod status {
    /// `out` holds the answer.
    pub const OK: u32 = 0;
    /// The plugin panicked and its instance is dead; `out` holds the message.
    pub const PANICKED: u32 = 1;
    /// The bytes that came in are none of this interface; `out` says why.
    pub const MALFORMED: u32 = 2;
    /// The instance panicked before and answers nothing any more.
    pub const DEAD: u32 = 3;
    /// The plugin has no such kind or function.
    pub const UNKNOWN: u32 = 4;
}

/// The kinds by number: bit `1 << number` of [`Table::kinds`], and the `kind` of its functions.
pub mod kind {
    pub const EMBEDDER: u32 = 0;
    pub const RERANKER: u32 = 1;
    pub const CHAT_MODEL: u32 = 2;
    pub const TOKENIZER: u32 = 3;
    pub const CATALOGUE: u32 = 4;
    pub const RETRIEVER: u32 = 5;
    pub const GRAPH_BUILDER: u32 = 6;

    /// Names as in the WIT, by number.
    pub const NAMES: [&str; 7] = ["embedder", "reranker", "chat-model", "tokenizer", "catalogue", "retriever", "graph-builder"];
}

/// Bytes that live as long as the library.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Text {
    pub data: *const u8,
    pub len: usize,
}

impl Text {
    pub const fn of(bytes: &'static [u8]) -> Self {
        Self { data: bytes.as_ptr(), len: bytes.len() }
    }
}

/// Bytes that the plugin made; whoever got them gives them to [`Table::release`].
#[derive(Debug)]
#[repr(C)]
pub struct Bytes {
    pub data: *mut u8,
    pub len: usize,
    pub capacity: usize,
}

impl Bytes {
    pub const EMPTY: Self = Self { data: std::ptr::null_mut(), len: 0, capacity: 0 };
}

/// A file for the warm-up; it lives as long as the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct File {
    pub name: Text,
    pub content: Text,
}

/// What every version of the table begins with.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`]
    pub magic: [u8; 8],
    /// [`ABI`] of the plugin
    pub abi: u32,
    /// size of the whole table
    pub size_bytes: u32,
    /// version of the plugin interface, such as `0.1`
    pub interface: Text,
}

pub type New = unsafe extern "C" fn(instance: *mut *mut c_void, out: *mut Bytes) -> u32;
pub type Turn = unsafe extern "C" fn(instance: *mut c_void, kind: u32, id: u64, data: *const u8, len: usize, out: *mut Bytes) -> u32;
pub type Cancel = unsafe extern "C" fn(instance: *mut c_void, kind: u32, id: u64, out: *mut Bytes) -> u32;
pub type Free = unsafe extern "C" fn(instance: *mut c_void);
pub type Release = unsafe extern "C" fn(bytes: Bytes);
pub type Tokenize = unsafe extern "C" fn(instance: *mut c_void, data: *const u8, len: usize, out: *mut Bytes) -> u32;
pub type Warm = unsafe extern "C" fn(files: *const File, count: usize, out: *mut Bytes) -> u32;

/// Everything that a plugin gives to its server.
///
/// All functions of one instance, from `new` to `free`, are called on one and the same thread, one after another.
/// Requests, events and steps are the types of the WIT in the encoding of postcard 1: `start` takes a kind's `request` and gives its `step`,
/// `resume` takes an `io.event` and gives a `step`, `tokenize` takes `(texts, mode)` and gives `result<tokens, error>`.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    pub header: Header,
    /// `plugin.toml`, the same bytes as in the library's section
    pub manifest: Text,
    /// a bit for each kind of [`kind`]
    pub kinds: u32,
    /// zero
    pub reserved: u32,
    pub new: New,
    pub start: Turn,
    pub resume: Turn,
    /// drops a call; the host has closed its operations already
    pub cancel: Cancel,
    /// drops an instance with all its calls
    pub free: Free,
    pub release: Release,
    /// where the plugin is a tokenizer
    pub tokenize: Option<Tokenize>,
    /// where the plugin warms up: called once for all instances, before the first
    pub warm: Option<Warm>,
}

#[expect(unsafe_code, reason = "a table of pointers into a library that is never unloaded")]
// SAFETY: nothing changes a table or what it points to; functions may be called from any thread, instances only from one (see above).
unsafe impl Sync for Table {}
#[expect(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Send for Table {}
