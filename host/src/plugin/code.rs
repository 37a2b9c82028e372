//! What calls run in, whatever its form: a component or a native library, and instances of either.
//!
//! Not here: the forms themselves (`wasm`, `native`). `calls` and everything above it see these types only and can not tell the forms apart.

use super::native::{self, Library};
use super::wasm::{self, Component, wit::io};

pub(super) use super::wasm::{Fault, Kind, Step};

/// Ready to make instances of. Cheap to clone.
#[derive(Clone)]
pub(super) enum Code {
    Component(Component),
    Native(Library),
}

impl Code {
    pub(super) fn kinds(&self) -> &[&'static str] {
        match self {
            Self::Component(component) => component.kinds(),
            Self::Native(library) => library.kinds(),
        }
    }

    pub(super) fn has<K: Kind>(&self) -> bool {
        self.kinds().contains(&K::NAME)
    }

    pub(super) fn instantiate<K: Kind>(&self) -> Result<Instance<K>, Fault> {
        match self {
            Self::Component(component) => component.instantiate().map(Instance::Wasm),
            Self::Native(library) => Ok(Instance::Native(library.instance())),
        }
    }

    /// Whether all turns of an instance, its last one included, have to run on one and the same thread.
    pub(super) fn needs_own_thread(&self) -> bool {
        match self {
            Self::Component(_) => false,
            Self::Native(_) => true,
        }
    }
}

/// One live instance.
pub(super) enum Instance<K: Kind> {
    Wasm(wasm::Instance<K>),
    Native(native::Instance<K>),
}

impl<K: Kind> Instance<K> {
    /// Lets the next turn take longer, for pictures. A native turn has no deadline.
    pub(super) fn allow_for(&mut self, picture_bytes: usize) {
        match self {
            Self::Wasm(instance) => instance.allow_for(picture_bytes),
            Self::Native(_) => {}
        }
    }

    pub(super) fn start(&mut self, id: u64, request: &K::Request) -> Result<Step<K>, Fault> {
        match self {
            Self::Wasm(instance) => instance.start(id, request),
            Self::Native(instance) => instance.start(id, request),
        }
    }

    pub(super) fn resume(&mut self, id: u64, event: &io::Event) -> Result<Step<K>, Fault> {
        match self {
            Self::Wasm(instance) => instance.resume(id, event),
            Self::Native(instance) => instance.resume(id, event),
        }
    }

    pub(super) fn cancel(&mut self, id: u64) -> Result<(), Fault> {
        match self {
            Self::Wasm(instance) => instance.cancel(id),
            Self::Native(instance) => instance.cancel(id),
        }
    }

    /// Memory of its own; of a native instance nobody knows it.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Wasm(instance) => instance.memory_bytes(),
            Self::Native(_) => 0,
        }
    }
}
