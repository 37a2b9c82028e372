//! The model against the plain forward pass of `embedder-local/derive/derive.py`, and against texts that are no sentences.

use super::*;
use std::sync::OnceLock;

static TABLE: &[u8] = include_bytes!("../../embedder-local/data/table.bin");
static GOLDEN: &str = include_str!("../../embedder-local/data/golden.tsv");

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| Model::read(TABLE).unwrap())
}

fn unescape(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\")
}

fn numbers(text: &str) -> Vec<f32> {
    text.split(' ').map(|x| x.parse().unwrap()).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn texts_are_cut_and_embedded_as_the_derivation_does() {
    let mut lines = 0;
    for line in GOLDEN.lines() {
        let [text, ids, network, fixed]: [&str; 4] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let text = unescape(text);
        let ids: Vec<u32> = ids.split(' ').map(|id| id.parse().unwrap()).collect();
        assert_eq!(model().tokeniser.tokens(&text), ids, "{text}");
        for (variant, expected) in [(Variant::Network, network), (Variant::Static, fixed)] {
            let (row, expected) = (model().embed(variant, &text).row, numbers(expected));
            assert!(cosine(&row[..64], &expected) > 0.999, "{variant:?} {text}: {}", cosine(&row[..64], &expected));
            let gap = row.iter().zip(&expected).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert!(gap < 0.01, "{variant:?} {text}: {gap}");
        }
        lines += 1;
    }
    assert_eq!(lines, 9);
}

#[test]
fn a_translation_is_nearer_than_another_subject() {
    for variant in [Variant::Network, Variant::Static] {
        let row = |text: &str| model().embed(variant, text).row;
        let (english, chinese, other) =
            (row("The cat sleeps on the sofa."), row("猫在沙发上睡觉。"), row("The parliament raised the income tax."));
        assert!(cosine(&english, &chinese) > cosine(&english, &other) + 0.2, "{variant:?}");
    }
}

#[test]
fn every_text_gets_a_finite_row_of_unit_length() {
    let odd = [
        "",
        " ",
        "\0",
        "\u{feff}",
        "\u{200b}\u{200b}",
        "😀",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "\u{10ffff}\u{e0001}",
        "ﷺ",
        "a\u{301}\u{301}\u{301}",
        "ᄀ",
        "\u{2581}",
    ];
    for variant in [Variant::Network, Variant::Static] {
        for text in odd {
            let row = model().embed(variant, text).row;
            assert_eq!(row.len(), DIMENSION);
            let length = row.iter().map(|x| x * x).sum::<f32>();
            assert!((length - 1.0).abs() < 1e-3, "{variant:?} {text:?} {length}");
        }
    }
}

#[test]
fn a_megabyte_is_embedded_in_bounded_time_and_memory() {
    for text in ["知识库".repeat(120_000), "x".repeat(1 << 20), "word and word ".repeat(75_000), " ".repeat(1 << 20)] {
        for variant in [Variant::Network, Variant::Static] {
            let embedded = model().embed(variant, &text);
            assert!(embedded.row.iter().all(|x| x.is_finite()));
            assert!(variant == Variant::Static || embedded.tokens <= NETWORK_TOKENS_MAX);
        }
    }
}

#[test]
fn equal_texts_have_equal_rows_and_others_do_not() {
    let row = |text: &str| model().embed(Variant::Network, text).row;
    assert_eq!(row("same text"), row("same text"));
    assert_eq!(row("Ｓａｍｅ　ｔｅｘｔ"), row("Same text"));
    assert_ne!(row("same text"), row("some text"));
}

#[test]
fn slices_give_the_whole_text_back() {
    for text in ["é".repeat(20_000), "a b ".repeat(20_000), "a".repeat(SLICE_BYTES_MAX), String::new()] {
        assert_eq!(slices(&text).collect::<String>(), text);
        assert!(slices(&text).all(|slice| !slice.is_empty() && slice.len() <= SLICE_BYTES_MAX));
    }
}

#[test]
fn a_damaged_table_is_refused_by_name() {
    let refused = |bytes: &'static [u8]| Model::read(bytes).err().unwrap().to_string();
    assert!(refused(b"").contains("does not begin"));
    assert!(refused(&TABLE[..8]).contains("META"));
    assert!(refused(&TABLE[..TABLE.len() / 2]).contains("is missing"));
}
