//! The calls over the border: statuses to faults, bytes taken over and given back.
//!
//! Not here: who calls when (`instance`, `library`).

use crate::limits;
use crate::plugin::wasm::Fault;
use knowhost_plugin_sdk::native::abi::{Bytes, Table, status};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as the border wants it.
pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>, Fault> {
    postcard::to_allocvec(value).map_err(|error| Fault(format!("the server could not encode a request for it ({error})")))
}

/// What a function of the table answered.
pub(super) struct Answer {
    table: &'static Table,
    bytes: Bytes,
}

impl Answer {
    /// Calls a function that fills bytes in; `Err` when its status is a failure.
    pub(super) fn of(table: &'static Table, call: impl FnOnce(*mut Bytes) -> u32) -> Result<Self, Fault> {
        let mut answer = Self { table, bytes: Bytes::EMPTY };
        let told = call(&raw mut answer.bytes);
        let words = || String::from_utf8_lossy(answer.as_slice()).chars().take(1_000).collect::<String>();
        match told {
            status::OK => Ok(answer),
            status::PANICKED => Err(Fault(format!("it panicked: {}", words()))),
            status::MALFORMED => Err(Fault(format!("it could not read what the server sent: {}", words()))),
            status::DEAD => Err(Fault("it panicked before".into())),
            status::UNKNOWN => Err(Fault(format!("it does not know the function that it was asked for: {}", words()))),
            other => Err(Fault(format!("it broke its contract (status {other})"))),
        }
    }

    pub(super) fn decode<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let bytes = self.as_slice();
        if bytes.len() > limits::PLUGIN_STEP_BYTES_MAX {
            return Err(Fault(format!("it gave more than {} MiB in one step", limits::PLUGIN_STEP_BYTES_MAX >> 20)));
        }
        match postcard::take_from_bytes(bytes) {
            Ok((value, [])) => Ok(value),
            Ok((_, rest)) => Err(Fault(format!("it broke its contract ({} bytes stand behind its answer)", rest.len()))),
            Err(error) => Err(Fault(format!("it broke its contract (its answer is none of this interface: {error})"))),
        }
    }

    #[expect(unsafe_code, reason = "bytes of a native plugin")]
    fn as_slice(&self) -> &[u8] {
        if self.bytes.data.is_null() {
            return &[];
        }
        // SAFETY: the plugin filled `bytes` in for us; they stay what they are until `release`, which `drop` calls.
        unsafe { std::slice::from_raw_parts(self.bytes.data, self.bytes.len) }
    }
}

impl Drop for Answer {
    #[expect(unsafe_code, reason = "bytes of a native plugin")]
    fn drop(&mut self) {
        let bytes = std::mem::replace(&mut self.bytes, Bytes::EMPTY);
        // SAFETY: these are the bytes that the plugin filled in (or the empty ones), given back once.
        unsafe { (self.table.release)(bytes) }
    }
}
