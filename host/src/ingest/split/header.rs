//! Remembers the header of the table that is being cut.
//!
//! Not here: where headers are repeated (`merge`).

#[derive(Default)]
pub(super) struct HeaderTracker<'a> {
    header: Option<&'a str>,
}

impl<'a> HeaderTracker<'a> {
    /// To be called with every unit, in order. A new header replaces the one before; anything but a row ends it.
    pub(super) fn update(&mut self, unit: &'a str) {
        if is_header(unit) {
            self.header = Some(unit);
        } else if !unit.trim_start().starts_with('|') {
            self.header = None;
        }
    }

    pub(super) fn header(&self) -> Option<&'a str> {
        self.header
    }
}

/// Blanks, a row of cells, line breaks, a row of rules and line breaks, and nothing else.
fn is_header(unit: &str) -> bool {
    let mut lines = unit.trim_start().split(['\n', '\r']).filter(|line| !line.is_empty());
    let (Some(cells), Some(rule), None) = (lines.next(), lines.next(), lines.next()) else { return false };
    cells.starts_with('|') && unit.ends_with(['\n', '\r']) && is_rule(rule.trim())
}

fn is_rule(line: &str) -> bool {
    let Some(inner) = line.strip_prefix('|') else { return false };
    inner.strip_suffix('|').unwrap_or(inner).split('|').all(|cell| {
        let cell = cell.trim();
        let dashes = cell.strip_prefix(':').unwrap_or(cell);
        let dashes = dashes.strip_suffix(':').unwrap_or(dashes);
        dashes.len() >= 3 && dashes.bytes().all(|byte| byte == b'-')
    })
}
