//! The manifest against the table and against our own pairs of questions and passages.
//!
//! Not here: the model's own tests (`core/tests.rs`).

use super::*;
use knowhost_plugin_sdk::manifest::{Manifest, ManifestModel};
use sha2::{Digest, Sha256};

/// The contract's default threshold.
const THRESHOLD: f32 = 0.5;
/// One line: English question and passage, Chinese question and passage.
static PAIRS: &str = include_str!("../derive/pairs.tsv");

fn manifest() -> Manifest {
    Manifest::parse(include_str!("../plugin.toml")).unwrap()
}

fn shown(model: &ManifestModel, raw: f32) -> f32 {
    let points = &model.score_map;
    let right = points.partition_point(|point| point.0 < raw).clamp(1, points.len() - 1);
    let ((x0, y0), (x1, y1)) = (points[right - 1], points[right]);
    (y0 + (y1 - y0) * (raw - x0) / (x1 - x0)).clamp(points[0].1, points[points.len() - 1].1)
}

/// Shares of relevant and of random pairs that reach the threshold.
fn rates(model: &ManifestModel, questions: &[Vec<f32>], passages: &[Vec<f32>]) -> (f32, f32) {
    let (mut relevant, mut random) = (0, 0);
    for (i, question) in questions.iter().enumerate() {
        for (j, passage) in passages.iter().enumerate() {
            let cosine = question.iter().zip(passage).map(|(x, y)| x * y).sum();
            let counter = if i == j { &mut relevant } else { &mut random };
            *counter += u32::from(shown(model, cosine) >= THRESHOLD);
        }
    }
    let count = questions.len() as f32;
    (relevant as f32 / count, random as f32 / (count * (count - 1.0)))
}

#[test]
fn the_manifest_names_this_table_and_these_models() {
    let digest = Sha256::digest(TABLE).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let models = manifest().models;
    assert_eq!(models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), [NETWORK_MODEL, STATIC_MODEL]);
    for model in models {
        assert_eq!(model.dimension, Some(DIMENSION as u32));
        let named = model.digest.unwrap();
        assert!(named.contains(&digest[..32]), "plugin.toml says {named}, the table's SHA-256 is {digest}");
        assert!(variant(&model.name).is_ok());
    }
    assert!(variant("another").is_err());
}

#[test]
fn at_the_default_threshold_relevant_pairs_survive_and_random_ones_mostly_do_not() {
    let lines: Vec<Vec<&str>> = PAIRS.lines().map(|line| line.split('\t').collect()).collect();
    assert!(lines.iter().all(|line| line.len() == 4));
    // The static variant tells subjects apart less well: with one map it misses .95 for one pair of languages.
    for (model, (relevant_min, random_max)) in manifest().models.iter().zip([(0.95, 0.10), (0.93, 0.50)]) {
        let rows = |column: usize| -> Vec<Vec<f32>> {
            let embed = |line: &Vec<&str>| super::model().unwrap().embed(variant(&model.name).unwrap(), line[column]).row;
            lines.iter().map(embed).collect()
        };
        let columns: Vec<Vec<Vec<f32>>> = (0..4).map(rows).collect();
        for (name, question, passage) in [("en-en", 0, 1), ("zh-zh", 2, 3), ("en-zh", 0, 3), ("zh-en", 2, 1)] {
            let (relevant, random) = rates(model, &columns[question], &columns[passage]);
            eprintln!("{} {name}: {relevant:.3} of relevant, {random:.3} of random pairs", model.name);
            assert!(relevant >= relevant_min, "{} {name}: {relevant}", model.name);
            assert!(random <= random_max, "{} {name}: {random}", model.name);
        }
    }
}
