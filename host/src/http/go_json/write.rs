//! Writes JSON as the contract's server does: `<`, `>`, `&` and the two line separators escaped, whole numbers without a fraction.
//!
//! Not here: envelopes (`envelope`).

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(256);
    value.serialize(&mut Serializer::with_formatter(&mut out, HtmlSafe(CompactFormatter)))?;
    Ok(out)
}

struct HtmlSafe(CompactFormatter);

impl Formatter for HtmlSafe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (plain, tail) = rest.split_at(at);
            self.0.write_string_fragment(writer, plain)?;
            let mut characters = tail.chars();
            if let Some(character) = characters.next() {
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = characters.as_str();
        }
        self.0.write_string_fragment(writer, rest)
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if value == 0.0 {
            writer.write_all(b"0")
        } else if (1e-6..1e21).contains(&size) {
            write!(writer, "{value}")
        } else {
            let text = format!("{value:e}");
            writer.write_all(if size >= 1e21 { text.replace('e', "e+") } else { text }.as_bytes())
        }
    }

    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, f64::from(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &serde_json::Value) -> String {
        String::from_utf8(to_vec(value).expect("writes")).expect("UTF-8")
    }

    #[test]
    fn html_and_line_separators_are_escaped() {
        let value = serde_json::json!({"<a>": "x & y \u{2028}中\"\n"});
        assert_eq!(text(&value), "{\"\\u003ca\\u003e\":\"x \\u0026 y \\u2028中\\\"\\n\"}");
    }

    #[test]
    fn numbers_are_written_short() {
        let value = serde_json::json!([1.0, 0.0, 0.5, 1e21, 1e-7, 123456789012345680.0, 7]);
        assert_eq!(text(&value), "[1,0,0.5,1e+21,1e-7,123456789012345680,7]");
    }
}
