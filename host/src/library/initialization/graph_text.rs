//! Reads entities and relations out of what a model wrote: fenced, cut off, with commas too many or words around it.
//!
//! Not here: what is done with them (`extract`).

use crate::limits;
use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GraphText {
    /// Name and attributes, in the model's order.
    pub(super) entities: Vec<(String, Vec<String>)>,
    /// Both ends and the kind.
    pub(super) relations: Vec<(String, String, String)>,
}

/// `None`: there is no JSON of the wanted kind. An empty list is an answer.
pub(super) fn parse(answer: &str) -> Option<GraphText> {
    let text = fenced(answer).unwrap_or(answer);
    let mut items = Vec::new();
    let is_json = match serde_json::from_str::<Value>(text.trim()) {
        Ok(value) => collect(value, &mut items),
        Err(_) => {
            let mut found = text.contains("[]");
            for object in objects(text) {
                found |= repaired(object).is_some_and(|value| collect(value, &mut items));
            }
            found
        }
    };
    is_json.then(|| graph(items))
}

/// The first block between fences that is JSON by its tag or has none; a last fence may be missing.
fn fenced(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find("```") {
        let block = &rest[at + 3..];
        let (tag, body) = block.split_once('\n')?;
        let (body, after) = body.split_once("```").unwrap_or((body, ""));
        if matches!(tag.trim().to_ascii_lowercase().as_str(), "" | "json") {
            return Some(body);
        }
        rest = after;
    }
    None
}

/// Puts the objects of a value on the list; `false`: it is neither an object nor a list.
fn collect(value: Value, items: &mut Vec<Value>) -> bool {
    match value {
        Value::Array(list) => {
            items.extend(list.into_iter().filter(Value::is_object));
            true
        }
        Value::Object(map) => {
            let is_item = ["entity", "entity1"].iter().any(|key| map.contains_key(*key));
            // Models that must write an object put the list into one.
            match map.values().find(|value| value.is_array()) {
                Some(Value::Array(_)) if !is_item => {
                    items.extend(
                        map.into_iter()
                            .filter_map(|(_, value)| match value {
                                Value::Array(list) => Some(list),
                                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => None,
                            })
                            .flatten(),
                    );
                    true
                }
                Some(_) | None => {
                    items.push(Value::Object(map));
                    is_item
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The outermost balanced objects of a text, in order; braces in strings do not count. What is cut off is no object, but what is whole
/// inside it is.
fn objects(text: &str) -> Vec<&str> {
    let mut open: Vec<usize> = Vec::new();
    let mut whole: Vec<(usize, usize)> = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            // Outside of objects a quotation mark is prose.
            b'"' => in_string = !open.is_empty(),
            b'{' => open.push(at),
            b'}' => {
                if let Some(start) = open.pop() {
                    while whole.last().is_some_and(|(inner, _)| *inner > start) {
                        whole.pop();
                    }
                    whole.push((start, at + 1));
                }
            }
            _ => {}
        }
    }
    whole.into_iter().map(|(start, end)| &text[start..end]).collect()
}

/// An object with what models get wrong: commas before closing brackets, line feeds inside strings.
fn repaired(object: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(object) {
        return Some(value);
    }
    let mut out = String::with_capacity(object.len());
    let (mut in_string, mut escaped) = (false, false);
    for letter in object.chars() {
        if in_string {
            match letter {
                '\n' => out.push_str("\\n"),
                '\r' | '\t' => out.push(' '),
                _ => out.push(letter),
            }
            in_string = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        if matches!(letter, '}' | ']') {
            let kept = out.trim_end();
            if let Some(kept) = kept.strip_suffix(',') {
                out.truncate(kept.len());
            }
        }
        in_string = letter == '"';
        out.push(letter);
    }
    serde_json::from_str(&out).ok()
}

fn graph(items: Vec<Value>) -> GraphText {
    let mut graph = GraphText::default();
    for item in items.iter().take(limits::EXTRACT_ITEMS_MAX) {
        let text = |key: &str| item[key].as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        if let (Some(node1), Some(node2)) = (text("entity1"), text("entity2")) {
            graph.relations.push((node1, node2, text("relation").unwrap_or_default()));
        } else if let Some(name) = text("entity") {
            let attributes = match &item["entity_attributes"] {
                Value::Array(list) => list.iter().filter_map(Value::as_str).map(|text| text.trim().to_owned()).collect(),
                Value::String(one) => vec![one.trim().to_owned()],
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
            };
            graph.entities.push((name, attributes.into_iter().filter(|attribute: &String| !attribute.is_empty()).collect()));
        }
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(answer: &str) -> Option<(Vec<String>, usize)> {
        let graph = parse(answer)?;
        Some((graph.entities.into_iter().map(|(name, _)| name).collect(), graph.relations.len()))
    }

    const LIST: &str = r#"[{"entity":"a","entity_attributes":["x"]},{"entity1":"a","entity2":"b","relation":"r"}]"#;

    #[test]
    fn lists_and_objects_are_read_with_and_without_fences() {
        let expected = Some((vec!["a".to_owned()], 1));
        for answer in [
            LIST.to_owned(),
            format!("```json\n{LIST}\n```"),
            format!("Here it is:\n```\n{LIST}\n```\nDone."),
            format!("```python\nx = 1\n```\n```JSON\n{LIST}\n```"),
            format!("```json\n{LIST}"),
            format!("Sure! {LIST} I hope this helps."),
            format!("{{\"items\": {LIST}}}"),
        ] {
            assert_eq!(of(&answer), expected, "{answer}");
        }
        assert_eq!(of(r#"{"entity":"a"}"#), Some((vec!["a".into()], 0)));
    }

    #[test]
    fn what_models_get_wrong_is_mended() {
        assert_eq!(of(r#"[{"entity":"a","entity_attributes":["x",],},]"#), Some((vec!["a".into()], 0)));
        assert_eq!(of(r#"[{"entity":"a"},{"entity":"b"},{"enti"#), Some((vec!["a".into(), "b".into()], 0)), "cut off");
        assert_eq!(of("[{\"entity\":\"two\nlines\"}]"), Some((vec!["two\nlines".into()], 0)));
        assert_eq!(
            of(r#"[{"entity":"a } b","entity_attributes":"one"}, oops {"entity":"c"}]"#),
            Some((vec!["a } b".into(), "c".into()], 0))
        );
        assert_eq!(of(r#"[{"other":1},{"entity":""},{"entity":7},"text",{"entity1":"a"}]"#), Some((vec![], 0)));
    }

    #[test]
    fn an_empty_list_is_an_answer_and_prose_is_none() {
        assert_eq!(of("[]"), Some((vec![], 0)));
        assert_eq!(of("```json\n[]\n```"), Some((vec![], 0)));
        for prose in ["", "I can not do that.", "{", "\"text\"", "7", "{\"error\":\"no\"}", "`` { { {"] {
            assert_eq!(of(prose), None, "{prose}");
        }
    }
}
