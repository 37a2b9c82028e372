//! The manifest against the files, and the model against the plain forward pass of `derive/golden.py`.
//!
//! What needs the files (32 MB, not part of the repository) runs where `KNOWHOST_TEST_MODELS` names the folder that holds them; `tests/run`
//! sets it.

use super::*;
use embedder_core::DIMENSION;
use knowhost_plugin_sdk::manifest::{Manifest, ManifestModel};
use knowhost_plugin_sdk::testing::with_files;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

static GOLDEN: &str = include_str!("../data/golden.tsv");
/// One line: English question and passage, Chinese question and passage.
static PAIRS: &str = include_str!("../../embedder-local/derive/pairs.tsv");
/// The contract's default threshold.
const THRESHOLD: f32 = 0.5;

fn manifest() -> Manifest {
    Manifest::parse(include_str!("../plugin.toml")).unwrap()
}

fn file(name: &str) -> Option<Vec<u8>> {
    match std::env::var_os("KNOWHOST_TEST_MODELS") {
        Some(folder) => Some(std::fs::read(PathBuf::from(folder).join(name)).unwrap()),
        None => {
            eprintln!("skipped: KNOWHOST_TEST_MODELS names no folder with sp.model and weights.npz");
            None
        }
    }
}

/// The real model; `None` where its files are not at hand.
fn real() -> Option<&'static FullModel> {
    static MODEL: OnceLock<Option<FullModel>> = OnceLock::new();
    let read = || {
        let (pieces, weights) = (file(PIECES_FILE)?, file(WEIGHTS_FILE)?);
        let files = [(PIECES_FILE, pieces), (WEIGHTS_FILE, weights)];
        Some(with_files(files, || FullModel::read(File::open(PIECES_FILE), File::open(WEIGHTS_FILE))).unwrap())
    };
    MODEL.get_or_init(read).as_ref()
}

fn unescape(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
}

fn shown(model: &ManifestModel, raw: f32) -> f32 {
    let points = &model.score_map;
    let right = points.partition_point(|point| point.0 < raw).clamp(1, points.len() - 1);
    let ((x0, y0), (x1, y1)) = (points[right - 1], points[right]);
    (y0 + (y1 - y0) * (raw - x0) / (x1 - x0)).clamp(points[0].1, points[points.len() - 1].1)
}

#[test]
fn the_manifest_names_these_files_and_this_model() {
    let manifest = manifest();
    assert_eq!(manifest.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), [PIECES_FILE, WEIGHTS_FILE]);
    let model = &manifest.models[0];
    assert_eq!((model.name.as_str(), model.dimension), (MODEL, Some(DIMENSION as u32)));
    let named = model.digest.as_deref().unwrap();
    assert!(named.contains(&manifest.files[1].sha256[..32]), "vectors of other weights would not compare: {named}");
    for listed in &manifest.files {
        let Some(bytes) = file(&listed.name) else { return };
        let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!((listed.size_bytes, &listed.sha256), (bytes.len() as u64, &digest));
    }
}

#[test]
fn texts_are_cut_and_embedded_as_the_unreduced_model_does() {
    let Some(model) = real() else { return };
    let mut lines = 0;
    for line in GOLDEN.lines() {
        let [text, ids, row]: [&str; 3] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let text = unescape(text);
        let ids: Vec<u32> = ids.split(' ').map(|id| id.parse().unwrap()).collect();
        assert_eq!(model.tokens(&text), ids, "{text}");
        let expected: Vec<f32> = row.split(' ').map(|x| x.parse().unwrap()).collect();
        let row = model.embed(&text).row;
        let gap = row.iter().zip(&expected).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        eprintln!("{gap:.5} {text}");
        assert!(gap < 0.003, "{text}: {gap}");
        assert!((row.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-3);
        lines += 1;
    }
    assert_eq!(lines, 15);
}

#[test]
fn every_text_gets_a_finite_row() {
    let Some(model) = real() else { return };
    let odd = ["\0", "\u{feff}", "\u{10ffff}\u{e0001}", "ㅎㅏㄴ", "ﾊﾞﾋﾞ", "a\u{301}\u{301}", "\u{2581}"].map(str::to_owned);
    for text in odd.into_iter().chain(["知识库".repeat(60_000), " ".repeat(1 << 20), "x".repeat(1 << 20)]) {
        let embedded = model.embed(&text);
        assert!(embedded.row.len() == DIMENSION && embedded.row.iter().all(|x| x.is_finite()));
        assert!(embedded.tokens <= embedder_core::NETWORK_TOKENS_MAX);
    }
}

#[test]
fn at_the_default_threshold_relevant_pairs_survive_and_random_ones_mostly_do_not() {
    let Some(full) = real() else { return };
    let manifest = manifest();
    let lines: Vec<Vec<&str>> = PAIRS.lines().map(|line| line.split('\t').collect()).collect();
    let rows = |column: usize| lines.iter().map(|line| full.embed(line[column]).row).collect::<Vec<_>>();
    let columns: Vec<Vec<Vec<f32>>> = (0..4).map(rows).collect();
    for (name, questions, passages) in [("en-en", 0, 1), ("zh-zh", 2, 3), ("en-zh", 0, 3), ("zh-en", 2, 1)] {
        let (mut relevant, mut random) = (0, 0);
        for (i, question) in columns[questions].iter().enumerate() {
            for (j, passage) in columns[passages].iter().enumerate() {
                let cosine = question.iter().zip(passage).map(|(x, y)| x * y).sum();
                *(if i == j { &mut relevant } else { &mut random }) += u32::from(shown(&manifest.models[0], cosine) >= THRESHOLD);
            }
        }
        let count = lines.len() as f32;
        let (relevant, random) = (relevant as f32 / count, random as f32 / (count * (count - 1.0)));
        eprintln!("{name}: {relevant:.3} of relevant, {random:.3} of random pairs");
        assert!(relevant >= 0.95 && random <= 0.08, "{name}: {relevant} {random}");
    }
}

#[test]
fn files_that_are_something_else_are_refused() {
    let read = |pieces: &[u8], weights: &[u8]| {
        with_files([(PIECES_FILE, pieces.to_vec()), (WEIGHTS_FILE, weights.to_vec())], || {
            FullModel::read(File::open(PIECES_FILE), File::open(WEIGHTS_FILE)).err().unwrap().to_string()
        })
    };
    assert!(read(b"", b"").contains("archive"));
    assert!(read(b"", &[0; 100_000]).contains("has no end"));
    let Err(error) = pieces::tokeniser(vec![0xff; 40], 1) else { panic!("no pieces") };
    assert!(error.to_string().contains("sp.model"), "{error}");
    assert!(pieces::tokeniser(Vec::new(), 1).is_err());
}
