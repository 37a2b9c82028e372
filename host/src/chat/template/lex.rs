//! Cuts a template into literal text and the tokens of its actions.
//!
//! Not here: what the tokens mean together.

use super::Fault;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// Outside of the braces.
    Literal(String),
    Open,
    Close,
    Space,
    Dot,
    /// `.Name`.
    Field(String),
    /// `$` or `$name`.
    Variable(String),
    Word(String),
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    LeftParen,
    RightParen,
    Declare,
    Assign,
    Comma,
}

#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) line: usize,
}

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

pub(super) fn lex(text: &str) -> Result<Vec<Lexeme>, Fault> {
    let mut lexer = Lexer { rest: text, line: 1, found: Vec::new() };
    let mut trim_next = false;
    while let Some(at) = lexer.rest.find("{{") {
        let opening = &lexer.rest[at + 2..];
        let trims = opening.starts_with('-') && opening[1..].starts_with(BLANK);
        let literal = lexer.rest[..at].to_owned();
        lexer.literal(&literal, trim_next, trims);
        lexer.advance(at + 2 + usize::from(trims));
        trim_next = lexer.action()?;
    }
    let literal = lexer.rest.to_owned();
    lexer.literal(&literal, trim_next, false);
    Ok(lexer.found)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Lexeme>,
}

impl Lexer<'_> {
    fn advance(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    fn push(&mut self, token: Token, bytes: usize) {
        self.found.push(Lexeme { token, line: self.line });
        self.advance(bytes);
    }

    fn literal(&mut self, text: &str, trim_start: bool, trim_end: bool) {
        let text = if trim_start { text.trim_start_matches(BLANK) } else { text };
        let text = if trim_end { text.trim_end_matches(BLANK) } else { text };
        if !text.is_empty() {
            self.found.push(Lexeme { token: Token::Literal(text.to_owned()), line: self.line });
        }
    }

    /// Length of the closing delimiter at the cursor, and whether it trims what follows.
    fn closing(&self) -> Option<(usize, bool)> {
        if self.rest.starts_with("}}") {
            return Some((2, false));
        }
        let unblanked = self.rest.trim_start_matches(BLANK);
        let blank = self.rest.len() - unblanked.len();
        (blank > 0 && unblanked.starts_with("-}}")).then_some((blank + 3, true))
    }

    /// Reads to the end of an action; tells whether it trims what follows.
    fn action(&mut self) -> Result<bool, Fault> {
        let blank = self.rest.len() - self.rest.trim_start_matches(BLANK).len();
        if self.rest[blank..].starts_with("/*") {
            return self.comment(blank);
        }
        let line = self.line;
        self.push(Token::Open, 0);
        loop {
            if let Some((bytes, trims)) = self.closing() {
                self.push(Token::Close, bytes);
                return Ok(trims);
            }
            if self.rest.is_empty() {
                return Err(Fault::new(line, "unclosed action"));
            }
            self.token()?;
        }
    }

    fn comment(&mut self, blank: usize) -> Result<bool, Fault> {
        let line = self.line;
        self.advance(blank + 2);
        let end = self.rest.find("*/").ok_or_else(|| Fault::new(line, "unclosed comment"))?;
        self.advance(end + 2);
        let (bytes, trims) = self.closing().ok_or_else(|| Fault::new(line, "comment ends before closing delimiter"))?;
        self.advance(bytes);
        Ok(trims)
    }

    fn token(&mut self) -> Result<(), Fault> {
        let rest = self.rest;
        let Some(first) = rest.chars().next() else { return Ok(()) };
        let simple = match first {
            '|' => Some((Token::Pipe, 1)),
            '(' => Some((Token::LeftParen, 1)),
            ')' => Some((Token::RightParen, 1)),
            ',' => Some((Token::Comma, 1)),
            '=' => Some((Token::Assign, 1)),
            ':' if rest.starts_with(":=") => Some((Token::Declare, 2)),
            _ => None,
        };
        if let Some((token, bytes)) = simple {
            self.push(token, bytes);
            return Ok(());
        }
        if BLANK.contains(&first) {
            let bytes = rest.len() - rest.trim_start_matches(BLANK).len();
            self.push(Token::Space, bytes);
            return Ok(());
        }
        match first {
            '"' => self.quoted(),
            '`' => self.raw(),
            '\'' => self.character(),
            '$' => {
                let name = word(&rest[1..]);
                self.push(Token::Variable(format!("${name}")), 1 + name.len());
                Ok(())
            }
            '.' if !rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                let name = word(&rest[1..]);
                let token = if name.is_empty() { Token::Dot } else { Token::Field(name.to_owned()) };
                self.push(token, 1 + name.len());
                Ok(())
            }
            '0'..='9' | '+' | '-' | '.' => self.number(),
            _ if first == '_' || first.is_alphabetic() => {
                let name = word(rest);
                self.push(Token::Word(name.to_owned()), name.len());
                Ok(())
            }
            _ => Err(Fault::new(self.line, format!("unexpected {first:?} in command"))),
        }
    }

    fn quoted(&mut self) -> Result<(), Fault> {
        let fault = |message: &str| Fault::new(self.line, message);
        let mut text = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let Some(next) = rest.chars().next() else { return Err(fault("unterminated quoted string")) };
            match next {
                '"' => break,
                '\n' => return Err(fault("unterminated quoted string")),
                '\\' => {
                    let (character, bytes) = escape(rest).ok_or_else(|| fault("invalid escape in a quoted string"))?;
                    text.push(character);
                    rest = &rest[bytes..];
                }
                _ => {
                    text.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        let bytes = self.rest.len() - rest.len() + 1;
        self.push(Token::Text(text), bytes);
        Ok(())
    }

    fn raw(&mut self) -> Result<(), Fault> {
        let end = self.rest[1..].find('`').ok_or_else(|| Fault::new(self.line, "unterminated raw quoted string"))?;
        let text = self.rest[1..=end].replace('\r', "");
        self.push(Token::Text(text), end + 2);
        Ok(())
    }

    fn character(&mut self) -> Result<(), Fault> {
        let fault = || Fault::new(self.line, "malformed character constant");
        let rest = &self.rest[1..];
        let (character, bytes) = match rest.chars().next() {
            Some('\\') => escape(rest).ok_or_else(fault)?,
            Some(plain) if plain != '\'' && plain != '\n' => (plain, plain.len_utf8()),
            Some(_) | None => return Err(fault()),
        };
        if !rest[bytes..].starts_with('\'') {
            return Err(fault());
        }
        self.push(Token::Int(i64::from(u32::from(character))), bytes + 2);
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let rest = self.rest;
        let signed = usize::from(rest.starts_with(['+', '-']));
        let mut end = signed;
        let hexadecimal = rest[signed..].starts_with("0x") || rest[signed..].starts_with("0X");
        for (at, next) in rest.char_indices().skip(signed) {
            let after_exponent = !hexadecimal && (next == '+' || next == '-') && rest[..at].ends_with(['e', 'E']);
            if !(next.is_ascii_alphanumeric() || next == '.' || next == '_' || after_exponent) {
                break;
            }
            end = at + 1;
        }
        let token = number(&rest[..end]).ok_or_else(|| Fault::new(self.line, format!("bad number syntax: {:?}", &rest[..end])))?;
        self.push(token, end);
        Ok(())
    }
}

fn word(text: &str) -> &str {
    let end = text.find(|next: char| next != '_' && !next.is_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

fn number(text: &str) -> Option<Token> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, radix)));
    let (digits, radix) = match radix {
        Some(found) => found,
        None if lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|digit| digit.is_ascii_digit()) => (&lower[1..], 8),
        None => (lower.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    if let Ok(value) = i64::from_str_radix(digits, radix) {
        return Some(Token::Int(sign * value));
    }
    let is_float =
        radix == 10 && digits.bytes().any(|byte| byte.is_ascii_digit()) && digits.bytes().all(|byte| b"0123456789.e+-".contains(&byte));
    let value: f64 = is_float.then(|| digits.parse().ok()).flatten()?;
    value.is_finite().then_some(Token::Float(if sign < 0 { -value } else { value }))
}

/// The character behind the backslash at the start of `text`, and how many bytes it takes.
fn escape(text: &str) -> Option<(char, usize)> {
    let kind = text[1..].chars().next()?;
    let hexadecimal = |digits: usize| -> Option<(char, usize)> {
        let code = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
        Some((char::from_u32(code)?, 2 + digits))
    };
    match kind {
        'a' => Some(('\u{7}', 2)),
        'b' => Some(('\u{8}', 2)),
        'f' => Some(('\u{c}', 2)),
        'n' => Some(('\n', 2)),
        'r' => Some(('\r', 2)),
        't' => Some(('\t', 2)),
        'v' => Some(('\u{b}', 2)),
        '\\' | '"' | '\'' => Some((kind, 2)),
        'x' => hexadecimal(2),
        'u' => hexadecimal(4),
        'U' => hexadecimal(8),
        '0'..='7' => Some((char::from_u32(u32::from_str_radix(text.get(1..4)?, 8).ok()?)?, 4)),
        _ => None,
    }
}
