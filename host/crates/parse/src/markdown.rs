//! Markdown as it is stored: tables in one form, pictures inside the text taken out.
//!
//! Not here: rendering, and turning other formats into Markdown.

use crate::Parsed;

pub(crate) fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::prose(normalize(text));
    parsed.title = title(&parsed.text);
    parsed
}

/// The steps that every Markdown text takes, whether uploaded or made from another format.
pub(crate) fn normalize(text: &str) -> String {
    without_inline_pictures(&format_tables(text))
}

/// For text made by a converter: no blanks at line ends, no more than one empty line in a row.
pub(crate) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty_lines = 0;
    for line in text.trim().lines().map(str::trim_end) {
        empty_lines = if line.is_empty() { empty_lines + 1 } else { 0 };
        if empty_lines < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// The first heading.
fn title(text: &str) -> Option<String> {
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
    (!heading.is_empty()).then(|| heading.to_owned())
}

fn format_tables(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        match format_row(body) {
            Some(row) => {
                out.push_str(&row);
                out.push_str(&line[body.len()..]);
            }
            None => out.push_str(line),
        }
    }
    out
}

/// A line between two pipes with its cells trimmed; empty cells stay, else columns would shift.
fn format_row(line: &str) -> Option<String> {
    let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    let rule = cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| matches!(c, ':' | '-')));
    let mut row = format!("{indent}|");
    for cell in cells {
        let shown = if rule { rule_cell(cell) } else { cell };
        row.push(' ');
        row.push_str(shown);
        row.push_str(if shown.is_empty() { "|" } else { " |" });
    }
    Some(row)
}

fn rule_cell(cell: &str) -> &'static str {
    match (cell.starts_with(':'), cell.len() > 1 && cell.ends_with(':')) {
        (true, true) => ":---:",
        (true, false) => ":---",
        (false, true) => "---:",
        (false, false) => "---",
    }
}

/// `![alt](data:...)` becomes `alt`: the bytes of a picture are no words.
fn without_inline_pictures(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("![") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        match inline_picture(from) {
            Some((alt, end)) => {
                out.push_str(alt);
                rest = &from[end..];
            }
            None => {
                out.push_str("![");
                rest = &from[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn inline_picture(text: &str) -> Option<(&str, usize)> {
    let line_end = text.find('\n').unwrap_or(text.len());
    let close = text[..line_end].find("](")?;
    let target = &text[close + 2..line_end];
    if !target.starts_with("data:") {
        return None;
    }
    let end = target.find(')')?;
    Some((&text[2..close], close + 2 + end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_one_form_and_keep_empty_cells() {
        let text = "  |a|  b  ||\n|:--|--:|:-:|\r\n| x | | z |\nno | table\n";
        assert_eq!(normalize(text), "  | a | b | |\n| :--- | ---: | :---: |\r\n| x | | z |\nno | table\n");
    }

    #[test]
    fn pictures_inside_the_text_leave_their_words() {
        let text = "see ![a chart](data:image/png;base64,AAAA) and ![kept](http://x.test/y.png) ![open](data:image/png";
        assert_eq!(normalize(text), "see a chart and ![kept](http://x.test/y.png) ![open](data:image/png");
    }

    #[test]
    fn the_first_heading_is_the_title() {
        assert_eq!(parse("\n## 部署指南 \ntext").title.as_deref(), Some("部署指南"));
        assert_eq!(parse("text\n# later").title, None);
    }

    #[test]
    fn tidy_keeps_single_empty_lines() {
        assert_eq!(tidy("\n\na  \n\n\n\nb\n"), "a\n\nb");
    }
}
