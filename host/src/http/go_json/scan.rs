//! Reads the first JSON value of a body and says, in the contract's words, where it breaks.
//!
//! Not here: what the value is bound to (`bind`).

use crate::limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX};
use std::borrow::Cow;

/// A parsed value; texts and numbers borrow from the body where they can.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// The literal as it was written.
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Parses the first value; what follows it is ignored.
pub(super) fn parse(body: &[u8]) -> Result<Json<'_>, String> {
    let mut scanner = Scanner { body, at: 0, values: 0 };
    scanner.skip_space();
    if scanner.at == body.len() {
        return Err("EOF".into());
    }
    scanner.value(0)
}

/// Parses a text that is one value and nothing else.
pub(super) fn parse_whole(text: &[u8]) -> Result<Json<'_>, String> {
    let mut scanner = Scanner { body: text, at: 0, values: 0 };
    let cut = |reason: String| if reason == "unexpected EOF" { "unexpected end of JSON input".to_owned() } else { reason };
    let value = scanner.value(0).map_err(cut)?;
    scanner.skip_space();
    if scanner.at == text.len() { Ok(value) } else { Err(scanner.unexpected("after top-level value")) }
}

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    values: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The error for the byte at the cursor.
    fn unexpected(&self, context: &str) -> String {
        match self.peek() {
            None => "unexpected EOF".into(),
            Some(byte) => format!("invalid character {} {context}", quote(byte)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, String> {
        self.skip_space();
        self.values += 1;
        if depth > JSON_DEPTH_MAX {
            return Err("exceeded max depth".into());
        }
        if self.values > JSON_VALUES_MAX {
            return Err("too many values".into());
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Json::Text(self.text()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Json::Bool(true)),
            Some(b'f') => self.literal("false", Json::Bool(false)),
            Some(b'n') => self.literal("null", Json::Null),
            Some(_) | None => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, String> {
        self.at += 1;
        let mut fields = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(fields));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.text()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            fields.push((key, value));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Json::Object(fields));
                }
                Some(_) | None => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(items));
                }
                Some(_) | None => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn literal(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, String> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected(&format!("in literal {word} (expecting {})", quote(expected))));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Json<'a>, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            Some(_) | None => return Err(self.unexpected("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.at_least_one_digit("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.at_least_one_digit("in exponent of numeric literal")?;
        }
        std::str::from_utf8(&self.body[start..self.at]).map(Json::Number).map_err(|error| error.to_string())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn at_least_one_digit(&mut self, context: &str) -> Result<(), String> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected(context));
        }
        self.digits();
        Ok(())
    }

    /// Reads a string; broken UTF-8 and lone surrogates become U+FFFD.
    fn text(&mut self) -> Result<Cow<'a, str>, String> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let raw = &self.body[start..self.at];
                    self.at += 1;
                    return Ok(String::from_utf8_lossy(raw));
                }
                Some(b'\\') => return self.escaped_text(start).map(Cow::Owned),
                Some(0..=0x1f) | None => return Err(self.unexpected("in string literal")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escaped_text(&mut self, start: usize) -> Result<String, String> {
        let mut out = self.body[start..self.at].to_vec();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return reject_nul(String::from_utf8_lossy(&out).into_owned());
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(0..=0x1f) | None => return Err(self.unexpected("in string literal")),
                Some(byte) => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            Some(_) | None => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, String> {
        let first = self.four_hex_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_first = self.at;
        if self.body[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let second = self.four_hex_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_first;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn four_hex_digits(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

/// No table of the contract can hold a NUL, so it is refused where it enters (it can enter by an escape only).
fn reject_nul(text: String) -> Result<String, String> {
    if text.contains('\0') { Err("invalid character '\\x00' in string".into()) } else { Ok(text) }
}

fn quote(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".into(),
        b'"' => "'\"'".into(),
        b'\\' => "'\\\\'".into(),
        b'\n' => "'\\n'".into(),
        b'\r' => "'\\r'".into(),
        b'\t' => "'\\t'".into(),
        0..=0x1f | 0x7f => format!("'\\x{byte:02x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_bodies_are_told_in_the_contracts_words() {
        for (body, text) in [
            ("", "EOF"),
            (" \n", "EOF"),
            ("{", "unexpected EOF"),
            (r#"{"a":"#, "unexpected EOF"),
            (r#"{"a":"b"#, "unexpected EOF"),
            ("abc", "invalid character 'a' looking for beginning of value"),
            ("{x", "invalid character 'x' looking for beginning of object key string"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (r#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("tru3", "invalid character '3' in literal true (expecting 'e')"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("\"a\nb\"", "invalid character '\\n' in string literal"),
            (r#""\q""#, "invalid character 'q' in string escape code"),
            (r#""\u12g4""#, "invalid character 'g' in \\u hexadecimal character escape"),
            (r#""a\u0000""#, "invalid character '\\x00' in string"),
        ] {
            assert_eq!(parse(body.as_bytes()), Err(text.to_owned()), "body {body:?}");
        }
    }

    #[test]
    fn what_follows_the_first_value_is_ignored() {
        assert_eq!(parse(b"{} trailing"), Ok(Json::Object(vec![])));
        assert_eq!(parse(b"null{"), Ok(Json::Null));
    }

    #[test]
    fn a_text_of_one_value_holds_nothing_else() {
        assert_eq!(parse_whole(b" null "), Ok(Json::Null));
        for (text, reason) in [
            ("", "unexpected end of JSON input"),
            ("[{", "unexpected end of JSON input"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("x", "invalid character 'x' looking for beginning of value"),
        ] {
            assert_eq!(parse_whole(text.as_bytes()), Err(reason.to_owned()), "text {text:?}");
        }
    }

    #[test]
    fn texts_are_decoded_and_repaired() {
        assert_eq!(parse(br#""\u4e2d\ud83d\ude00\n""#), Ok(Json::Text("中😀\n".into())));
        assert_eq!(parse(br#""\ud83dx""#), Ok(Json::Text("\u{fffd}x".into())));
        assert_eq!(parse(b"\"\xff\""), Ok(Json::Text("\u{fffd}".into())));
    }

    #[test]
    fn deep_and_wide_bodies_are_refused() {
        assert_eq!(parse("[".repeat(100_000).as_bytes()), Err("exceeded max depth".to_owned()));
        let wide = format!("[{}1]", "1,".repeat(JSON_VALUES_MAX));
        assert_eq!(parse(wide.as_bytes()), Err("too many values".to_owned()));
    }

    fn to_value(json: &Json<'_>) -> serde_json::Value {
        match json {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(literal) => serde_json::from_str(literal).expect("a number"),
            Json::Text(text) => text.as_ref().into(),
            Json::Array(items) => items.iter().map(to_value).collect(),
            Json::Object(fields) => fields.iter().map(|(name, value)| (name.to_string(), to_value(value))).collect(),
        }
    }

    proptest::proptest! {
        #[test]
        fn what_another_parser_accepts_is_read_the_same(text in r#"[\[\]{}:,"\\ntrufalse0-9.eE+\- a]{0,40}"#) {
            let ours = parse(text.as_bytes());
            if let Ok(theirs) = serde_json::from_str::<serde_json::Value>(&text) {
                proptest::prop_assert_eq!(ours.as_ref().map(to_value), Ok(theirs));
            } else if ours.is_ok() {
                // Only what follows the first value may differ.
                let first = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>().next();
                proptest::prop_assert!(first.is_some());
            }
        }

        #[test]
        fn written_texts_are_read_back(text in "[^\u{0}]{0,60}") {
            let written = crate::http::go_json::to_vec(&text).expect("writes");
            proptest::prop_assert!(!written.iter().any(|byte| b"<>&".contains(byte)));
            proptest::prop_assert_eq!(parse(&written), Ok(Json::Text(text.into())));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            let _ = parse(&bytes);
        }
    }
}
