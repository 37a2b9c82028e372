//! Tables to records: every row becomes `column: value,column: value`, so that a found row explains itself.
//!
//! Not here: tables inside documents; those stay Markdown.

use crate::{ParseError, ParseLimits, ParseResult, Parsed};
use calamine::{Data, Range, Reader, Xls, Xlsx};
use std::io::Cursor;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workbook {
    Xlsx,
    Xls,
}

impl Workbook {
    fn name(self) -> &'static str {
        match self {
            Self::Xlsx => "an Excel workbook (XLSX)",
            Self::Xls => "an Excel 97 workbook (XLS)",
        }
    }
}

pub(crate) fn parse_csv(text: &str, limits: &ParseLimits) -> ParseResult<Parsed> {
    let delimiter = delimiter(text);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = Records::new(limits);
    for row in reader.records() {
        // Text is UTF-8 already and rows may have any length, so only reading itself could fail, and memory does not.
        let row = row.map_err(|error| ParseError::damaged("a CSV table", error))?;
        records.add(row.iter())?;
    }
    Ok(records.finish())
}

/// The one of comma, semicolon and tab that the first line has most of; a comma when it has none.
fn delimiter(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| line.bytes().filter(|byte| *byte == delimiter).count();
    [b';', b'\t', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

pub(crate) fn parse_workbook(bytes: &[u8], kind: Workbook, limits: &ParseLimits) -> ParseResult<Parsed> {
    let source = Cursor::new(bytes);
    let mut records = Records::new(limits);
    let damaged = |error: &dyn std::fmt::Display| ParseError::damaged(kind.name(), error);
    match kind {
        Workbook::Xlsx => {
            let mut book = Xlsx::new(source).map_err(|error| encrypted_or(damaged(&error), &error.to_string()))?;
            for name in book.sheet_names() {
                records.add_sheet(&book.worksheet_range(&name).map_err(|error| damaged(&error))?)?;
            }
        }
        Workbook::Xls => {
            let mut book = Xls::new(source).map_err(|error| encrypted_or(damaged(&error), &error.to_string()))?;
            for name in book.sheet_names() {
                records.add_sheet(&book.worksheet_range(&name).map_err(|error| damaged(&error))?)?;
            }
        }
    }
    Ok(records.finish())
}

fn encrypted_or(error: ParseError, text: &str) -> ParseError {
    if text.to_ascii_lowercase().contains("password") { ParseError::Encrypted } else { error }
}

struct Records<'a> {
    limits: &'a ParseLimits,
    /// Of the present sheet; `None` before its first row.
    header: Option<Vec<String>>,
    parsed: Parsed,
}

impl<'a> Records<'a> {
    fn new(limits: &'a ParseLimits) -> Self {
        Self { limits, header: None, parsed: Parsed::default() }
    }

    fn add_sheet(&mut self, sheet: &Range<Data>) -> ParseResult<()> {
        self.header = None;
        for row in sheet.rows() {
            let cells: Vec<String> = row.iter().map(show).collect();
            self.add(cells.iter().map(String::as_str))?;
        }
        Ok(())
    }

    fn add<'c>(&mut self, cells: impl Iterator<Item = &'c str>) -> ParseResult<()> {
        let cells: Vec<&str> = cells.map(str::trim).collect();
        if cells.iter().all(|cell| cell.is_empty()) {
            return Ok(());
        }
        let Some(header) = &self.header else {
            self.header = Some(cells.into_iter().map(str::to_owned).collect());
            return Ok(());
        };
        if self.parsed.record_ends.len() == self.limits.rows_max {
            return Err(ParseError::TooManyRows { rows_max: self.limits.rows_max });
        }
        let text = &mut self.parsed.text;
        let mut first = true;
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            if !std::mem::take(&mut first) {
                text.push(',');
            }
            match header.get(column).filter(|name| !name.is_empty()) {
                Some(name) => text.push_str(name),
                None => text.push_str(&format!("column {}", column + 1)),
            }
            text.push_str(": ");
            text.push_str(cell);
        }
        text.push('\n');
        if text.len() > self.limits.text_bytes_max {
            return Err(ParseError::TextTooLarge { bytes: text.len(), bytes_max: self.limits.text_bytes_max });
        }
        self.parsed.record_ends.push(text.len());
        Ok(())
    }

    /// A table of one row has no header to explain it: that row is its record.
    fn finish(mut self) -> Parsed {
        if self.parsed.record_ends.is_empty()
            && let Some(header) = self.header
        {
            let cells: Vec<String> = header.into_iter().filter(|cell| !cell.is_empty()).collect();
            self.parsed.text = format!("{}\n", cells.join(","));
            self.parsed.record_ends.push(self.parsed.text.len());
        }
        self.parsed
    }
}

fn show(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Bool(true) => "True".to_owned(),
        Data::Bool(false) => "False".to_owned(),
        Data::DateTime(time) => show_time(time),
        // What a formula could not compute says nothing.
        Data::Error(_) => String::new(),
    }
}

fn show_time(time: &calamine::ExcelDateTime) -> String {
    if time.is_duration() {
        return time.as_f64().to_string();
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    if (hour, minute, second) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<String> {
        parse_csv(text, &ParseLimits::default()).expect("readable").records().map(str::to_owned).collect()
    }

    #[test]
    fn rows_carry_the_names_of_their_columns() {
        let text = "城市, population ,note\n上海,24870895,\"port, big\"\n\n\"Lin\nz\",210165\n";
        assert_eq!(records(text), ["城市: 上海,population: 24870895,note: port, big\n", "城市: Lin\nz,population: 210165\n"]);
    }

    #[test]
    fn surplus_cells_and_other_delimiters_are_kept() {
        assert_eq!(records("a;b\n1;2;3\n"), ["a: 1,b: 2,column 3: 3\n"]);
        assert_eq!(records("a\tb\n\t2\n"), ["b: 2\n"]);
    }

    #[test]
    fn a_lone_row_is_its_own_record_and_nothing_gives_nothing() {
        assert_eq!(records("only,this"), ["only,this\n"]);
        assert_eq!(records(" \n\n").len(), 0);
    }

    #[test]
    fn more_rows_than_allowed_is_an_error() {
        let limits = ParseLimits { rows_max: 2, ..ParseLimits::default() };
        assert_eq!(parse_csv("a\n1\n2\n3\n", &limits), Err(ParseError::TooManyRows { rows_max: 2 }));
    }
}
