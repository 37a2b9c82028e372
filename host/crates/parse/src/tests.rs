//! The readers on real files of other programs, and on files that are not what they say.

use super::*;
use std::path::PathBuf;

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/files").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_file(name: &str) -> Parsed {
    let kind = name.rsplit('.').next().expect("an extension");
    parse(&file(name), kind, &ParseLimits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every phrase in every form of its document.
fn check_forms(name: &str, phrases: &[&str]) {
    for form in ["pandoc.docx", "libreoffice.docx", "libreoffice.pdf"] {
        let text = read_file(&format!("{name}.{form}")).text;
        for phrase in phrases {
            assert!(text.contains(phrase), "{name}.{form} lacks {phrase:?}:\n{text}");
        }
        assert!(!text.contains('\u{fffd}'), "{name}.{form} has characters that were not read");
    }
}

#[test]
fn documents_of_other_programs_keep_their_words_in_order() {
    check_forms(
        "lighthouse",
        &["quarried on the island itself. It stands 31 metres", "The last of them, Ingrid Dahl, still lives", "only at slack water"],
    );
    check_forms("tea", &["春茶在清明前后采摘，只取一芽一叶。", "铁锅温度保持在一百八十度", "茶园的负责人是周若兰"]);
    check_forms("pump", &["between the settling tank and the evaporator", "at 1450 rpm. A reading above 4.5 mm/s", "pumpctl"]);
    check_forms("library", &["逾期每天每本收取两角钱。", "儿童阅览室在下午六点关闭", "A reader who loses a book pays its price"]);
    check_forms(
        "bakery",
        &["with equal parts of rye flour and water", "then at 190 °C for fifty", "Each loaf weighs 1.2 kg and keeps for nine days"],
    );
}

#[test]
fn word_documents_keep_headings_lists_and_tables() {
    for name in ["lighthouse.pandoc.docx", "lighthouse.libreoffice.docx", "lighthouse.libreoffice.doc"] {
        let parsed = read_file(name);
        assert!(parsed.text.contains("\n## Keepers\n"), "{name}: {}", parsed.text);
        assert!(parsed.text.contains("| paraffin | 120 l | boat |"), "{name}: {}", parsed.text);
        assert!(parsed.text.contains("- The boat lands"), "{name}: {}", parsed.text);
        assert_eq!(parsed.title.as_deref(), Some("The lighthouse of Skarholm"), "{name}");
    }
}

#[test]
fn rows_of_tables_in_a_pdf_stay_together() {
    assert!(read_file("tea.libreoffice.pdf").text.contains("2024 455 172"));
}

#[test]
fn workbooks_and_csv_give_the_same_records() {
    let wanted = [
        "item: lamp oil,location: shelf 3,stock: 18\n",
        "item: rope, 20 m,location: shelf 1,stock: 4\n",
        "item: 灯芯,location: 三号架,stock: 52\n",
    ];
    for name in ["stock.csv", "stock.libreoffice.xlsx", "stock.libreoffice.xls"] {
        assert_eq!(read_file(name).records().collect::<Vec<_>>(), wanted, "{name}");
    }
}

#[test]
fn a_renamed_file_is_told_what_it_is() {
    let limits = ParseLimits::default();
    let check = |name: &str, kind: &str, wanted: &str| {
        let error = parse(&file(name), kind, &limits).expect_err("renamed").to_string();
        assert!(error.contains(wanted), "{name} as {kind}: {error}");
    };
    check("tea.libreoffice.pdf", "docx", "it holds a PDF document");
    check("tea.pandoc.docx", "pdf", "it holds a Word document (DOCX)");
    check("stock.libreoffice.xlsx", "docx", "it holds an Excel workbook");
    check("lighthouse.libreoffice.doc", "xls", "it holds a Word 97 document");
    check("tea.pandoc.docx", "txt", "it holds a Word document");
    check("stock.csv", "xlsx", "it holds plain text");
    check("stock.csv", "pdf", "it holds plain text");
    let noise: Vec<u8> = (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for kind in ["txt", "md", "csv", "html", "pdf", "docx", "xlsx", "doc", "xls"] {
        assert!(matches!(parse(&noise, kind, &limits), Err(ParseError::NotWhatItSays { .. })), "{kind}");
    }
}

#[test]
fn empty_files_are_texts_without_words_or_errors() {
    let limits = ParseLimits::default();
    for kind in ["txt", "md", "html", "csv"] {
        assert_eq!(parse(b"", kind, &limits).map(|parsed| parsed.text), Ok(String::new()), "{kind}");
    }
    for kind in ["pdf", "docx", "xlsx", "doc", "xls"] {
        assert!(parse(b"", kind, &limits).is_err(), "{kind}");
    }
}

#[test]
fn cut_files_end_in_an_error_or_in_part_of_the_text() {
    for name in ["tea.libreoffice.pdf", "pump.pandoc.docx", "stock.libreoffice.xlsx", "lighthouse.libreoffice.doc", "stock.libreoffice.xls"]
    {
        let bytes = file(name);
        let kind = name.rsplit('.').next().expect("an extension");
        for percent in [1, 10, 50, 90, 99] {
            let outcome = parse(&bytes[..bytes.len() * percent / 100], kind, &ParseLimits::default());
            if matches!(kind, "docx" | "xlsx") {
                assert!(outcome.is_err(), "{name} cut to {percent} %");
            }
            if let Err(error) = outcome {
                let sentence = error.to_string();
                assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{name} cut to {percent} %: {sentence}");
            }
        }
    }
}

#[test]
fn files_with_turned_bytes_never_escape() {
    for name in ["tea.libreoffice.pdf", "pump.pandoc.docx", "lighthouse.libreoffice.doc", "stock.libreoffice.xlsx"] {
        let bytes = file(name);
        let kind = name.rsplit('.').next().expect("an extension");
        for seed in 1..=12_usize {
            let mut turned = bytes.clone();
            for at in (seed * 31..turned.len()).step_by(turned.len() / 40 + seed) {
                turned[at] ^= (seed * 37 + at) as u8;
            }
            // Whatever comes out is fine as long as it comes out.
            drop(parse(&turned, kind, &ParseLimits::default()));
        }
    }
}

/// A member of zeros, stored as the central directory of an archive describes it.
fn bomb(name: &str, packed_bytes: u32, unpacked_bytes: u32) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(60, 0);
    let start = bytes.len() as u32;
    bytes.extend(b"PK\x01\x02");
    bytes.extend([0; 16]);
    bytes.extend(packed_bytes.to_le_bytes());
    bytes.extend(unpacked_bytes.to_le_bytes());
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(name.as_bytes());
    bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend(46_u32.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

#[test]
fn archives_that_swell_are_not_opened() {
    let limits = ParseLimits::default();
    for (packed, unpacked) in [(1_000, 4_000_000_000), (4_000_000, 1_000_000_000)] {
        let error = parse(&bomb("word/document.xml", packed, unpacked), "docx", &limits).expect_err("too large");
        assert!(matches!(error, ParseError::UnpacksTooLarge { .. }), "{error}");
    }
    let honest = parse(&bomb("word/document.xml", 1_000, 4_000), "docx", &limits).expect_err("no such member");
    assert!(matches!(honest, ParseError::Damaged { .. }), "{honest}");
}

#[test]
fn what_is_not_read_yet_says_what_is_possible() {
    let limits = ParseLimits::default();
    let sentence = parse(b"\x89PNG\r\n\x1a\n", "PNG", &limits).expect_err("a picture").to_string();
    assert!(sentence.contains("pictures can not be read yet"), "{sentence}");
    assert!(matches!(parse(b"x", "exe", &limits), Err(ParseError::Unsupported { .. })));
}

#[test]
fn text_beyond_the_limit_is_refused() {
    let limits = ParseLimits { text_bytes_max: 10, ..ParseLimits::default() };
    assert!(matches!(parse(b"more than ten bytes", "txt", &limits), Err(ParseError::TextTooLarge { .. })));
}
