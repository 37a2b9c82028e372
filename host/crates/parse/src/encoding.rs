//! Bytes of any encoding to text.
//!
//! Not here: what the text means.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Never fails: bytes that fit nothing become U+FFFD. The mark of byte order is not part of the text.
pub(crate) fn decode(bytes: &[u8]) -> String {
    decode_as(bytes, encoding_of(bytes))
}

/// As [`decode`], but a page may name its encoding itself.
pub(crate) fn decode_html(bytes: &[u8]) -> String {
    let guessed = encoding_of(bytes);
    let chosen = if guessed == UTF_8 { guessed } else { declared(bytes).unwrap_or(guessed) };
    decode_as(bytes, chosen)
}

fn decode_as(bytes: &[u8], encoding: &'static Encoding) -> String {
    // NUL ends texts in databases and terminals; no encoding has a use for it here.
    encoding.decode(bytes).0.replace('\0', "")
}

/// Text of some encoding, as opposed to the bytes of a program, a picture or an archive.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    if Encoding::for_bom(bytes).is_some() || utf_16_without_mark(bytes).is_some() {
        return true;
    }
    let sample = &bytes[..bytes.len().min(64 << 10)];
    let odd = sample.iter().filter(|byte| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)).count();
    let nul = sample.contains(&0);
    if std::str::from_utf8(bytes).is_ok() { odd * 20 <= sample.len() } else { !nul && odd * 100 <= sample.len() }
}

fn encoding_of(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return encoding;
    }
    // Short Chinese texts give a statistical guess too little: what reads as common Chinese without a fault is Chinese.
    if let Some(text) = GB18030.decode_without_bom_handling_and_without_replacement(bytes)
        && is_common_chinese(&text)
    {
        return GB18030;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    if guess.decode_without_bom_handling_and_without_replacement(bytes).is_some() { guess } else { WINDOWS_1252 }
}

/// Whether most characters beyond ASCII are of the first level of GB 2312 (rows 16 to 55), or Chinese punctuation.
fn is_common_chinese(text: &str) -> bool {
    let (mut wide, mut common) = (0_usize, 0_usize);
    for c in text.chars().filter(|c| !c.is_ascii()).take(4_096) {
        wide += 1;
        let mut utf_8 = [0; 4];
        let (encoded, _, failed) = encoding_rs::GBK.encode(c.encode_utf8(&mut utf_8));
        let first_level = !failed && matches!(encoded.first(), Some(0xb0..=0xd7)) && matches!(encoded.get(1), Some(0xa1..));
        common += usize::from(first_level || matches!(c, '\u{3000}'..='\u{3020}' | '\u{ff01}'..='\u{ff5e}'));
    }
    wide > 0 && common * 10 >= wide * 9
}

/// Every second byte of Latin text in UTF-16 is NUL; Chinese text has at least its line ends and blanks so.
fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    if bytes.len() < 4 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let sample = &bytes[..bytes.len().min(8_192)];
    let (even, odd): (Vec<_>, Vec<_>) = sample.chunks_exact(2).map(|pair| (pair[0] == 0, pair[1] == 0)).unzip();
    let count = |zeros: Vec<bool>| zeros.into_iter().filter(|zero| *zero).count();
    let (even, odd) = (count(even), count(odd));
    let encoding = match (even, odd) {
        (0, 1..) => UTF_16LE,
        (1.., 0) => UTF_16BE,
        _ => return None,
    };
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(|_| encoding)
}

/// `charset=` in the first kilobyte of a page.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1_024)]).to_ascii_lowercase();
    let rest = &head[head.find("charset=")? + "charset=".len()..];
    let label: String =
        rest.trim_start_matches(['"', '\'']).chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    Encoding::for_label(label.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_many_encodings_come_out_alike() {
        let chinese = "知识库的检索。第二行：向量与关键词\n";
        let (gbk, _, failed) = encoding_rs::GBK.encode(chinese);
        assert!(!failed);
        let utf_16: Vec<u8> = chinese.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked: Vec<u8> = [&[0xff, 0xfe][..], &utf_16].concat();
        let big_endian: Vec<u8> = chinese.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let with_mark = [&[0xef, 0xbb, 0xbf][..], chinese.as_bytes()].concat();
        for bytes in [chinese.as_bytes(), &gbk, &utf_16, &marked, &big_endian, &with_mark] {
            assert_eq!(decode(bytes), chinese);
            assert!(is_text(bytes));
        }
    }

    #[test]
    fn western_texts_do_not_turn_chinese() {
        let (latin, _, _) = WINDOWS_1252.encode("Le café est fermé le dimanche, désolé. Größe: 5 µm, naïve façade");
        assert_eq!(decode(&latin), "Le café est fermé le dimanche, désolé. Größe: 5 µm, naïve façade");
        assert!(is_text(&latin));
    }

    #[test]
    fn the_rare_characters_of_gb18030_are_read() {
        let text = "国务院印发的通知：㐀字与常用字并存，检索系统照样可以读出";
        let (bytes, _, _) = GB18030.encode(text);
        assert_eq!(decode(&bytes), text);
    }

    #[test]
    fn programs_and_noise_are_not_text() {
        assert!(!is_text(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01"));
        assert!(!is_text(&(0..=255_u8).cycle().take(4_001).collect::<Vec<_>>()));
    }

    #[test]
    fn a_page_may_name_its_encoding() {
        let page = "<html><meta charset=\"big5\"><p>繁體中文</p></html>";
        let (bytes, _, _) = encoding_rs::BIG5.encode(page);
        assert_eq!(decode_html(&bytes), page);
    }
}
