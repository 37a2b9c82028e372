//! One live instance of a native plugin: turns without a deadline, on the one thread that made it.
//!
//! Not here: which calls share it (`plugin::calls`).

use super::border::{Answer, encode};
use super::library::Library;
use crate::plugin::wasm::{Fault, Kind, Step, wit::io};
use knowhost_plugin_sdk::native::abi::Table;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::thread::ThreadId;

pub(in crate::plugin) struct Instance<K: Kind> {
    library: Library,
    number: u32,
    /// Made with the first turn, so that it belongs to the thread of its turns.
    live: Option<Live>,
    kind: PhantomData<K>,
}

/// What `new` gave.
struct Live {
    table: &'static Table,
    pointer: *mut c_void,
    thread: ThreadId,
}

#[expect(unsafe_code, reason = "an instance may be handed to the thread that will own it")]
// SAFETY: the pointer is used on the thread that made it and nowhere else: each use asks for that thread first, `drop` too.
unsafe impl Send for Live {}

impl Live {
    #[expect(unsafe_code, reason = "a call into a native plugin")]
    fn new(table: &'static Table) -> Result<Self, Fault> {
        let mut pointer = std::ptr::null_mut();
        // SAFETY: the table was checked when it was loaded; both places are ours and live for the call.
        Answer::of(table, |out| unsafe { (table.new)(&raw mut pointer, out) })?;
        if pointer.is_null() {
            return Err(Fault("it broke its contract (it made no instance)".into()));
        }
        Ok(Self { table, pointer, thread: std::thread::current().id() })
    }

    fn is_here(&self) -> bool {
        self.thread == std::thread::current().id()
    }
}

impl Drop for Live {
    #[expect(unsafe_code, reason = "a call into a native plugin")]
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: the pointer came from `new` of this table on this thread, and this is its last use.
            unsafe { (self.table.free)(self.pointer) }
        } else {
            // Lost memory is better than a plugin's value dropped where it must not be.
            tracing::error!("an instance of a native plugin ended on another thread and stays in memory");
        }
    }
}

impl<K: Kind> Instance<K> {
    pub(super) fn new(library: Library, number: u32) -> Self {
        Self { library, number, live: None, kind: PhantomData }
    }

    #[expect(unsafe_code, reason = "calls into a native plugin")]
    pub(in crate::plugin) fn start(&mut self, id: u64, request: &K::Request) -> Result<Step<K>, Fault> {
        let bytes = encode(request)?;
        let number = self.number;
        let (table, pointer) = self.live()?;
        // SAFETY (both): the instance is this thread's, the bytes live for the call, `out` is `Answer`'s.
        let answer = match table.tokenize.filter(|_| K::IS_PLAIN) {
            Some(tokenize) => Answer::of(table, |out| unsafe { tokenize(pointer, bytes.as_ptr(), bytes.len(), out) })?,
            None => Answer::of(table, |out| unsafe { (table.start)(pointer, number, id, bytes.as_ptr(), bytes.len(), out) })?,
        };
        answer.decode().map(K::step)
    }

    #[expect(unsafe_code, reason = "a call into a native plugin")]
    pub(in crate::plugin) fn resume(&mut self, id: u64, event: &io::Event) -> Result<Step<K>, Fault> {
        let bytes = encode(event)?;
        let number = self.number;
        let (table, pointer) = self.live()?;
        // SAFETY: as in `start`.
        let answer = Answer::of(table, |out| unsafe { (table.resume)(pointer, number, id, bytes.as_ptr(), bytes.len(), out) })?;
        answer.decode().map(K::step)
    }

    #[expect(unsafe_code, reason = "a call into a native plugin")]
    pub(in crate::plugin) fn cancel(&mut self, id: u64) -> Result<(), Fault> {
        let number = self.number;
        let (table, pointer) = self.live()?;
        // SAFETY: as in `start`.
        Answer::of(table, |out| unsafe { (table.cancel)(pointer, number, id, out) }).map(|_| ())
    }

    fn live(&mut self) -> Result<(&'static Table, *mut c_void), Fault> {
        let live = match &mut self.live {
            Some(live) => live,
            none => none.insert(Live::new(self.library.table())?),
        };
        if !live.is_here() {
            return Err(Fault("its instance was used on another thread than its own".into()));
        }
        Ok((live.table, live.pointer))
    }
}
