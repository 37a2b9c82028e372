//! From a text to sentences that can be quoted in a list.
//!
//! Not here: which of them fit.

/// A longer sentence is cut where it is quoted.
const QUOTE_CHARS_MAX: usize = 300;
/// More of a source is not looked at.
const SENTENCES_MAX: usize = 2_000;
/// Texts are wrapped at 60 columns and more.
const WRAPPED_COLUMNS_MIN: usize = 50;

/// Sentences in their order, without marks of lists and headings.
pub(crate) fn sentences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in paragraphs(text) {
        let mut start = 0;
        for end in ends(&line) {
            push(&line[start..end], &mut found);
            start = end;
        }
        push(&line[start..], &mut found);
        if found.len() >= SENTENCES_MAX {
            found.truncate(SENTENCES_MAX);
            break;
        }
    }
    found
}

/// Lines that were only wrapped are one again; list items, headings, short lines and blank lines are borders.
fn paragraphs(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut open, mut full) = (false, false);
    for line in text.lines() {
        let trimmed = line.trim();
        let bare = strip_marks(trimmed);
        if bare.is_empty() {
            open = false;
            continue;
        }
        let is_border = bare.len() != trimmed.len();
        match found.last_mut() {
            // A small letter goes on with the sentence, however short the line before was.
            Some(last) if open && !is_border && (full || bare.starts_with(char::is_lowercase)) => {
                // Chinese needs no space where a line was wrapped.
                if last.ends_with(|char: char| char.is_ascii()) || bare.starts_with(|char: char| char.is_ascii()) {
                    last.push(' ');
                }
                last.push_str(bare);
            }
            Some(_) | None => found.push(bare.to_owned()),
        }
        open = !trimmed.starts_with('#');
        full = may_be_wrapped(bare);
    }
    found
}

/// A line is wrapped where it is full; a shorter one ends by itself, as headings without a mark do.
fn may_be_wrapped(line: &str) -> bool {
    // An ideograph is as wide as two letters.
    line.chars().map(|char| if char.is_ascii() { 1 } else { 2 }).sum::<usize>() >= WRAPPED_COLUMNS_MIN
}

/// Takes the marks of Markdown headings, quotes, list items and table borders off.
fn strip_marks(line: &str) -> &str {
    let bare = line.trim_start_matches(['#', '>', '|', ' ']).trim_end_matches(['|', ' ']);
    for mark in ["- ", "* ", "+ ", "• ", "· "] {
        if let Some(rest) = bare.strip_prefix(mark) {
            return rest.trim();
        }
    }
    let digits = bare.len() - bare.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    if (1..=3).contains(&digits)
        && let Some(rest) = bare[digits..].strip_prefix(". ").or_else(|| bare[digits..].strip_prefix(") "))
    {
        return rest.trim();
    }
    if bare.chars().any(char::is_alphanumeric) { bare.trim() } else { "" }
}

/// Where sentences end: after the mark and the quotes and brackets that close with it.
fn ends(line: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut chars = line.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let ends_here = match char {
            '。' | '！' | '？' | '；' | '…' => true,
            '!' | '?' => true,
            '.' => is_full_stop(line, at),
            _ => false,
        };
        if !ends_here {
            continue;
        }
        let mut end = at + char.len_utf8();
        while let Some((at, char)) = chars.next_if(|(_, char)| "。！？!?…”’\"')）】》」』".contains(*char)) {
            end = at + char.len_utf8();
        }
        found.push(end);
    }
    found
}

/// Not in `3.14`, `e.g.`, `Dr. Who`, `example.com`.
fn is_full_stop(line: &str, at: usize) -> bool {
    const ABBREVIATIONS: [&str; 16] =
        ["mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "no", "fig", "inc", "ltd", "co", "approx", "dept", "sec"];
    let rest = &line[at + 1..];
    if rest.is_empty() {
        return true;
    }
    let after = rest.trim_start_matches(['"', '\'', ')', '”', '’']);
    if !after.is_empty() && !after.starts_with(char::is_whitespace) {
        return false;
    }
    let next = after.trim_start().chars().next();
    if next.is_some_and(char::is_lowercase) {
        return false;
    }
    let word = line[..at].rsplit(|char: char| !char.is_alphanumeric() && char != '.').next().unwrap_or_default();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    !is_initial && !word.contains('.') && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

fn push(sentence: &str, found: &mut Vec<String>) {
    let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    if !sentence.chars().any(char::is_alphanumeric) {
        return;
    }
    match sentence.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((end, _)) => found.push(format!("{}…", sentence[..end].trim_end())),
        None => found.push(sentence),
    }
}
