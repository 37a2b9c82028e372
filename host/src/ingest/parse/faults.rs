//! Files that break their reader on purpose, to show that the server outlives them.
//!
//! Not for users: a child reads these only when a test started it so, which the server never does.

use knowhost_parse::Parsed;
use std::hint::black_box;
use std::time::Duration;

/// The extension whose content is the name of a fault.
pub(super) const FILE_TYPE: &str = "fault";

/// Does what `name` says; what comes back is only for the faults that survive.
pub(super) fn commit(name: &str) -> Parsed {
    match name {
        "loop" => loop {
            black_box(());
        },
        "sleep" => std::thread::sleep(Duration::from_secs(3_600)),
        "stack" => {
            black_box(descend(black_box(1)));
        }
        "allocate" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            for _ in 0..64 {
                hoard.push(black_box(vec![1; 64 << 20]));
            }
            black_box(hoard.len());
        }
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "chatter" => {
            use std::io::Write;
            // A failed write to a closed pipe is the parent's business.
            drop(std::io::stdout().write_all("a library says hello\n".repeat(1_000).as_bytes()));
        }
        "flood" => {
            return Parsed { text: "x".repeat(64 << 20), ..Parsed::default() };
        }
        _ => {}
    }
    Parsed { text: format!("survived {name}"), ..Parsed::default() }
}

#[expect(unconditional_recursion, reason = "overflowing the stack is what it is for")]
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    descend(depth + 1) + frame[usize::try_from(depth % 64).unwrap_or(0)]
}
