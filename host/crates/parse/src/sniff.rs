//! Compares what a file says it is with what its bytes are.
//!
//! Not here: whether the rest of the file is sound; the parsers find that out.

use crate::archive::{self, Member};
use crate::{FileKind, ParseError, ParseLimits, ParseResult, encoding};

/// What the first bytes, or an archive's contents, give away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Known(FileKind),
    /// A compound file of old Office programs; `stream` names of its directory tell more.
    Presentation,
    Archive,
    CutArchive,
    EncryptedOffice,
    OldOffice,
    RichText,
    Text,
    Binary,
}

/// An error for a file whose content can not be what its extension says, and for archives that would unpack without end.
pub(crate) fn check(bytes: &[u8], kind: FileKind, limits: &ParseLimits) -> ParseResult<()> {
    // An empty file is a text without words; the other formats have at least a frame.
    if bytes.is_empty() {
        return if kind.is_text() { Ok(()) } else { Err(not(kind)) };
    }
    let found = find(bytes, limits)?;
    match found {
        Found::Known(actual) if actual == kind => Ok(()),
        Found::Known(actual) => Err(renamed(kind, actual.name())),
        Found::Text if kind.is_text() => Ok(()),
        Found::Text => Err(renamed(kind, "plain text")),
        Found::EncryptedOffice if !kind.is_text() => Err(ParseError::Encrypted),
        // The directory of a compound file may lie beyond what was searched.
        Found::OldOffice if matches!(kind, FileKind::Doc | FileKind::Xls) => Ok(()),
        Found::CutArchive if matches!(kind, FileKind::Docx | FileKind::Xlsx) => {
            Err(ParseError::damaged(kind.name(), "the end of the file is missing"))
        }
        Found::Presentation => Err(renamed(kind, "a presentation")),
        Found::Archive | Found::CutArchive => Err(renamed(kind, "a ZIP archive")),
        Found::EncryptedOffice | Found::OldOffice => Err(renamed(kind, "an Office document")),
        Found::RichText => Err(renamed(kind, "a rich text document (RTF)")),
        Found::Binary => Err(not(kind)),
    }
}

fn not(kind: FileKind) -> ParseError {
    ParseError::NotWhatItSays { expected: kind.name().to_owned() }
}

fn renamed(kind: FileKind, found: &str) -> ParseError {
    ParseError::Renamed { expected: kind.name().to_owned(), found: found.to_owned() }
}

fn find(bytes: &[u8], limits: &ParseLimits) -> ParseResult<Found> {
    const OLD_OFFICE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    let head = &bytes[..bytes.len().min(1_024)];
    Ok(if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        match archive::members(bytes) {
            Some(members) => in_archive(&members, limits)?,
            None => Found::CutArchive,
        }
    } else if head.starts_with(OLD_OFFICE) {
        in_compound_file(bytes)
    } else if head.windows(5).any(|window| window == b"%PDF-") {
        Found::Known(FileKind::Pdf)
    } else if is_image(head) {
        Found::Known(FileKind::Image)
    } else if head.starts_with(b"{\\rtf") {
        Found::RichText
    } else if encoding::is_text(bytes) {
        Found::Text
    } else {
        Found::Binary
    })
}

fn is_image(head: &[u8]) -> bool {
    let marks: [&[u8]; 6] = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"];
    marks.iter().any(|mark| head.starts_with(mark)) || (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP"))
}

fn in_archive(members: &[Member], limits: &ParseLimits) -> ParseResult<Found> {
    const RATIO_FROM_BYTES: u64 = 1 << 20;
    let unpacked_bytes = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.unpacked_bytes));
    let has = |prefix: &str| members.iter().any(|member| member.name.starts_with(prefix));
    let swells = members.iter().any(|member| {
        member.unpacked_bytes > RATIO_FROM_BYTES && member.unpacked_bytes / member.packed_bytes.max(1) > limits.unpack_ratio_max
    });
    if unpacked_bytes > limits.unpacked_bytes_max || swells {
        return Err(ParseError::UnpacksTooLarge { bytes: unpacked_bytes });
    }
    Ok(if has("word/") {
        Found::Known(FileKind::Docx)
    } else if has("xl/") {
        Found::Known(FileKind::Xlsx)
    } else if has("ppt/") {
        Found::Presentation
    } else {
        Found::Archive
    })
}

/// Looks for the names of streams, which stand in UTF-16 in the directory.
fn in_compound_file(bytes: &[u8]) -> Found {
    let holds = |name: &str| {
        let wanted: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(wanted.len()).any(|window| window == wanted)
    };
    if holds("EncryptedPackage") {
        Found::EncryptedOffice
    } else if holds("WordDocument") {
        Found::Known(FileKind::Doc)
    } else if holds("Workbook") {
        Found::Known(FileKind::Xls)
    } else if holds("PowerPoint Document") {
        Found::Presentation
    } else {
        Found::OldOffice
    }
}
