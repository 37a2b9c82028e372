//! The contract's own vectors, and what holds for every text.

use super::*;
use proptest::prelude::*;

fn splitter(size: i64, overlap: i64) -> Splitter {
    Splitter::new(&ChunkingConfig { chunk_size: size, chunk_overlap: overlap, ..ChunkingConfig::default() }).expect("valid")
}

/// `start-end content` of each piece.
fn cut(text: &str, size: i64, overlap: i64) -> Vec<(usize, usize, String)> {
    splitter(size, overlap).split(text).into_iter().map(|piece| (piece.start, piece.end, piece.content)).collect()
}

fn check(text: &str, size: i64, overlap: i64, wanted: &[(usize, usize, &str)]) {
    let wanted: Vec<_> = wanted.iter().map(|(start, end, content)| (*start, *end, (*content).to_owned())).collect();
    assert_eq!(cut(text, size, overlap), wanted);
}

#[test]
fn separators_lead_the_piece_that_follows() {
    check("aaaa\n\nbbbb\n\ncccc\n\ndddd", 10, 4, &[(0, 10, "aaaa\n\nbbbb"), (10, 16, "\n\ncccc"), (16, 22, "\n\ndddd")]);
}

#[test]
fn chinese_sentences_are_cut_at_their_full_stops() {
    let wanted = [(0, 3, "一二三"), (3, 7, "。四五六"), (7, 13, "。七八九。十"), (13, 19, "\n甲乙丙。丁")];
    check("一二三。四五六。七八九。十\n甲乙丙。丁", 6, 3, &wanted);
}

#[test]
fn text_without_separators_falls_into_characters_with_overlap() {
    let wanted = [(0, 10, "abcdefghij"), (7, 17, "hijklmnopq"), (14, 24, "opqrstuvwx"), (21, 26, "vwxyz")];
    check("abcdefghijklmnopqrstuvwxyz", 10, 3, &wanted);
}

#[test]
fn links_and_formulas_stay_whole() {
    let wanted = [(0, 5, "xxxx "), (3, 27, "x [a link](http://e.x/y)"), (27, 37, " yyyy zzzz")];
    check("xxxx [a link](http://e.x/y) yyyy zzzz", 24, 5, &wanted);
    let wanted = [(0, 13, "aaa $$x+y\nz$$"), (13, 27, " bbb\n\nccc ddd "), (23, 34, "ddd eee fff")];
    check("aaa $$x+y\nz$$ bbb\n\nccc ddd eee fff", 14, 4, &wanted);
}

#[test]
fn the_opening_of_a_code_block_stays_with_its_first_line() {
    let text = "p\n```python\nx=1\ny=2\n```\nq\nmore text that is long enough to go over";
    let places: Vec<_> = cut(text, 20, 5).into_iter().map(|(start, end, _)| (start, end)).collect();
    assert_eq!(places, [(0, 19), (15, 35), (30, 50), (45, 65), (60, 66)]);
}

const HEADER: &str = "| a | b |\n|---|---|\n";

fn table(before: &str, rows: usize, after: &str) -> String {
    let rows: String = (0..rows).map(|row| format!("| r{row} | v{row} |\n")).collect();
    format!("{before}{HEADER}{rows}{after}")
}

#[test]
fn a_table_that_is_cut_repeats_its_header() {
    let text = table("intro\n\n", 8, "\nend text here\n");
    let pieces = cut(&text, 60, 10);
    let places: Vec<_> = pieces.iter().map(|(start, end, _)| (*start, *end)).collect();
    assert_eq!(places[..3], [(0, 39), (39, 51), (51, 63)]);
    assert_eq!(places[places.len() - 2..], [(99, 111), (111, 138)]);
    assert!(pieces[1..].iter().all(|(_, _, content)| content.starts_with(HEADER)), "{pieces:?}");
    assert_eq!(pieces[1].2.chars().count(), 32);
}

#[test]
fn rows_overlap_where_the_overlap_holds_a_row() {
    let pieces = cut(&table("intro\n\n", 8, "\nend text here that is longer\n"), 60, 20);
    let places: Vec<_> = pieces.iter().map(|(start, end, content)| (*start, *end, content.chars().count())).collect();
    assert_eq!(places[..3], [(0, 39, 39), (27, 51, 44), (39, 63, 44)]);
}

/// The reference says the header twice here; once is enough (deviation Q23).
#[test]
fn a_header_in_the_overlap_is_not_repeated() {
    let pieces = cut(&table(&format!("{}\n\n", "x".repeat(18)), 4, ""), 80, 50);
    let places: Vec<_> = pieces.iter().map(|(start, end, _)| (*start, *end)).collect();
    assert_eq!(places[0], (0, 52));
    assert_eq!(pieces[1].2.matches(HEADER).count(), 1, "{pieces:?}");
}

#[test]
fn a_second_table_has_its_own_header() {
    let second = "| c | d |\n|---|---|\n| s0 | w0 |\n| s1 | w1 |\n| s2 | w2 |\n";
    let pieces = cut(&table("", 3, second), 50, 0);
    let last = &pieces.last().expect("pieces").2;
    assert!(last.starts_with("| c | d |") && !last.contains("| a | b |"), "{pieces:?}");
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let places: Vec<_> = cut(&"段落一。".repeat(200), 0, 0).into_iter().map(|(start, end, _)| (start, end)).collect();
    assert_eq!(places, [(0, 511), (463, 800)]);
    assert_eq!(splitter(600, 0).overlap, 0);
}

#[test]
fn impossible_settings_are_told() {
    let error = |config: ChunkingConfig| Splitter::new(&config).expect_err("impossible").to_string();
    let config = |chunk_size, chunk_overlap| ChunkingConfig { chunk_size, chunk_overlap, ..ChunkingConfig::default() };
    assert_eq!(error(config(10, 50)), "Got a larger chunk overlap (50) than chunk size (10), should be smaller.");
    assert!(error(config(-1, 0)).contains("-1"));
    let separators = Some(vec!["\n".to_owned(), String::new()]);
    assert_eq!(error(ChunkingConfig { separators, ..config(10, 0) }), "empty separator");
}

#[test]
fn records_are_pieces_and_long_ones_are_cut() {
    let pieces = splitter(10, 0).split_records(["ab\n", "0123456789abcdef\n"].into_iter());
    let places: Vec<_> = pieces.iter().map(|piece| (piece.start, piece.end)).collect();
    assert_eq!(places, [(0, 3), (3, 13), (13, 20)]);
}

/// One pass each: this would take hours if a mark were looked for anew at every bracket or pipe.
#[test]
fn long_lines_of_marks_take_one_pass() {
    for mark in ["[", "![", "|", "$", "```a", "|\r", "| --- "] {
        let pieces = splitter(512, 50).split(&mark.repeat(200_000));
        assert!(!pieces.is_empty());
    }
}

/// Texts that mix plain words of several scripts with everything that is protected.
fn text() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => "[a-z ]{0,12}",
        2 => "[一-三。，]{0,8}",
        1 => ".{0,6}",
        1 => Just("\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("[a](b)".to_owned()),
        1 => Just("![pic](http://x.test/é.png)".to_owned()),
        1 => Just("$$a\nb$$".to_owned()),
        1 => Just("```rust\nfn x()\n".to_owned()),
        1 => Just(HEADER.to_owned()),
        2 => Just("| r | 值 |\n".to_owned()),
        1 => Just("| --- |".to_owned()),
    ];
    proptest::collection::vec(atom, 0..40).prop_map(|atoms| atoms.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn offsets_slice_back_and_nothing_is_lost(
        text in text(),
        size in 1_usize..80,
        overlap_share in 0_usize..=100,
        separators in proptest::collection::vec("[a-c\n。 ]{1,2}", 0..4),
    ) {
        let overlap = size * overlap_share / 100;
        let config = ChunkingConfig {
            chunk_size: size as i64,
            chunk_overlap: overlap as i64,
            separators: Some(separators),
            enable_multimodal: false,
        };
        let pieces = Splitter::new(&config).expect("valid").split(&text);
        let chars: Vec<char> = text.chars().collect();
        let mut covered = 0;
        for piece in &pieces {
            let slice: String = chars[piece.start..piece.end].iter().collect();
            prop_assert!(piece.content.ends_with(&slice), "{piece:?} is not {slice:?}");
            let header = &piece.content[..piece.content.len() - slice.len()];
            prop_assert!(header.is_empty() || text.contains(header) && header.trim_start().starts_with('|'), "{header:?}");
            prop_assert!(piece.start <= covered && piece.end > covered, "{piece:?} after {covered}");
            prop_assert!(covered - piece.start <= overlap, "{piece:?} overlaps {covered}");
            prop_assert!(piece.content.chars().count() <= size, "{piece:?} is longer than {size}");
            covered = piece.end;
        }
        prop_assert_eq!(covered, chars.len());
    }
}
