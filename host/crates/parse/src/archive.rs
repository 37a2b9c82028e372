//! The table of contents of a ZIP archive, read without unpacking anything.
//!
//! Not here: unpacking; the parsers do that after the sizes were found sane.

/// A member, as the central directory describes it.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) packed_bytes: u64,
    pub(crate) unpacked_bytes: u64,
}

const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";
const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;

/// `None` when the bytes hold no readable central directory, as in a file that was cut.
pub(crate) fn members(bytes: &[u8]) -> Option<Vec<Member>> {
    let tail_start = bytes.len().saturating_sub(END_BYTES + usize::from(u16::MAX));
    let tail = bytes.get(tail_start..)?;
    let end = tail_start + tail.windows(END_SIGNATURE.len()).rposition(|window| window == END_SIGNATURE)?;
    let count = usize::from(u16_at(bytes, end + 10)?);
    let mut at = usize::try_from(u32_at(bytes, end + 16)?).ok()?;
    let mut members = Vec::with_capacity(count.min(1_024));
    for _ in 0..count {
        if bytes.get(at..at + 4)? != ENTRY_SIGNATURE {
            return None;
        }
        let (name_bytes, extra_bytes, comment_bytes) = (u16_at(bytes, at + 28)?, u16_at(bytes, at + 30)?, u16_at(bytes, at + 32)?);
        let name = bytes.get(at + ENTRY_BYTES..at + ENTRY_BYTES + usize::from(name_bytes))?;
        members.push(Member {
            name: String::from_utf8_lossy(name).into_owned(),
            packed_bytes: u64::from(u32_at(bytes, at + 20)?),
            unpacked_bytes: u64::from(u32_at(bytes, at + 24)?),
        });
        at += ENTRY_BYTES + usize::from(name_bytes) + usize::from(extra_bytes) + usize::from(comment_bytes);
    }
    Some(members)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
