//! Step two: what must stay in one piece, such as links, formulas and rows of tables.
//!
//! Not here: cutting and merging. Byte offsets; every border is a character border because all marks are ASCII.

use std::ops::Range;

/// Ranges that stay whole, in order and apart, each shorter than `size` code points.
pub(super) fn ranges(text: &str, size: usize) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    formulas(text, &mut all);
    links(text, &mut all);
    tables(text, &mut all);
    fences(text, &mut all);
    all.sort_by(|left, right| left.start.cmp(&right.start).then(right.end.cmp(&left.end)));
    let mut last = 0;
    let mut kept = Vec::new();
    for range in all {
        // A range that is too long still hides what lies inside it.
        if range.start >= last && text[range.clone()].chars().nth(size.saturating_sub(1)).is_none() {
            kept.push(range.clone());
        }
        last = last.max(range.end);
    }
    kept
}

/// `$$` up to the next `$$`.
fn formulas(text: &str, out: &mut Vec<Range<usize>>) {
    let mut from = 0;
    while let Some(start) = find(text, "$$", from) {
        let Some(close) = find(text, "$$", start + 2) else { return };
        from = close + 2;
        out.push(start..from);
    }
}

/// `[...](...)` and `![...](...)` on one line; both are looked for on their own, so that one may hide the other.
fn links(text: &str, out: &mut Vec<Range<usize>>) {
    for open in ["![", "["] {
        let mut close = Next::new("](");
        let mut parenthesis = Next::new(")");
        let mut line_end = Next::new("\n");
        let mut from = 0;
        while let Some(start) = find(text, open, from) {
            from = start + open.len();
            let line_end = line_end.at(text, from).unwrap_or(text.len());
            let Some(close) = close.at(text, from).filter(|close| *close < line_end) else { continue };
            let Some(end) = parenthesis.at(text, close + 2).filter(|end| *end < line_end) else { continue };
            from = end + 1;
            out.push(start..from);
        }
    }
}

/// Rows (`| a | b |` and a line break), and header rows together with the rule below them.
fn tables(text: &str, out: &mut Vec<Range<usize>>) {
    let mut headers_until = 0;
    let mut line_start = 0;
    while line_start < text.len() {
        let line_end = find(text, "\n", line_start).unwrap_or(text.len());
        if let Some((start, close)) = row(text, line_start, line_end) {
            let end = skip_breaks(text, close);
            out.push(start..end);
            if start >= headers_until
                && let Some(end) = rule(text, end)
            {
                out.push(start..end);
                headers_until = end;
            }
        }
        line_start = line_end + 1;
    }
}

/// First pipe of a line and the place after the last one that a line break follows.
fn row(text: &str, line_start: usize, line_end: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let start = line_start + text[line_start..line_end].find('|')?;
    let close = (start + 1..line_end).rev().find(|at| bytes[*at] == b'|' && matches!(bytes.get(at + 1), Some(b'\n' | b'\r')))?;
    Some((start, close + 1))
}

/// The end of a rule row (`|---|:--:|` and a line break) that follows `from` after blanks.
fn rule(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = skip_blanks(text, from);
    let mut end = None;
    let mut cells = 0;
    while bytes.get(at) == Some(&b'|') {
        if cells > 0 && matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) {
            end = Some(skip_breaks(text, at + 1));
        }
        at = skip_blanks(text, at + 1);
        at += usize::from(bytes.get(at) == Some(&b':'));
        let dashes = bytes[at..].iter().take_while(|byte| **byte == b'-').count();
        if dashes < 3 {
            break;
        }
        at += dashes;
        at += usize::from(bytes.get(at) == Some(&b':'));
        at = skip_blanks(text, at);
        cells += 1;
    }
    end
}

/// The opening of a code block that names its language, with the line after it.
fn fences(text: &str, out: &mut Vec<Range<usize>>) {
    let mut from = 0;
    while let Some(start) = find(text, "```", from) {
        let word_start = start + 3;
        let word: usize = text[word_start..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum();
        let breaks = skip_breaks(text, word_start + word);
        if word == 0 || breaks == word_start + word {
            from = start + 1;
            continue;
        }
        from = text[breaks..].find(['\n', '\r']).map_or(text.len(), |at| breaks + at);
        out.push(start..from);
    }
}

fn find(text: &str, wanted: &str, from: usize) -> Option<usize> {
    text.get(from..)?.find(wanted).map(|at| from + at)
}

fn skip_breaks(text: &str, from: usize) -> usize {
    from + text.as_bytes()[from..].iter().take_while(|byte| matches!(**byte, b'\n' | b'\r')).count()
}

fn skip_blanks(text: &str, from: usize) -> usize {
    from + text[from..].chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum::<usize>()
}

/// The next place of a mark, remembered, so that a long line of opening brackets costs one pass and not one for each.
struct Next {
    mark: &'static str,
    asked: usize,
    found: Option<usize>,
    known: bool,
}

impl Next {
    fn new(mark: &'static str) -> Self {
        Self { mark, asked: 0, found: None, known: false }
    }

    /// `from` never goes back by more than the mark's length; when it does, the place is looked up again.
    fn at(&mut self, text: &str, from: usize) -> Option<usize> {
        let stale = match self.found {
            Some(found) => found < from,
            None => false,
        };
        if !self.known || stale || from < self.asked {
            self.found = find(text, self.mark, from);
            self.known = true;
        }
        self.asked = from;
        self.found
    }
}

/// Walks the pieces of step one and emits units: protected ranges whole, the rest as it was cut.
pub(super) struct Joiner {
    protected: std::iter::Peekable<std::vec::IntoIter<Range<usize>>>,
    /// Everything before this byte is emitted.
    done: usize,
}

impl Joiner {
    pub(super) fn new(protected: Vec<Range<usize>>) -> Self {
        Self { protected: protected.into_iter().peekable(), done: 0 }
    }

    pub(super) fn add(&mut self, start: usize, end: usize, emit: &mut dyn FnMut(usize, usize)) {
        self.done = self.done.max(start);
        while self.done < end {
            match self.protected.next_if(|range| range.start < end) {
                Some(range) => {
                    if range.start > self.done {
                        emit(self.done, range.start);
                    }
                    self.done = range.end;
                    emit(range.start, range.end);
                }
                None => {
                    emit(self.done, end);
                    self.done = end;
                }
            }
        }
    }
}
