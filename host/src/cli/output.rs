//! What people and scripts see: text, or with `--json` one JSON value for each result, on stdout; progress and errors on stderr.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::time::Duration;

pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A line of text; nothing with `--json`.
    pub(super) fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            write_out(&format!("{}\n", text.as_ref()));
        }
    }

    /// A piece of text without a line end, shown at once; nothing with `--json`.
    pub(super) fn piece(&self, text: &str) {
        if !self.json {
            write_out(text);
        }
    }

    /// One JSON value on a line of its own; nothing without `--json`.
    pub(super) fn value(&self, value: &Value) {
        if self.json {
            write_out(&format!("{value}\n"));
        }
    }

    /// Rows under headings, aligned.
    pub(super) fn table(&self, headings: &[&str], rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = headings.iter().map(|heading| width(heading)).collect();
        for row in rows {
            for (cell, room) in row.iter().zip(&mut widths) {
                *room = (*room).max(width(cell));
            }
        }
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells.zip(&widths).map(|(cell, room)| format!("{cell}{}", " ".repeat(room - width(cell)))).collect();
            self.line(padded.join("  ").trim_end());
        };
        line(&mut headings.iter().copied());
        for row in rows {
            line(&mut row.iter().map(String::as_str));
        }
    }

    /// The whole chain of reasons, on stderr.
    pub(super) fn error(&self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        if self.json {
            eprintln!("{}", json!({ "error": text }));
        } else {
            eprintln!("error: {text}");
        }
    }

    pub(super) fn warn(&self, text: &str) {
        eprintln!("{text}");
    }

    /// A bar on a terminal; hidden with `--json` or when stderr is no terminal.
    pub(super) fn bar(&self, length: u64, what: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style =
            ProgressStyle::with_template("{msg:22} [{bar:32}] {pos}/{len} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(length).with_style(style.progress_chars("=> ")).with_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// A bar for bytes on a terminal; without a known end it counts.
    pub(super) fn bytes_bar(&self, length: Option<u64>, what: &str) -> ProgressBar {
        let bar = self.bar(length.unwrap_or_default(), what);
        let template = match length {
            Some(_) => "{msg:22} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{msg:22} {bytes} {bytes_per_sec}",
        };
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        bar
    }

    /// Asks for a yes on a terminal; without one the answer is no.
    pub(super) fn confirm(&self, question: &str) -> bool {
        if !std::io::stdin().is_terminal() {
            return false;
        }
        eprint!("{question} [y/N] ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
    }
}

/// A reader that went away, such as `head`, is no reason to fail.
fn write_out(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Columns on a terminal: ideographs and full-width forms take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|letter| match u32::from(letter) {
            0x1100..=0x115f
            | 0x2e80..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0xffe0..=0xffe6
            | 0x1f300..=0x1faff => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn ideographs_take_two_columns() {
        assert_eq!(super::width("ab中文"), 6);
    }
}
