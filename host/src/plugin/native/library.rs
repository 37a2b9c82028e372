//! From the bytes of a library, or from a table that was linked in, to something that makes instances.
//!
//! Not here: whether these bytes may be loaded (`plugin::lock`): loading runs code already.

use super::border::Answer;
use super::instance::Instance;
use crate::plugin::wasm::{INTERFACE_VERSIONS, Kind, WarmFiles};
use anyhow::{Context, bail};
use knowhost_plugin_sdk::native::abi::{self, ABI, File, Header, MAGIC, SYMBOL, Table, Text};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};

/// A checked table. Cheap to clone; never unloaded, because a thread of the plugin or a destructor of one may still stand in its code.
#[derive(Clone)]
pub(in crate::plugin) struct Library {
    table: &'static Table,
    kinds: Vec<&'static str>,
}

/// The libraries of this process by digest: the same file is loaded and warmed up once, however often it is allowed.
#[derive(Default)]
pub(in crate::plugin) struct Libraries(Mutex<BTreeMap<String, Library>>);

impl Libraries {
    /// Loads a library whose digest the caller has checked and whose use the operator has allowed.
    pub(in crate::plugin) fn load(
        &self,
        bytes: &[u8],
        digest: &str,
        manifest: &str,
        files: &dyn Fn() -> anyhow::Result<WarmFiles>,
    ) -> anyhow::Result<Library> {
        let mut libraries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = libraries.get(digest) {
            return Ok(library.clone());
        }
        let library = Library::check(open(bytes)?, manifest)?;
        library.warm(files)?;
        libraries.insert(digest.to_owned(), library.clone());
        Ok(library)
    }

    /// Takes up a plugin that was linked in.
    pub(in crate::plugin) fn linked(
        &self,
        table: &'static Table,
        digest: &str,
        files: &dyn Fn() -> anyhow::Result<WarmFiles>,
    ) -> anyhow::Result<Library> {
        let mut libraries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = libraries.get(digest) {
            return Ok(library.clone());
        }
        let library = Library::check(table, linked_manifest(table)?)?;
        library.warm(files)?;
        libraries.insert(digest.to_owned(), library.clone());
        Ok(library)
    }
}

/// The manifest of a plugin that was linked in.
pub(in crate::plugin) fn linked_manifest(table: &'static Table) -> anyhow::Result<&'static str> {
    check_header(table.header)?;
    std::str::from_utf8(bytes_of(table.manifest)).context("its manifest is no UTF-8")
}

impl Library {
    /// Checks everything that two builds could disagree about.
    fn check(table: &'static Table, manifest: &str) -> anyhow::Result<Self> {
        check_header(table.header)?;
        if bytes_of(table.manifest) != manifest.as_bytes() {
            bail!("its table holds another manifest than its section: build it again");
        }
        let named = abi::kind::NAMES.iter().enumerate();
        let kinds: Vec<&'static str> = named.filter(|(number, _)| table.kinds & (1 << number) != 0).map(|(_, name)| *name).collect();
        if kinds.is_empty() {
            bail!("it has none of the kinds {}", abi::kind::NAMES.join(", "));
        }
        Ok(Self { table, kinds })
    }

    /// Runs the warm-up, for all instances to come.
    #[expect(unsafe_code, reason = "a call into a native plugin")]
    fn warm(&self, files: &dyn Fn() -> anyhow::Result<WarmFiles>) -> anyhow::Result<()> {
        let Some(warm) = self.table.warm else { return Ok(()) };
        let files = files()?;
        let text = |bytes: &[u8]| Text { data: bytes.as_ptr(), len: bytes.len() };
        let files: Vec<File> = files.iter().map(|(name, content)| File { name: text(name.as_bytes()), content: text(content) }).collect();
        // SAFETY: the table was checked; the list and what it points to live for the call, `out` is `Answer`'s.
        let answer = Answer::of(self.table, |out| unsafe { warm(files.as_ptr(), files.len(), out) });
        answer.map(|_| ()).map_err(|fault| anyhow::anyhow!("its warm-up failed: {fault}"))
    }

    pub(in crate::plugin) fn kinds(&self) -> &[&'static str] {
        &self.kinds
    }

    pub(super) fn table(&self) -> &'static Table {
        self.table
    }

    pub(in crate::plugin) fn instance<K: Kind>(&self) -> Instance<K> {
        let number = abi::kind::NAMES.iter().position(|name| *name == K::NAME).and_then(|number| u32::try_from(number).ok());
        // Every kind has a number; another one would be answered with `UNKNOWN`.
        Instance::new(self.clone(), number.unwrap_or(u32::MAX))
    }
}

/// Loads the library from these very bytes: a file in memory that nobody else has a name for, so that what was hashed is what runs.
#[expect(unsafe_code, reason = "loading native code that the operator allowed by its digest")]
fn open(bytes: &[u8]) -> anyhow::Result<&'static Table> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    let file = in_memory(bytes).context("can not keep the library in memory")?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: running foreign code is what the operator allowed for these bytes (`plugins.lock`); its initialisers run now.
    let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL) }.context("the system can not load it")?;
    // Never unloaded (see above). The file stays open as well: the loader tells libraries apart by name, and the next file must not get this one's.
    let library = std::mem::ManuallyDrop::new(library);
    std::mem::forget(file);
    let symbol = CString::new(SYMBOL)?;
    // SAFETY: the symbol is data of a plugin; what it is gets checked by its header before anything else of it is used.
    let table = unsafe { library.get::<*const Header>(symbol.as_bytes_with_nul()) }.map(|symbol| *symbol);
    let Ok(header) = table else {
        bail!("it does not export {SYMBOL}: build it with the feature `knowhost-plugin-sdk/dylib`");
    };
    // SAFETY: `Header` is what every version of the table begins with, and the library stays.
    check_header(unsafe { header.read() })?;
    // SAFETY: magic, version and size say that this is a table of ours, and the library stays.
    Ok(unsafe { &*header.cast::<Table>() })
}

/// Sealed, so that not even this process can change it while it is mapped.
fn in_memory(bytes: &[u8]) -> anyhow::Result<std::fs::File> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    use std::io::Write;
    let file = memfd_create("knowhost-plugin", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = std::fs::File::from(file);
    file.write_all(bytes)?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

/// Whether this server and the plugin mean the same by a table.
fn check_header(header: Header) -> anyhow::Result<()> {
    if header.magic != MAGIC {
        bail!("what it exports as {SYMBOL} is no table of a plugin");
    }
    if header.abi != ABI {
        bail!("it was built for version {} of the native border; this server speaks version {ABI}", header.abi);
    }
    if header.size_bytes as usize != size_of::<Table>() {
        bail!(
            "its table has {} bytes; that of this server, of the same version {ABI} of the native border, has {}",
            header.size_bytes,
            size_of::<Table>()
        );
    }
    let interface = String::from_utf8_lossy(bytes_of(header.interface)).into_owned();
    if !INTERFACE_VERSIONS.iter().any(|version| version.rsplit_once('.').is_some_and(|(minor, _)| minor == interface)) {
        bail!("it speaks plugin interface {interface}; this server speaks {}", INTERFACE_VERSIONS.join(", "));
    }
    Ok(())
}

#[expect(unsafe_code, reason = "bytes of a native plugin")]
fn bytes_of(text: Text) -> &'static [u8] {
    if text.data.is_null() {
        return &[];
    }
    // SAFETY: a text of a table of this version lives as long as its library, which is never unloaded.
    unsafe { std::slice::from_raw_parts(text.data, text.len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header { magic: MAGIC, abi: ABI, size_bytes: size_of::<Table>() as u32, interface: Text::of(b"0.1") }
    }

    #[test]
    fn each_difference_is_refused_with_both_versions() {
        let refused = |header: Header| check_header(header).unwrap_err().to_string();
        assert!(check_header(header()).is_ok());
        assert!(refused(Header { magic: *b"SOMEBODY", ..header() }).contains("no table"));
        let text = refused(Header { abi: 7, size_bytes: 8, ..header() });
        assert_eq!(text, "it was built for version 7 of the native border; this server speaks version 1");
        let text = refused(Header { size_bytes: 8, ..header() });
        assert!(text.contains(" 8 bytes") && text.contains(&size_of::<Table>().to_string()), "{text}");
        let text = refused(Header { interface: Text::of(b"0.9"), ..header() });
        assert_eq!(text, "it speaks plugin interface 0.9; this server speaks 0.1.0");
    }

    #[test]
    fn bytes_that_are_no_library_and_libraries_that_are_no_plugins_are_refused() {
        assert!(format!("{:#}", open(b"nonsense").unwrap_err()).contains("the system can not load it"));
        let libc = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6", "/lib64/libm.so.6"];
        let Some(bytes) = libc.iter().find_map(|path| std::fs::read(path).ok()) else { return };
        assert!(format!("{:#}", open(&bytes).unwrap_err()).contains("does not export knowhost_plugin"));
    }
}
