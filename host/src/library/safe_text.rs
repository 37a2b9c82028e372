//! What the contract takes for dangerous in texts: names of files with it are refused, shown chunks lose it.
//!
//! Not here: escaping for a certain page; clients that render text as HTML have to escape it too.

/// `<name ...>` up to `</name>` on the same line.
const PAIRS_FIRST: [&str; 4] = ["script", "iframe", "object", "embed"];
const PAIRS_LAST: [&str; 2] = ["form", "button"];
const WORDS: [&str; 2] = ["javascript:", "vbscript:"];
/// An attribute and its `=`, with blanks between.
const ATTRIBUTES: [&str; 6] = ["onload", "onerror", "onclick", "onmouseover", "onfocus", "onblur"];

/// Longer names and texts are refused.
const BYTES_MAX: usize = 10_000;

/// The trimmed text, or `None` when it is too long, holds control characters, or has something of the list.
pub(super) fn check(text: &str) -> Option<String> {
    let has_control = text.chars().any(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r'));
    (text.len() <= BYTES_MAX && !has_control && clean(text).len() == text.len()).then(|| text.trim().to_owned())
}

/// The text without everything of the list, escaped for HTML.
pub fn for_display(text: &str) -> String {
    let clean = clean(text);
    let mut out = String::with_capacity(clean.len());
    for c in clean.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            _ => out.push(c),
        }
    }
    out
}

/// One pass in the contract's order.
fn clean(text: &str) -> String {
    let mut text = text.to_owned();
    for name in PAIRS_FIRST {
        text = without(&text, &format!("<{name}"), |rest, lower| pair_end(rest, lower, name));
    }
    text = without(&text, "<embed", tag_end);
    text = without(&text, "<form", |rest, lower| pair_end(rest, lower, PAIRS_LAST[0]));
    text = without(&text, "<input", tag_end);
    text = without(&text, "<button", |rest, lower| pair_end(rest, lower, PAIRS_LAST[1]));
    for word in WORDS {
        text = without(&text, word, |_, _| Some(word.len()));
    }
    for name in ATTRIBUTES {
        text = without(&text, name, |rest, _| {
            let after = rest[name.len()..].trim_start();
            after.starts_with('=').then(|| rest.len() - after.len() + 1)
        });
    }
    text
}

/// Removes from each `start` (lower case) as many bytes as `length` answers for the text from there.
fn without(text: &str, start: &str, length: impl Fn(&str, &str) -> Option<usize>) -> String {
    // ASCII lower case keeps all byte positions.
    let lower = text.to_ascii_lowercase();
    if !lower.contains(start) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower[at..].find(start).map(|found| at + found) {
        out.push_str(&text[at..found]);
        let start_end = found + start.len();
        at = match length(&text[found..], &lower[found..]) {
            Some(length) => found + length,
            None => {
                out.push_str(&text[found..start_end]);
                start_end
            }
        };
    }
    out.push_str(&text[at..]);
    out
}

fn tag_end(rest: &str, _lower: &str) -> Option<usize> {
    rest.find('>').map(|end| end + 1)
}

fn pair_end(rest: &str, lower: &str, name: &str) -> Option<usize> {
    let open_end = tag_end(rest, lower)?;
    let line = &lower[open_end..];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    let close = format!("</{name}>");
    line.find(&close).map(|at| open_end + at + close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_taken_out_and_the_rest_escaped() {
        for (text, wanted) in [
            ("a <SCRIPT src=x>alert(1)</script> b", "a  b"),
            ("<script>\nalert(1)</script>", "&lt;script&gt;\nalert(1)&lt;/script&gt;"),
            ("<input type=text>x", "x"),
            ("JavaScript:go() onerror = x onload it", "go()  x onload it"),
            ("> \"quoted\" & 'so'", "&gt; &#34;quoted&#34; &amp; &#39;so&#39;"),
            ("<embed src=a>中<form a>文</form>", "中"),
            ("onclick=onclick=x onblur", "x onblur"),
        ] {
            assert_eq!(for_display(text), wanted, "{text}");
        }
    }

    #[test]
    fn names_are_trimmed_or_refused() {
        assert_eq!(check(" 报告 2024.pdf ").as_deref(), Some("报告 2024.pdf"));
        for bad in ["a\u{1}.txt", "<script>x</script>.md", "javascript:.txt", "<input>.md"] {
            assert_eq!(check(bad), None, "{bad:?}");
        }
        assert_eq!(check(&"x".repeat(10_001)), None);
        assert_eq!(check("b>.md").as_deref(), Some("b>.md"));
    }
}
