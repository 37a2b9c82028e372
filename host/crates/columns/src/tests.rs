//! Files as pyarrow, Polars and DuckDB write them (`fixtures/make.py`), and what is left of them after somebody cut or changed them.

use super::{Column, Limits, read_columns};

const LIMITS: Limits = Limits { rows_max: 1_000, unpacked_bytes_max: 1 << 20, texts_bytes_max: 1 << 20 };
const ROWS: i64 = 300;

macro_rules! fixtures {
    ($($name:ident),+) => {
        const FIXTURES: &[(&str, &[u8])] = &[$((stringify!($name), include_bytes!(concat!("../fixtures/", stringify!($name), ".parquet")))),+];
    };
}
fixtures!(snappy, plain, pages, v2, delta, lengths, polars, duckdb);
const ZSTD: &[u8] = include_bytes!("../fixtures/zstd.parquet");

/// The formulas of `make.py`.
fn expected() -> Vec<Column> {
    let id = |row: i64| Some(if row % 5 != 0 { row * 7 - 50 } else { row * 1_000_000_000_000 });
    let small = |row: i64| (row % 4 != 0).then_some(row - 100);
    let text = |row: i64| {
        let text = match row % 4 {
            0 => String::new(),
            1 => "绿色的灯".into(),
            2 => format!("passage {}", row / 3),
            _ => "the same text again and again".into(),
        };
        (row % 11 != 3).then_some(text)
    };
    vec![
        Column::Texts((0..ROWS).map(text).collect()),
        Column::Numbers((0..ROWS).map(id).collect()),
        Column::Numbers((0..ROWS).map(small).collect()),
    ]
}

#[test]
fn files_of_all_writers_and_kinds_say_the_same() {
    for (name, bytes) in FIXTURES {
        let read = read_columns(bytes, &["text", "id", "small"], &LIMITS).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, expected(), "{name}");
    }
}

fn refusal(bytes: &[u8], names: &[&str], limits: &Limits) -> String {
    read_columns(bytes, names, limits).expect_err("refused").to_string()
}

#[test]
fn what_can_not_be_read_is_named() {
    let (_, snappy) = FIXTURES[0];
    assert_eq!(refusal(ZSTD, &["id"], &LIMITS), "it is packed with zstd; write it with snappy or without compression");
    assert_eq!(refusal(snappy, &["id", "qid"], &LIMITS), "there is no column qid; its columns are nested, id, small, text");
    assert_eq!(refusal(snappy, &["nested"], &LIMITS), "the column nested holds columns");
    for nothing in [&b""[..], b"PAR1", b"PAR1PAR1", b"id,text\n1,a\n", &snappy[..snappy.len() - 1], &snappy[1..]] {
        assert_eq!(refusal(nothing, &["id"], &LIMITS), "it is no parquet file");
    }
    assert_eq!(refusal(b"PAR1\xff\xff\xff\x7fPAR1", &["id"], &LIMITS), "its footer is too large");
    assert_eq!(refusal(b"PAR1\xff\0\0\0PAR1", &["id"], &LIMITS), "it is damaged");
}

#[test]
fn limits_hold_before_anything_is_made() {
    for (name, bytes) in FIXTURES {
        assert_eq!(refusal(bytes, &["id"], &Limits { rows_max: 299, ..LIMITS }), "it has 300 rows; at most 299 are read", "{name}");
        let unpacked = refusal(bytes, &["id"], &Limits { unpacked_bytes_max: 100, ..LIMITS });
        assert_eq!(unpacked, "unpacked it has more bytes than are read", "{name}");
        let texts = Limits { texts_bytes_max: 3_000, ..LIMITS };
        assert!(read_columns(bytes, &["text"], &texts).is_err(), "{name}");
        assert!(read_columns(bytes, &["id"], &texts).is_ok(), "{name}");
    }
}

#[test]
fn a_file_that_was_changed_anywhere_is_an_error_or_other_values_and_never_a_panic() {
    let limits = Limits { unpacked_bytes_max: 1 << 17, ..LIMITS };
    for (_, bytes) in FIXTURES {
        // Every fifth byte keeps the test short, and the files differ enough to meet every field somewhere.
        for at in (0..bytes.len()).step_by(5) {
            let mut changed = bytes.to_vec();
            changed[at] ^= [0x01, 0x55, 0x80, 0xff][at % 4];
            if let Ok(columns) = read_columns(&changed, &["text", "id", "small"], &limits) {
                for column in columns {
                    let rows = match column {
                        Column::Numbers(rows) => rows.len(),
                        Column::Texts(rows) => rows.len(),
                    };
                    assert!(rows <= limits.rows_max);
                }
            }
        }
    }
}

#[test]
fn a_file_that_was_cut_in_the_middle_is_damaged() {
    for (_, bytes) in FIXTURES {
        // Its ends stay, or it would be none at all.
        for gap in [1, 10, bytes.len() / 2] {
            let mut cut = bytes[..bytes.len() / 4].to_vec();
            cut.extend(&bytes[bytes.len() / 4 + gap..]);
            assert!(read_columns(&cut, &["text", "id", "small"], &LIMITS).is_err());
        }
    }
}
