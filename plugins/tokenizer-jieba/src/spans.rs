//! From a text to the byte spans of its words.
//!
//! Not here: the dictionary, and the shape that goes to the host.

use jieba_rs::Jieba;

/// A longer "word" (a key, a hash, a line of base64) is cut, because no index takes terms without end.
const WORD_BYTES_MAX: usize = 240;

/// How a character takes part in words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Chinese characters, ASCII, and what ends words: jieba's part
    Jieba,
    /// letters of scripts that put spaces between words
    Spaced,
    /// letters of scripts without spaces that jieba does not know
    Unspaced,
}

/// The spans of all words, ordered by start, then end; none is empty, all ends lie on character borders.
pub(crate) fn words(jieba: &Jieba, text: &str, out: &mut Vec<(usize, usize)>) {
    let first = out.len();
    let mut at = 0;
    while at < text.len() {
        let (end, class) = stretch(text, at);
        match class {
            Class::Jieba => {
                for token in jieba.cut_for_search(&text[at..end], true) {
                    if token.word.chars().any(char::is_alphanumeric) {
                        push(text, at + token.byte_start, at + token.byte_end, out);
                    }
                }
            }
            Class::Spaced => push(text, at, end, out),
            Class::Unspaced => pairs(text, at, end, out),
        }
        at = end;
    }
    out[first..].sort_unstable();
    let mut kept = first;
    for index in first..out.len() {
        if kept == first || out[kept - 1] != out[index] {
            out[kept] = out[index];
            kept += 1;
        }
    }
    out.truncate(kept);
}

/// The longest stretch from `at` that is cut in one way.
fn stretch(text: &str, at: usize) -> (usize, Class) {
    let mut end = at;
    // A run of letters belongs to one class as a whole: `naïve` is one word although `na` alone would be jieba's.
    while end < text.len() {
        let run = letters(text, end);
        if run == end {
            end += text[end..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let class = class_of(&text[end..run]);
        if class == Class::Jieba {
            end = run;
        } else if end == at {
            return (run, class);
        } else {
            break;
        }
    }
    (end, Class::Jieba)
}

/// The end of the run of letters of one script family from `at`; `at` itself when there is no letter.
fn letters(text: &str, at: usize) -> usize {
    let mut family = None;
    for (offset, char) in text[at..].char_indices() {
        if is_mark(char) && family.is_some() {
            continue;
        }
        if !char.is_alphanumeric() {
            return at + offset;
        }
        let this = if is_han(char) {
            Class::Jieba
        } else if is_unspaced(char) {
            Class::Unspaced
        } else {
            Class::Spaced
        };
        if *family.get_or_insert(this) != this {
            return at + offset;
        }
    }
    text.len()
}

fn class_of(run: &str) -> Class {
    match run.chars().next() {
        Some(first) if is_han(first) => Class::Jieba,
        Some(first) if is_unspaced(first) => Class::Unspaced,
        Some(_) if run.is_ascii() => Class::Jieba,
        Some(_) => Class::Spaced,
        None => Class::Jieba,
    }
}

fn is_han(char: char) -> bool {
    matches!(char, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '々' | '〇')
}

/// Thai, Lao, Burmese, Khmer, kana.
fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}')
}

/// Marks that join the letter before them: combining accents, vowel signs, joiners.
fn is_mark(char: char) -> bool {
    matches!(char,
        '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0487}' | '\u{0591}'..='\u{05c7}' | '\u{0610}'..='\u{061a}' | '\u{064b}'..='\u{065f}'
        | '\u{093a}'..='\u{094f}' | '\u{0981}'..='\u{0983}' | '\u{09bc}'..='\u{09cd}' | '\u{0b3e}'..='\u{0b4d}' | '\u{0bbe}'..='\u{0bcd}'
        | '\u{0c3e}'..='\u{0c4d}' | '\u{0d3e}'..='\u{0d4d}' | '\u{0e31}' | '\u{0e34}'..='\u{0e3a}' | '\u{0e47}'..='\u{0e4e}'
        | '\u{102b}'..='\u{103e}' | '\u{17b4}'..='\u{17d3}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200c}' | '\u{200d}'
        | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}

fn push(text: &str, start: usize, end: usize, out: &mut Vec<(usize, usize)>) {
    let mut from = start;
    while end - from > WORD_BYTES_MAX {
        let mut cut = from + WORD_BYTES_MAX;
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        out.push((from, cut));
        from = cut;
    }
    if end > from {
        out.push((from, end));
    }
}

/// Each two neighbouring characters, or the only one.
fn pairs(text: &str, start: usize, end: usize, out: &mut Vec<(usize, usize)>) {
    let mut starts: Vec<usize> = Vec::new();
    for (offset, char) in text[start..end].char_indices() {
        if !is_mark(char) || starts.is_empty() {
            starts.push(start + offset);
        }
    }
    starts.push(end);
    if starts.len() <= 2 {
        push(text, start, end, out);
    }
    for three in starts.windows(3) {
        push(text, three[0], three[2], out);
    }
}
