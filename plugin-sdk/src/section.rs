//! The manifest inside a component: a top-level custom section named `knowhost:manifest`.
//!
//! Not here: what the manifest says (`manifest`). Nothing is run or compiled to read it, and any bytes may come in.

/// The section's name.
pub const SECTION: &str = "knowhost:manifest";

/// `\0asm`, then version 13 and layer 1: a component, not a core module.
const PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// One section: where it begins and ends (its header included), and its name and content when it is a custom one.
struct Section<'a> {
    start: usize,
    end: usize,
    custom: Option<(&'a [u8], &'a [u8])>,
}

/// The top-level sections, up to the first byte that does not parse; `Err` holds those before it.
fn sections(component: &[u8]) -> Result<Vec<Section<'_>>, Vec<Section<'_>>> {
    let mut found = Vec::new();
    let mut at = PREAMBLE.len();
    while at < component.len() {
        let start = at;
        let id = component[at];
        let Some((size, body)) = leb128(component, at + 1) else { return Err(found) };
        let Some(end) = body.checked_add(size).filter(|end| *end <= component.len()) else { return Err(found) };
        let custom = if id == 0 {
            let Some((name_size, name)) = leb128(&component[..end], body) else { return Err(found) };
            let Some(content) = name.checked_add(name_size).filter(|content| *content <= end) else { return Err(found) };
            Some((&component[name..content], &component[content..end]))
        } else {
            None
        };
        found.push(Section { start, end, custom });
        at = end;
    }
    Ok(found)
}

/// An unsigned number of at most 32 bits, and the place after it.
fn leb128(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value: u64 = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((usize::try_from(u32::try_from(value).ok()?).ok()?, at));
        }
    }
    None
}

fn push_leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap_or(0x7f);
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// The manifest's text. `None`: no component, cut or malformed, no manifest, two of them, or not UTF-8.
pub fn read_manifest(component: &[u8]) -> Option<&str> {
    if !component.starts_with(&PREAMBLE) {
        return None;
    }
    let mut manifests =
        sections(component).ok()?.into_iter().filter_map(|section| section.custom).filter(|(name, _)| *name == SECTION.as_bytes());
    let (_, content) = manifests.next()?;
    // Two manifests: readers could disagree about which one counts.
    if manifests.next().is_some() {
        return None;
    }
    std::str::from_utf8(content).ok()
}

/// The component with `toml` as its manifest, in place of any that it had.
///
/// Of a file that does not parse only the sections before the fault are looked at; it stays as broken as it was.
pub fn embed_manifest(component: &[u8], toml: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(component.len() + toml.len() + SECTION.len() + 16);
    let known = match sections(component) {
        Ok(sections) | Err(sections) => sections,
    };
    let mut from = 0;
    for section in known {
        if section.custom.is_some_and(|(name, _)| name == SECTION.as_bytes()) {
            out.extend_from_slice(component.get(from..section.start).unwrap_or_default());
            from = section.end;
        }
    }
    out.extend_from_slice(component.get(from..).unwrap_or_default());

    let mut body = Vec::with_capacity(SECTION.len() + toml.len() + 1);
    push_leb128(&mut body, SECTION.len());
    body.extend_from_slice(SECTION.as_bytes());
    body.extend_from_slice(toml.as_bytes());
    out.push(0);
    push_leb128(&mut out, body.len());
    out.extend_from_slice(&body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component() -> Vec<u8> {
        let mut bytes = PREAMBLE.to_vec();
        // A custom section `x` with two bytes, and a section of an other kind.
        bytes.extend_from_slice(&[0, 4, 1, b'x', 1, 2]);
        bytes.extend_from_slice(&[7, 3, 9, 9, 9]);
        bytes
    }

    #[test]
    fn what_is_embedded_is_read_back() {
        let toml = "name = \"ü\"\n".repeat(5_000);
        let with = embed_manifest(&component(), &toml);
        assert_eq!(read_manifest(&with), Some(toml.as_str()));
        assert!(with.starts_with(&component()));
    }

    #[test]
    fn second_manifest_takes_the_place_of_the_first() {
        let with = embed_manifest(&embed_manifest(&component(), "a = 1"), "b = 2");
        assert_eq!(read_manifest(&with), Some("b = 2"));
        assert_eq!(with, embed_manifest(&component(), "b = 2"));
    }

    #[test]
    fn two_manifests_are_none() {
        let first = embed_manifest(&PREAMBLE, "a = 1");
        let mut both = first.clone();
        both.extend_from_slice(&first[PREAMBLE.len()..]);
        assert_eq!(read_manifest(&both), None);
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_survived() {
        let with = embed_manifest(&component(), "name = \"x\"");
        for cut in 0..with.len() {
            assert_eq!(read_manifest(&with[..cut]), None, "cut at {cut}");
            embed_manifest(&with[..cut], "again");
        }
        for at in 0..with.len() {
            for bit in 0..8 {
                let mut broken = with.clone();
                broken[at] ^= 1 << bit;
                let _ = read_manifest(&broken);
                embed_manifest(&broken, "again");
            }
        }
    }

    #[test]
    fn sizes_beyond_the_file_and_over_long_numbers_are_refused() {
        for tail in [&[0, 0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], &[0], &[0, 1], &[0, 1, 5]] {
            let mut bytes = PREAMBLE.to_vec();
            bytes.extend_from_slice(tail);
            assert_eq!(read_manifest(&bytes), None);
        }
        assert_eq!(read_manifest(b"\0asm\x01\0\0\0"), None, "a core module is no component");
    }

    #[test]
    fn manifest_that_is_no_text_is_none() {
        let mut with = embed_manifest(&PREAMBLE, "abcd");
        let last = with.len() - 1;
        with[last] = 0xff;
        assert_eq!(read_manifest(&with), None);
    }
}
