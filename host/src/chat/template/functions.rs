//! The functions that every Go template knows.
//!
//! Not here: `and` and `or`, which do not look at all their arguments (`render`).

use super::format;
use super::render::Fuel;
use super::value::Value;
use std::cmp::Ordering;

const KNOWN: [&str; 18] = [
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery",
];

pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

pub(super) fn call(name: &str, arguments: &[Value], fuel: &mut Fuel) -> Result<Value, String> {
    fuel.spend(0)?;
    match name {
        "not" => Ok(Value::Bool(!one(arguments)?.is_true())),
        "eq" => any_equal(arguments, fuel).map(Value::Bool),
        "ne" => {
            let (left, right) = two(arguments)?;
            Ok(Value::Bool(!equal(left, right, fuel)?))
        }
        "lt" => compare(arguments, fuel).map(|order| Value::Bool(order == Some(Ordering::Less))),
        "le" => compare(arguments, fuel).map(|order| Value::Bool(matches!(order, Some(Ordering::Less | Ordering::Equal)))),
        "gt" => compare(arguments, fuel).map(|order| Value::Bool(order == Some(Ordering::Greater))),
        "ge" => compare(arguments, fuel).map(|order| Value::Bool(matches!(order, Some(Ordering::Greater | Ordering::Equal)))),
        "len" => length(one(arguments)?),
        "index" => index(arguments, fuel),
        "slice" => slice(arguments, fuel),
        "print" => format::print(arguments, fuel).map(Value::text),
        "println" => format::println(arguments, fuel).map(Value::text),
        "printf" => {
            let Some((Value::Text(pattern), rest)) = arguments.split_first() else {
                return Err("the first argument must be a string".into());
            };
            format::printf(pattern, rest, fuel).map(Value::text)
        }
        "html" => escaped(arguments, fuel, html),
        "js" => escaped(arguments, fuel, js),
        "urlquery" => escaped(arguments, fuel, urlquery),
        _ => Err(format!("function {name:?} not defined")),
    }
}

fn one(arguments: &[Value]) -> Result<&Value, String> {
    match arguments {
        [value] => Ok(value),
        _ => Err(format!("wrong number of args: want 1 got {}", arguments.len())),
    }
}

fn two(arguments: &[Value]) -> Result<(&Value, &Value), String> {
    match arguments {
        [left, right] => Ok((left, right)),
        _ => Err(format!("wrong number of args: want 2 got {}", arguments.len())),
    }
}

fn any_equal(arguments: &[Value], fuel: &mut Fuel) -> Result<bool, String> {
    let Some((first, rest)) = arguments.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err("missing argument for comparison".into());
    };
    for other in rest {
        if equal(first, other, fuel)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(left: &Value, right: &Value, fuel: &mut Fuel) -> Result<bool, String> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Int(left), Value::Int(right)) => Ok(left == right),
        (Value::Float(left), Value::Float(right)) => Ok(left == right),
        (Value::Text(left), Value::Text(right)) => {
            fuel.spend(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::Nil, other) | (other, Value::Nil) => Ok(*other == Value::Nil),
        (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => Err("non-comparable type".into()),
        _ => Err("incompatible types for comparison".into()),
    }
}

fn compare(arguments: &[Value], fuel: &mut Fuel) -> Result<Option<Ordering>, String> {
    match two(arguments)? {
        (Value::Int(left), Value::Int(right)) => Ok(Some(left.cmp(right))),
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right)),
        (Value::Text(left), Value::Text(right)) => {
            fuel.spend(left.len().min(right.len()))?;
            Ok(Some(left.cmp(right)))
        }
        (left, right) if left.kind() == right.kind() => Err("invalid type for comparison".into()),
        _ => Err("incompatible types for comparison".into()),
    }
}

/// A text's length counts bytes, as in Go.
fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Map(fields) => fields.len(),
        Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) => return Err(format!("len of type {}", value.kind())),
    };
    Ok(Value::Int(length as i64))
}

fn index(arguments: &[Value], fuel: &mut Fuel) -> Result<Value, String> {
    let (first, keys) = arguments.split_first().ok_or("missing argument")?;
    let mut value = first.clone();
    for key in keys {
        fuel.spend(0)?;
        value = match (&value, key) {
            (Value::List(items), Value::Int(at)) => items.get(place(*at, items.len())?).cloned().unwrap_or(Value::Nil),
            (Value::Text(text), Value::Int(at)) => Value::Int(text.as_bytes().get(place(*at, text.len())?).copied().map_or(0, i64::from)),
            (Value::Map(_), Value::Text(name)) => value.field(name)?,
            (Value::Nil, _) => return Err("index of untyped nil".into()),
            (indexed, key) => return Err(format!("can't index item of type {} with {}", indexed.kind(), key.kind())),
        };
    }
    Ok(value)
}

fn place(at: i64, length: usize) -> Result<usize, String> {
    usize::try_from(at).ok().filter(|at| *at < length).ok_or_else(|| format!("index out of range: {at}"))
}

/// Texts are cut by bytes, as in Go; a character that is cut apart becomes U+FFFD.
fn slice(arguments: &[Value], fuel: &mut Fuel) -> Result<Value, String> {
    let (value, borders) = arguments.split_first().ok_or("missing argument")?;
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Map(_) => {
            return Err(format!("can't slice item of type {}", value.kind()));
        }
    };
    let mut places = [0, length];
    if borders.len() > 2 {
        return Err(format!("too many slice indexes: {}", borders.len()));
    }
    for (slot, border) in places.iter_mut().zip(borders) {
        let Value::Int(at) = border else { return Err(format!("cannot index slice/array with type {}", border.kind())) };
        *slot = usize::try_from(*at).ok().filter(|at| *at <= length).ok_or_else(|| format!("index out of range: {at}"))?;
    }
    let [start, end] = places;
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}"));
    }
    fuel.spend(end - start)?;
    Ok(match value {
        Value::Text(text) => Value::text(String::from_utf8_lossy(&text.as_bytes()[start..end])),
        Value::List(items) => Value::list(items[start..end].iter().cloned()),
        Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Map(_) => Value::Nil,
    })
}

fn escaped(arguments: &[Value], fuel: &mut Fuel, escape: fn(&str) -> String) -> Result<Value, String> {
    let text = format::print(arguments, fuel)?;
    let escaped = escape(&text);
    fuel.spend(escaped.len())?;
    Ok(Value::text(escaped))
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '\0' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(character))),
            other if other < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(other))),
            other => out.push(other),
        }
    }
    out
}

fn urlquery(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
