//! The functions of the table, in the plugin: no panic leaves them, and no instance goes on after one.
//!
//! Not here: the kinds (`kinds`). Unsafe is what the border asks for and nothing else; each function says what its caller has to keep.
#![expect(unsafe_code, reason = "the C side of the border")]

use super::abi::{ABI, Bytes, File, Header, MAGIC, Table, Text, status};
use super::kinds::{Malformed, Served};
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `export_plugin!(...; native)` makes of a plugin: its manifest, its kinds and the calls of one instance.
pub trait Native: 'static {
    type Instance;
    const MANIFEST: &'static [u8];
    /// A bit for each kind.
    const KINDS: u32;
    const TOKENIZES: bool;
    const WARM: Option<fn()>;

    fn instance() -> Self::Instance;
    /// `None`: there is no such kind.
    fn start(instance: &Self::Instance, kind: u32, id: u64, request: &[u8]) -> Option<Served>;
    fn resume(instance: &Self::Instance, kind: u32, id: u64, event: &[u8]) -> Option<Served>;
    fn cancel(instance: &Self::Instance, kind: u32, id: u64);
}

impl Table {
    /// The table of a plugin.
    pub const fn of<P: Native>() -> Self {
        Self {
            header: Header {
                magic: MAGIC,
                abi: ABI,
                size_bytes: size_of::<Self>() as u32,
                interface: Text::of(crate::INTERFACE.as_bytes()),
            },
            manifest: Text::of(P::MANIFEST),
            kinds: P::KINDS,
            reserved: 0,
            new: new::<P>,
            start: start::<P>,
            resume: resume::<P>,
            cancel: cancel::<P>,
            free: free::<P>,
            release,
            tokenize: if P::TOKENIZES { Some(tokenize::<P>) } else { None },
            warm: if P::WARM.is_some() { Some(warm::<P>) } else { None },
        }
    }
}

struct Live<P: Native> {
    instance: P::Instance,
    /// It panicked: what its memory holds is anybody's guess.
    dead: bool,
}

/// How a call of the border ended.
enum End {
    Answer(Vec<u8>),
    Failed(u32, String),
}

impl End {
    fn of(served: Option<Served>) -> Self {
        match served {
            Some(Ok(bytes)) => Self::Answer(bytes),
            Some(Err(Malformed(text))) => Self::Failed(status::MALFORMED, text),
            None => Self::Failed(status::UNKNOWN, "it has no such kind".into()),
        }
    }

    /// SAFETY: the caller gives a place for the bytes, or null.
    unsafe fn tell(self, out: *mut Bytes) -> u32 {
        let (status, bytes) = match self {
            Self::Answer(bytes) => (status::OK, bytes),
            Self::Failed(status, text) => (status, text.into_bytes()),
        };
        if !out.is_null() {
            let mut bytes = std::mem::ManuallyDrop::new(bytes);
            // SAFETY: as above; what stood there before are no bytes of ours.
            unsafe { out.write(Bytes { data: bytes.as_mut_ptr(), len: bytes.len(), capacity: bytes.capacity() }) };
        }
        status
    }
}

/// The message of a panic. Dropping its payload may panic again, so that happens behind another catch.
fn words(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| payload.downcast_ref::<String>().cloned());
    if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        std::mem::forget(again);
    }
    text.unwrap_or_else(|| "without a message".into())
}

/// Runs `work` for an instance, if it still lives.
///
/// SAFETY: `instance` came from `new` of this plugin, on this thread, and nothing else uses it meanwhile.
unsafe fn turn<P: Native>(instance: *mut c_void, work: impl FnOnce(&P::Instance) -> End) -> End {
    // SAFETY: as above.
    let Some(live) = (unsafe { instance.cast::<Live<P>>().as_mut() }) else {
        return End::Failed(status::UNKNOWN, "there is no instance".into());
    };
    if live.dead {
        return End::Failed(status::DEAD, "it panicked before".into());
    }
    catch_unwind(AssertUnwindSafe(|| work(&live.instance))).unwrap_or_else(|payload| {
        live.dead = true;
        End::Failed(status::PANICKED, words(payload))
    })
}

/// SAFETY: the caller's bytes are there for the call, or there are none.
unsafe fn bytes<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if data.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(data, len) }
}

unsafe extern "C" fn new<P: Native>(instance: *mut *mut c_void, out: *mut Bytes) -> u32 {
    let end = match catch_unwind(AssertUnwindSafe(|| Box::new(Live::<P> { instance: P::instance(), dead: false }))) {
        Ok(live) => {
            // SAFETY: the caller gives a place for the instance.
            unsafe { instance.write(Box::into_raw(live).cast()) };
            End::Answer(Vec::new())
        }
        Err(payload) => End::Failed(status::PANICKED, words(payload)),
    };
    // SAFETY: the caller's `out`.
    unsafe { end.tell(out) }
}

unsafe extern "C" fn start<P: Native>(instance: *mut c_void, kind: u32, id: u64, data: *const u8, len: usize, out: *mut Bytes) -> u32 {
    // SAFETY: the caller's instance, bytes and `out`.
    unsafe { turn::<P>(instance, |live| End::of(P::start(live, kind, id, bytes(data, len)))).tell(out) }
}

unsafe extern "C" fn resume<P: Native>(instance: *mut c_void, kind: u32, id: u64, data: *const u8, len: usize, out: *mut Bytes) -> u32 {
    // SAFETY: as in `start`.
    unsafe { turn::<P>(instance, |live| End::of(P::resume(live, kind, id, bytes(data, len)))).tell(out) }
}

unsafe extern "C" fn cancel<P: Native>(instance: *mut c_void, kind: u32, id: u64, out: *mut Bytes) -> u32 {
    let work = |live: &P::Instance| {
        P::cancel(live, kind, id);
        End::Answer(Vec::new())
    };
    // SAFETY: as in `start`.
    unsafe { turn::<P>(instance, work).tell(out) }
}

unsafe extern "C" fn tokenize<P: Native>(instance: *mut c_void, data: *const u8, len: usize, out: *mut Bytes) -> u32 {
    // SAFETY: as in `start`.
    unsafe { start::<P>(instance, super::abi::kind::TOKENIZER, 0, data, len, out) }
}

unsafe extern "C" fn free<P: Native>(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    // SAFETY: `instance` came from `new`, and this is its last use.
    let live = unsafe { Box::from_raw(instance.cast::<Live<P>>()) };
    // What panics while it is dropped stays in memory; there is nobody left to tell.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(move || drop(live))) {
        drop(words(payload));
    }
}

unsafe extern "C" fn release(bytes: Bytes) {
    if !bytes.data.is_null() {
        // SAFETY: the bytes came from `tell`, and this is their last use.
        drop(unsafe { Vec::from_raw_parts(bytes.data, bytes.len, bytes.capacity) });
    }
}

unsafe extern "C" fn warm<P: Native>(files: *const File, count: usize, out: *mut Bytes) -> u32 {
    // SAFETY: the caller's list of files and their bytes are there for the call.
    let files = if files.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(files, count) } };
    let text = |text: Text| {
        // SAFETY: as above.
        unsafe { bytes(text.data, text.len) }
    };
    let run = || {
        let named = files.iter().map(|file| (String::from_utf8_lossy(text(file.name)).into_owned(), text(file.content).to_vec()));
        let before = crate::files::given(Some(named.collect()));
        if let Some(warm) = P::WARM {
            warm();
        }
        crate::files::given(before);
    };
    let end = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(()) => End::Answer(Vec::new()),
        Err(payload) => {
            crate::files::given(None);
            End::Failed(status::PANICKED, words(payload))
        }
    };
    // SAFETY: the caller's `out`.
    unsafe { end.tell(out) }
}
