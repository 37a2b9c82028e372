//! Puts the lines of a page together to paragraphs: a PDF knows only where lines stand.
//!
//! Not here: reading the lines out of the file.

use unicode_normalization::UnicodeNormalization;

/// A line at least this share of the page's widest goes on in the next one.
const FULL_LINE_SHARE: f64 = 0.7;

/// Joins wrapped lines and drops the number at the foot of the page. Empty lines stay where paragraphs end.
pub(super) fn join(page: &str, page_number: usize) -> String {
    let mut lines: Vec<&str> = page.lines().map(str::trim).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    if lines.last().is_some_and(|line| line.parse() == Ok(page_number)) {
        lines.pop();
    }
    let widest = lines.iter().map(|line| width(line)).max().unwrap_or_default();
    let is_full = |line: &str| line.ends_with('-') || width(line) as f64 >= widest as f64 * FULL_LINE_SHARE;
    let mut out = String::with_capacity(page.len());
    let mut previous = "";
    for line in lines {
        if !previous.is_empty() && !line.is_empty() && is_full(previous) && !starts_item(line) {
            glue(&mut out, line);
        } else {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&line.strip_prefix('•').map_or_else(|| line.to_owned(), |item| format!("- {}", item.trim_start())));
        }
        previous = line;
    }
    out
}

fn glue(out: &mut String, line: &str) {
    let (Some(last), Some(first)) = (out.chars().next_back(), line.chars().next()) else { return };
    if last == '-' && first.is_lowercase() && out.chars().rev().nth(1).is_some_and(char::is_alphabetic) {
        out.pop();
    } else if !(is_wide(last) || is_wide(first)) {
        out.push(' ');
    }
    out.push_str(line);
}

/// `•`, `-`, `1.`, `2)`, `3、` and the like.
fn starts_item(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.starts_with(['•', '-', '*', '·', '▪', '◦', '|', '#'])
        || (rest.len() < line.len() && line.len() - rest.len() <= 3 && rest.starts_with(['.', ')', '、', '．']))
}

fn width(line: &str) -> usize {
    line.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Scripts that are written without blanks between words, and their punctuation.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}')
}

/// Fonts name some glyphs by their look: radicals and ligatures become the characters that people type, so that searches find them.
pub(super) fn plain_glyphs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2e80}'..='\u{2fdf}' | '\u{f900}'..='\u{faff}' | '\u{fb00}'..='\u{fb06}' => out.extend(c.nfkc()),
            '\0' | '\u{00ad}' => {}
            '\u{00a0}' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_come_together_in_both_scripts() {
        let page = "茶园位于海拔九百米的山坡上，春茶只\n取一芽一叶。\n\nA line that is wrap-\nped and goes on to the very end of\nits paragraph\n7\n";
        assert_eq!(
            join(page, 7),
            "茶园位于海拔九百米的山坡上，春茶只取一芽一叶。\n\nA line that is wrapped and goes on to the very end of its paragraph"
        );
    }

    #[test]
    fn items_and_short_lines_stay_apart() {
        let page = "goods per month\noil 120\n• The boat lands only at slack water, and\n• the sledge does not\n1. first thing to do on arrival at dock\n2. second";
        assert_eq!(
            join(page, 9),
            "goods per month\noil 120\n- The boat lands only at slack water, and\n- the sledge does not\n1. first thing to do on arrival at dock\n2. second"
        );
    }

    #[test]
    fn radicals_become_characters() {
        assert_eq!(plain_glyphs("⼈⼯ ﬁnd\u{ad}s"), "人工 finds");
    }
}
