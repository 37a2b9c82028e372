//! The metrics of evaluations against pytrec_eval, sacrebleu and rouge-score, on rankings and texts made at random from a fixed seed.
//!
//! Not here: whole evaluation runs (`server/evaluation.rs`).

use knowhost::evaluate::metrics::{generation_metrics, retrieval_metrics};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

const SEED: &str = "20261124";
const COUNT: &str = "2000";
const TOLERANCE: f64 = 1e-9;

fn expected() -> Value {
    let python = std::env::var("KNOWHOST_TEST_PYTHON")
        .expect("KNOWHOST_TEST_PYTHON names a Python with the packages of tests/servers/requirements.txt; `tests/run server` sets it");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/expected_metrics.py");
    let output = Command::new(python).args([script, SEED, COUNT]).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn cases<'a>(expected: &'a Value, kind: &str) -> &'a Vec<Value> {
    let cases = expected[kind].as_array().expect("a list");
    assert!(cases.len() >= 1000, "{kind}: {} cases", cases.len());
    cases
}

fn numbers(value: &Value) -> Vec<i64> {
    value.as_array().expect("a list").iter().map(|number| number.as_i64().expect("a number")).collect()
}

fn compare(case: &Value, measured: &Value) {
    let wanted = case["expected"].as_object().expect("names");
    assert_eq!(wanted.len(), measured.as_object().expect("names").len(), "{case}");
    for (name, wanted) in wanted {
        let (wanted, given) = (wanted.as_f64().expect("a number"), measured[name].as_f64().expect("a number"));
        assert!((wanted - given).abs() <= TOLERANCE, "{name} is {given}, expected {wanted}: {case}");
    }
}

#[test]
fn metrics_are_those_of_pytrec_eval_sacrebleu_and_rouge_score() {
    let expected = expected();
    for case in cases(&expected, "rankings") {
        let relevant: BTreeSet<i64> = numbers(&case["relevant"]).into_iter().collect();
        let measured = retrieval_metrics(&numbers(&case["retrieved"]), &relevant).expect("something is relevant");
        compare(case, &serde_json::to_value(measured).expect("JSON"));
    }
    for case in cases(&expected, "texts") {
        let text = |name: &str| case[name].as_str().expect("a text");
        let measured = generation_metrics(text("answer"), text("reference")).expect("there is a reference");
        compare(case, &serde_json::to_value(measured).expect("JSON"));
    }
}
