//! The manifest inside a native library: a section of the object file, read without loading it.
//!
//! Not here: components (`crate::section`) and what the manifest says (`manifest`). Any bytes may come in. Only 64-bit little-endian ELF is
//! read, because the server runs nowhere else.

/// The section's name.
pub const SECTION: &str = ".knowhost.manifest";

const MAGIC: [u8; 4] = [0x7f, b'E', b'L', b'F'];
const HEADER_BYTES: usize = 64;
/// 64 bits, little-endian, version 1.
const IDENT: [u8; 3] = [2, 1, 1];
const SHARED_OBJECT: u16 = 3;
const SECTION_HEADER_BYTES: usize = 64;
/// A section of this type has no bytes in the file.
const NO_BITS: u32 = 8;

/// The machines that Knowhost runs on, and their numbers.
const MACHINES: [(u16, &str); 2] = [(62, "x86_64"), (183, "aarch64")];

/// Whether the bytes begin like a native library of some system (ELF, Mach-O, Windows), whatever follows.
pub fn is_native(bytes: &[u8]) -> bool {
    let mach = [[0xcf, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]];
    bytes.starts_with(&MAGIC) || bytes.starts_with(b"MZ") || mach.iter().any(|magic| bytes.starts_with(magic))
}

/// The manifest's text, or why there is none. `Err` has "it" for the file.
pub fn read_manifest(library: &[u8]) -> Result<&str, String> {
    if !library.starts_with(&MAGIC) {
        return Err("it is no ELF library, and this server loads no other native files".into());
    }
    let cut = || "it is damaged: its headers do not fit into it".to_owned();
    if library.len() < HEADER_BYTES {
        return Err(cut());
    }
    if library[4..7] != IDENT || u16_at(library, 16) != Some(SHARED_OBJECT) {
        return Err("it is no 64-bit little-endian shared library".into());
    }
    let machine = u16_at(library, 18).ok_or_else(cut)?;
    if !MACHINES.iter().any(|(number, name)| *number == machine && *name == std::env::consts::ARCH) {
        let built_for = MACHINES.iter().find(|(number, _)| *number == machine).map_or("another machine", |(_, name)| name);
        return Err(format!("it is built for {built_for}, and this server runs on {}", std::env::consts::ARCH));
    }
    let mut manifests = sections(library).ok_or_else(cut)?.into_iter().filter(|(name, _)| *name == SECTION.as_bytes());
    let Some((_, content)) = manifests.next() else {
        return Err(format!("it has no section {SECTION}: build it with `export_plugin!(...; native)`"));
    };
    // Two manifests: readers could disagree about which one counts.
    if manifests.next().is_some() {
        return Err(format!("it has two sections {SECTION}"));
    }
    std::str::from_utf8(content).map_err(|_| "its manifest is no UTF-8".into())
}

/// Names and contents of all sections; `None`: something points out of the file.
fn sections(library: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let table = usize::try_from(u64_at(library, 40)?).ok()?;
    if u16_at(library, 58)? as usize != SECTION_HEADER_BYTES {
        return None;
    }
    let (count, names) = (u16_at(library, 60)? as usize, u16_at(library, 62)? as usize);
    let header = |index: usize| {
        let start = table.checked_add(index.checked_mul(SECTION_HEADER_BYTES)?)?;
        library.get(start..start.checked_add(SECTION_HEADER_BYTES)?)
    };
    let names = content(library, header(names)?)?;
    let mut found = Vec::with_capacity(count);
    for index in 0..count {
        let header = header(index)?;
        let name = names.get(u32_at(header, 0)? as usize..)?;
        let name = name.split(|byte| *byte == 0).next()?;
        found.push((name, content(library, header)?));
    }
    Some(found)
}

fn content<'a>(library: &'a [u8], header: &[u8]) -> Option<&'a [u8]> {
    if u32_at(header, 4)? == NO_BITS {
        return Some(&[]);
    }
    let (start, size) = (usize::try_from(u64_at(header, 24)?).ok()?, usize::try_from(u64_at(header, 32)?).ok()?);
    library.get(start..start.checked_add(size)?)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library of headers and these sections; the table of names comes first.
    fn library(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let machine = MACHINES.iter().find(|(_, name)| *name == std::env::consts::ARCH).unwrap().0;
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..7].copy_from_slice(&IDENT);
        bytes[16..18].copy_from_slice(&SHARED_OBJECT.to_le_bytes());
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        let mut names = vec![0];
        let mut headers = Vec::new();
        let mut add = |bytes: &mut Vec<u8>, name: u32, content: &[u8]| {
            let mut header = [0; SECTION_HEADER_BYTES];
            header[..4].copy_from_slice(&name.to_le_bytes());
            header[4..8].copy_from_slice(&1_u32.to_le_bytes());
            header[24..32].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            header[32..40].copy_from_slice(&(content.len() as u64).to_le_bytes());
            bytes.extend_from_slice(content);
            headers.extend_from_slice(&header);
        };
        let mut places = Vec::new();
        for (name, _) in sections {
            places.push(u32::try_from(names.len()).unwrap());
            names.extend_from_slice(name.as_bytes());
            names.push(0);
        }
        add(&mut bytes, 0, &names);
        for ((_, content), place) in sections.iter().zip(places) {
            add(&mut bytes, place, content);
        }
        let table = bytes.len() as u64;
        bytes.extend_from_slice(&headers);
        bytes[40..48].copy_from_slice(&table.to_le_bytes());
        bytes[58..60].copy_from_slice(&64_u16.to_le_bytes());
        bytes[60..62].copy_from_slice(&u16::try_from(sections.len() + 1).unwrap().to_le_bytes());
        bytes
    }

    #[test]
    fn manifest_is_found_among_other_sections() {
        let bytes = library(&[(".text", b"code"), (SECTION, "name = \"ü\"".as_bytes()), (".bss", b"")]);
        assert!(is_native(&bytes));
        assert_eq!(read_manifest(&bytes), Ok("name = \"ü\""));
    }

    #[test]
    fn what_is_no_plugin_is_told_apart() {
        let refused = |bytes: &[u8]| read_manifest(bytes).unwrap_err();
        assert!(refused(b"\0asm\x0d\0\x01\0").contains("no ELF"));
        assert!(refused(&library(&[(".text", b"code")])).contains("no section .knowhost.manifest"));
        assert!(refused(&library(&[(SECTION, b"a"), (SECTION, b"b")])).contains("two sections"));
        assert!(refused(&library(&[(SECTION, b"\xff")])).contains("UTF-8"));
        let mut other = library(&[(SECTION, b"a")]);
        other[18] = if std::env::consts::ARCH == "x86_64" { 183 } else { 62 };
        assert!(refused(&other).starts_with("it is built for "));
        other[18] = 8;
        assert!(refused(&other).starts_with("it is built for another machine"));
        other[4] = 1;
        assert!(refused(&other).contains("64-bit"));
        assert!(!is_native(b"\0asm") && is_native(b"MZ\x90") && is_native(&[0xcf, 0xfa, 0xed, 0xfe]));
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_survived() {
        let bytes = library(&[(".text", b"code"), (SECTION, b"name = \"x\"")]);
        for cut in 0..bytes.len() {
            assert!(read_manifest(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut broken = bytes.clone();
                broken[at] ^= 1 << bit;
                let _ = read_manifest(&broken);
            }
        }
        for at in (40..48).chain(58..64) {
            let mut broken = bytes.clone();
            broken[at] = 0xff;
            let _ = read_manifest(&broken);
        }
    }
}
