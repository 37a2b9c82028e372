//! Writes values as Go's `fmt` writes them: plain, and after a pattern with verbs.
//!
//! Not here: flags that no prompt uses; `#` is read and has no effect but for `%#v` of texts and `%#x`.

use super::render::Fuel;
use super::value::Value;
use crate::limits;
use std::fmt::Write;

pub(super) fn plain(value: &Value, fuel: &mut Fuel) -> Result<String, String> {
    let text = match value {
        Value::Nil => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => general(*value, None),
        Value::Text(text) => text.to_string(),
        Value::List(items) => {
            let mut texts = Vec::with_capacity(items.len());
            for item in items.iter() {
                texts.push(plain(item, fuel)?);
            }
            format!("[{}]", texts.join(" "))
        }
        Value::Map(fields) => {
            let mut texts = Vec::with_capacity(fields.len());
            for (key, item) in fields.iter() {
                texts.push(format!("{key}:{}", plain(item, fuel)?));
            }
            format!("map[{}]", texts.join(" "))
        }
    };
    fuel.spend(text.len())?;
    Ok(text)
}

/// A space stands between two values when neither is a text.
pub(super) fn print(arguments: &[Value], fuel: &mut Fuel) -> Result<String, String> {
    let mut out = String::new();
    let mut after_text = true;
    for value in arguments {
        let is_text = matches!(value, Value::Text(_));
        if !out.is_empty() && !is_text && !after_text {
            out.push(' ');
        }
        out.push_str(&plain(value, fuel)?);
        fuel.spend(out.len())?;
        after_text = is_text;
    }
    Ok(out)
}

pub(super) fn println(arguments: &[Value], fuel: &mut Fuel) -> Result<String, String> {
    let mut texts = Vec::with_capacity(arguments.len());
    for value in arguments {
        texts.push(plain(value, fuel)?);
    }
    let out = texts.join(" ") + "\n";
    fuel.spend(out.len())?;
    Ok(out)
}

#[derive(Default)]
struct Flags {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

pub(super) fn printf(pattern: &str, arguments: &[Value], fuel: &mut Fuel) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern;
    let mut next = arguments.iter();
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let flags = flags(&mut rest, &mut next)?;
        let Some(verb) = rest.chars().next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = next.next() else {
            let _ = write!(out, "%!{verb}(MISSING)");
            continue;
        };
        let text = verbatim(verb, value, &flags, fuel)?;
        out.push_str(&padded(text, &flags, value));
        fuel.spend(out.len())?;
    }
    out.push_str(rest);
    let extra: Vec<&Value> = next.collect();
    if !extra.is_empty() {
        let mut texts = Vec::with_capacity(extra.len());
        for value in extra {
            texts.push(format!("{}={}", value.kind(), plain(value, fuel)?));
        }
        let _ = write!(out, "%!(EXTRA {})", texts.join(", "));
    }
    fuel.spend(out.len())?;
    Ok(out)
}

fn flags<'a>(rest: &mut &str, arguments: &mut impl Iterator<Item = &'a Value>) -> Result<Flags, String> {
    let mut flags = Flags::default();
    while let Some(flag) = rest.chars().next() {
        match flag {
            '-' => flags.minus = true,
            '+' => flags.plus = true,
            ' ' => flags.space = true,
            '0' => flags.zero = true,
            '#' => flags.sharp = true,
            _ => break,
        }
        *rest = &rest[1..];
    }
    let width = size(rest, arguments)?;
    flags.minus |= width.is_some_and(|width| width < 0);
    flags.width = width.map_or(0, |width| usize::try_from(width.unsigned_abs()).unwrap_or(0));
    if let Some(after) = rest.strip_prefix('.') {
        *rest = after;
        flags.precision = Some(usize::try_from(size(rest, arguments)?.unwrap_or(0)).unwrap_or(0));
    }
    Ok(flags)
}

/// A number of digits, or `*` for one out of the arguments.
fn size<'a>(rest: &mut &str, arguments: &mut impl Iterator<Item = &'a Value>) -> Result<Option<i64>, String> {
    let value = if let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        match arguments.next() {
            Some(Value::Int(value)) => Some(*value),
            _ => return Err("* needs a number".into()),
        }
    } else {
        let end = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
        let digits = &rest[..end];
        *rest = &rest[end..];
        if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(i64::MAX)) }
    };
    match value {
        Some(value) if value.unsigned_abs() > limits::TEMPLATE_PRINTF_WIDTH_MAX => {
            Err(format!("a width or precision above {}", limits::TEMPLATE_PRINTF_WIDTH_MAX))
        }
        other => Ok(other),
    }
}

fn padded(text: String, flags: &Flags, value: &Value) -> String {
    let missing = flags.width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    if flags.minus {
        return text + &" ".repeat(missing);
    }
    let is_number = matches!(value, Value::Int(_) | Value::Float(_));
    if flags.zero && is_number {
        let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    " ".repeat(missing) + &text
}

fn verbatim(verb: char, value: &Value, flags: &Flags, fuel: &mut Fuel) -> Result<String, String> {
    let signed = |text: String, negative: bool| match (negative, flags.plus, flags.space) {
        (false, true, _) => format!("+{text}"),
        (false, false, true) => format!(" {text}"),
        _ => text,
    };
    Ok(match (verb, value) {
        ('v', Value::Text(text)) if flags.sharp => quoted(text),
        ('v', Value::Int(number)) => signed(number.to_string(), *number < 0),
        ('v', _) => plain(value, fuel)?,
        ('d', Value::Int(number)) => signed(number.to_string(), *number < 0),
        ('s', Value::Text(text)) => match flags.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_string(),
        },
        ('q', Value::Text(text)) => quoted(text),
        ('s' | 'q' | 'd', Value::List(items)) => {
            let mut texts = Vec::with_capacity(items.len());
            for item in items.iter() {
                texts.push(verbatim(verb, item, flags, fuel)?);
            }
            format!("[{}]", texts.join(" "))
        }
        ('x', Value::Int(number)) => radix(*number, |digits| format!("{}{digits:x}", if flags.sharp { "0x" } else { "" })),
        ('X', Value::Int(number)) => radix(*number, |digits| format!("{}{digits:X}", if flags.sharp { "0X" } else { "" })),
        ('o', Value::Int(number)) => radix(*number, |digits| format!("{digits:o}")),
        ('b', Value::Int(number)) => radix(*number, |digits| format!("{digits:b}")),
        ('x', Value::Text(text)) => hexadecimal(text, fuel)?,
        ('X', Value::Text(text)) => hexadecimal(text, fuel)?.to_uppercase(),
        ('c', Value::Int(number)) => u32::try_from(*number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string(),
        ('U', Value::Int(number)) => format!("U+{number:04X}"),
        ('t', Value::Bool(value)) => value.to_string(),
        ('f' | 'F', Value::Float(number)) => signed(format!("{number:.*}", flags.precision.unwrap_or(6)), *number < 0.0),
        ('e', Value::Float(number)) => signed(exponent(format!("{number:.*e}", flags.precision.unwrap_or(6))), *number < 0.0),
        ('g', Value::Float(number)) => signed(general(*number, flags.precision), *number < 0.0),
        (verb, Value::Nil) => format!("%!{verb}(<nil>)"),
        (verb, value) => format!("%!{verb}({}={})", value.kind(), plain(value, fuel)?),
    })
}

fn radix(number: i64, write: impl Fn(u64) -> String) -> String {
    let digits = write(number.unsigned_abs());
    if number < 0 { format!("-{digits}") } else { digits }
}

fn hexadecimal(text: &str, fuel: &mut Fuel) -> Result<String, String> {
    fuel.spend(text.len() * 2)?;
    Ok(text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    }))
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            other if other.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Rust writes `1.5e7`, Go `1.5e+07`.
fn exponent(text: String) -> String {
    let Some((digits, power)) = text.split_once('e') else { return text };
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    format!("{digits}e{sign}{power:0>2}")
}

/// The shortest form: with an exponent when the number is very small or very large.
fn general(number: f64, precision: Option<usize>) -> String {
    if !number.is_finite() {
        return if number.is_nan() { "NaN".into() } else { format!("{}Inf", if number < 0.0 { '-' } else { '+' }) };
    }
    let scientific = match precision {
        Some(precision) => format!("{number:.*e}", precision.max(1) - 1),
        None => format!("{number:e}"),
    };
    let Some((digits, power)) = scientific.split_once('e') else { return scientific };
    let power: i32 = power.parse().unwrap_or(0);
    let limit = precision.map_or(6, |precision| i32::try_from(precision.max(1)).unwrap_or(21));
    if number != 0.0 && (power < -4 || power >= limit) {
        let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
        return exponent(format!("{digits}e{power}"));
    }
    match precision {
        None => format!("{number}"),
        Some(precision) => {
            let decimals = usize::try_from(i32::try_from(precision.max(1)).unwrap_or(0) - 1 - power).unwrap_or(0);
            let text = format!("{number:.decimals$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
    }
}
