//! Step one: cut a text at its separators until every piece fits.
//!
//! Not here: what may not be cut (`protect`) and putting pieces together again (`merge`).

/// Cuts nest at most this deep, one level for each separator that still cuts; deeper pieces fall into single characters.
const DEPTH_MAX: usize = 32;

/// Calls `emit` with the byte range of each piece, in order; their concatenation is `text`.
pub(super) fn split(text: &str, size: usize, separators: &[String], emit: &mut dyn FnMut(usize, usize)) {
    split_range(text, 0, text.len(), Rules { size, separators }, 0, emit);
}

#[derive(Clone, Copy)]
struct Rules<'a> {
    size: usize,
    separators: &'a [String],
}

fn split_range(text: &str, start: usize, end: usize, rules: Rules<'_>, depth: usize, emit: &mut dyn FnMut(usize, usize)) {
    let part = &text[start..end];
    if part.is_empty() {
        return;
    }
    if fits(part, rules.size) {
        emit(start, end);
        return;
    }
    let separator = rules.separators.iter().find(|separator| cuts(part, separator)).filter(|_| depth < DEPTH_MAX);
    let Some(separator) = separator else {
        for (at, c) in part.char_indices() {
            emit(start + at, start + at + c.len_utf8());
        }
        return;
    };
    // A separator stays at the front of the piece that follows it.
    let mut from = start;
    for (at, _) in part.match_indices(separator.as_str()) {
        split_range(text, from, start + at, rules, depth + 1, emit);
        from = start + at;
    }
    split_range(text, from, end, rules, depth + 1, emit);
}

fn fits(part: &str, size: usize) -> bool {
    part.len() <= size || part.chars().nth(size).is_none()
}

/// Whether a cut gives more than one piece: the separator stands anywhere but only at the front.
fn cuts(part: &str, separator: &str) -> bool {
    part.match_indices(separator).any(|(at, _)| at > 0)
}
