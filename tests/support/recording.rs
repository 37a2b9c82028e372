//! The reference's recorded answers: what was asked, what came, and how an answer of ours differs from it.
//!
//! Not here: the order of the steps and what they need beside each other (`contract::recorded`).

use crate::repository;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

/// An entry of `docs/deviations.json`: a place of a recorded answer that differs on purpose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    pub step: String,
    /// JSON pointer; what lies below it may differ too.
    pub path: String,
    pub reason: String,
    /// Only the order of the list at `path` differs; its items are compared by their `content`.
    #[serde(default)]
    pub order_only: bool,
}

/// A place where an answer differs from the recorded one.
#[derive(Debug)]
pub struct Difference {
    pub path: String,
    pub text: String,
}

pub struct Recording {
    steps: Vec<Value>,
    deviations: Vec<Deviation>,
    /// What stands for a placeholder (`<id3>`, `<key>`, `<jwt>`, `<refresh>`) on the server under test.
    known: HashMap<String, String>,
    replayed: BTreeSet<String>,
    used: BTreeSet<usize>,
    /// Differences that no entry names.
    wrong: Vec<String>,
}

impl Recording {
    /// `replace`: texts of the recording that are others here, such as the address of its model server.
    pub fn load(replace: &[(&str, &str)]) -> Self {
        let read = |path: &str| std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let recorded = replace.iter().fold(read("tests/contract/recorded-answers.json"), |text, (from, to)| text.replace(from, to));
        Self {
            steps: serde_json::from_str(&recorded).expect("the recording is JSON"),
            deviations: serde_json::from_str(&read("docs/deviations.json")).expect("docs/deviations.json"),
            known: HashMap::new(),
            replayed: BTreeSet::new(),
            used: BTreeSet::new(),
            wrong: Vec::new(),
        }
    }

    pub fn step(&self, name: &str) -> Value {
        self.steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("{name} is not recorded")).clone()
    }

    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    pub fn knows(&mut self, placeholder: &str, value: &str) {
        self.known.insert(placeholder.to_owned(), value.to_owned());
    }

    pub fn known(&self, placeholder: &str) -> &str {
        self.known.get(placeholder).unwrap_or_else(|| panic!("nothing stands for {placeholder} yet"))
    }

    /// A text with the ids of this server in the place of the recorded ones.
    pub fn filled(&self, template: &str) -> String {
        self.known
            .iter()
            .filter(|(placeholder, _)| placeholder.starts_with("<id"))
            .fold(template.to_owned(), |filled, (name, value)| filled.replace(name.as_str(), value))
    }

    /// Compares the answer to a step; what differs on purpose is crossed off the list.
    pub fn compare(&mut self, name: &str, actual: &Value) {
        self.replayed.insert(name.to_owned());
        let expected = self.step(name)["body"].clone();
        let mut differences = Vec::new();
        self.walk(name, "", &expected, actual, &mut differences);
        for Difference { path, text } in differences {
            let covers = |entry: &Deviation| {
                !entry.order_only && entry.step == name && (path == entry.path || path.starts_with(&format!("{}/", entry.path)))
            };
            match self.deviations.iter().position(covers) {
                Some(at) => {
                    self.used.insert(at);
                }
                None => self.wrong.push(format!("{name} {path}: {text}")),
            }
        }
    }

    pub fn differs(&mut self, name: &str, text: String) {
        self.wrong.push(format!("{name}: {text}"));
    }

    /// # Panics
    /// With all that differs and is not listed, entries that nothing needed, and steps that nobody asked.
    pub fn finish(mut self) {
        let unused = self.deviations.iter().enumerate().filter(|(at, _)| !self.used.contains(at));
        self.wrong.extend(unused.map(|(_, entry)| format!("nothing differs at {} {}: {}", entry.step, entry.path, entry.reason)));
        let left_out = self.steps.iter().filter_map(|step| step["name"].as_str()).filter(|name| !self.replayed.contains(*name));
        self.wrong.extend(left_out.map(|name| format!("{name} was not asked")));
        self.wrong.extend(self.deviations.iter().filter(|entry| entry.reason.len() < 10).map(|entry| format!("{entry:?} says no reason")));
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }

    fn walk(&mut self, step: &str, path: &str, expected: &Value, actual: &Value, found: &mut Vec<Difference>) {
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(given)) => self.walk_object(step, path, wanted, given, found),
            (Value::Array(wanted), Value::Array(given)) => {
                if wanted.len() != given.len() {
                    found.push(Difference { path: path.to_owned(), text: format!("{} items instead of {}", given.len(), wanted.len()) });
                }
                let given = self.in_recorded_order(step, path, wanted, given);
                for (at, (wanted, given)) in wanted.iter().zip(&given).enumerate() {
                    self.walk(step, &format!("{path}/{at}"), wanted, given, found);
                }
            }
            (Value::String(wanted), Value::String(given)) if self.fits(wanted, given) => {}
            (wanted, given) if wanted == given || is_near(wanted, given) => {}
            (wanted, given) => found.push(Difference { path: path.to_owned(), text: format!("{given} instead of {wanted}") }),
        }
    }

    fn walk_object(
        &mut self,
        step: &str,
        path: &str,
        wanted: &Map<String, Value>,
        given: &Map<String, Value>,
        found: &mut Vec<Difference>,
    ) {
        for (name, wanted) in wanted {
            let path = format!("{path}/{name}");
            match given.get(name) {
                Some(given) => self.walk(step, &path, wanted, given, found),
                None => found.push(Difference { path, text: "is absent".to_owned() }),
            }
        }
        for name in given.keys().filter(|name| !wanted.contains_key(*name)) {
            found.push(Difference { path: format!("{path}/{name}"), text: "is not recorded".to_owned() });
        }
    }

    /// The items in the order of the recorded ones, where the list of deviations says that only the order differs.
    fn in_recorded_order(&mut self, step: &str, path: &str, wanted: &[Value], given: &[Value]) -> Vec<Value> {
        let entry = self.deviations.iter().position(|entry| entry.order_only && entry.step == step && entry.path == path);
        let Some(entry) = entry else { return given.to_vec() };
        let place = |item: &Value| wanted.iter().position(|wanted| wanted["content"] == item["content"]).unwrap_or(usize::MAX);
        let mut ordered = given.to_vec();
        ordered.sort_by_key(place);
        if ordered != given {
            self.used.insert(entry);
        }
        ordered
    }

    /// Whether a text is the recorded one, or what its placeholder stands for.
    fn fits(&mut self, wanted: &str, given: &str) -> bool {
        let is_placeholder = wanted.starts_with('<') && wanted.ends_with('>') && !wanted.contains('\n');
        match wanted {
            "<ts>" => is_time(given),
            "<prompt text>" => !given.is_empty(),
            "<apikey>" => given.starts_with("sk-") && given.len() == 51,
            "<jwt>" => given.split('.').count() == 3,
            id if is_placeholder => self.known.entry(id.to_owned()).or_insert_with(|| given.to_owned()) == given,
            text => text == given,
        }
    }
}

/// Fractions agree to seven digits: what models answer travels as 32-bit numbers.
fn is_near(wanted: &Value, given: &Value) -> bool {
    let fraction = |value: &Value| value.as_f64().filter(|_| value.is_f64());
    matches!((fraction(wanted), fraction(given)), (Some(wanted), Some(given)) if (wanted - given).abs() <= wanted.abs() * 1e-7)
}

/// RFC 3339 with a zone, as every time of the contract.
fn is_time(text: &str) -> bool {
    let shape = |text: &str| text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte }).collect::<Vec<u8>>();
    let Some((seconds, rest)) = text.split_at_checked(19) else { return false };
    let zone = rest.trim_start_matches(|character: char| character == '.' || character.is_ascii_digit());
    shape(seconds) == b"0000-00-00T00:00:00" && (zone == "Z" || [b"+00:00".as_slice(), b"-00:00"].contains(&shape(zone).as_slice()))
}

/// The data of all events of a stream.
pub fn events(text: &str) -> Value {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.map(|data| serde_json::from_str::<Value>(data).unwrap_or_else(|error| json!(format!("{error}: {data}")))).collect()
}
