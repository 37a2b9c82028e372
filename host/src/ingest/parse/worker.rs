//! The child: limits itself, reads one file from its standard input and answers on its standard output.
//!
//! Not here: the parent that starts and judges it (`child`).

use super::faults;
use super::protocol::{Outcome, RequestHeader, encode_answer, read_request};
use anyhow::Context;
use knowhost_parse::ParseError;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use std::io::Write;
use std::process::ExitCode;

/// Pages nest; readers recurse. What is not touched costs address space only.
const STACK_BYTES: usize = 256 << 20;

/// `knowhost parse-worker`.
pub fn worker_main() -> ExitCode {
    work(false)
}

/// `with_faults`: understands the files of [`faults`], which only tests send.
pub(super) fn work(with_faults: bool) -> ExitCode {
    match serve(with_faults) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent reads this; nobody else may be listening.
            drop(writeln!(std::io::stderr(), "parse-worker: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn serve(with_faults: bool) -> anyhow::Result<()> {
    // A parent that is killed takes its children along.
    set_parent_process_death_signal(Some(Signal::KILL)).context("asking to die with the parent")?;
    let (header, file) = read_request(std::io::stdin().lock())?;
    confine(&header)?;
    let marker = header.marker.clone();
    let parser =
        std::thread::Builder::new().name("parser".into()).stack_size(STACK_BYTES).spawn(move || read(&header, &file, with_faults))?;
    let outcome = parser.join().unwrap_or_else(|_| Err(ParseError::Panicked { reader: "file".to_owned() }));
    let answer = encode_answer(&marker, outcome)?;
    let mut out = std::io::stdout().lock();
    out.write_all(&answer)?;
    out.flush()?;
    Ok(())
}

fn read(header: &RequestHeader, file: &[u8], with_faults: bool) -> Outcome {
    if with_faults && header.file_type == faults::FILE_TYPE {
        return Ok(faults::commit(&String::from_utf8_lossy(file)));
    }
    knowhost_parse::parse(file, &header.file_type, &header.limits)
}

/// Memory, processor time, no files, no core dump.
fn confine(header: &RequestHeader) -> anyhow::Result<()> {
    let limit = |current: u64, maximum: u64| Rlimit { current: Some(current), maximum: Some(maximum) };
    // The soft limit's signal tells the parent what happened; the hard one ends who ignores it.
    setrlimit(Resource::Cpu, limit(header.cpu_seconds, header.cpu_seconds + 5)).context("limiting processor time")?;
    setrlimit(Resource::As, limit(header.address_space_bytes, header.address_space_bytes)).context("limiting memory")?;
    setrlimit(Resource::Fsize, limit(0, 0)).context("forbidding files")?;
    setrlimit(Resource::Core, limit(0, 0)).context("forbidding core dumps")?;
    Ok(())
}
