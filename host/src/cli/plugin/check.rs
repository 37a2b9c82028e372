//! `knowhost plugin check`: the conformance kit's report, for people, as JSON, and as a badge.
//!
//! Not here: the rules (`plugin::check`).

use super::super::output::Output;
use super::super::{EXIT_DONE, EXIT_FAILED};
use super::arguments::Check;
use crate::config::Settings;
use crate::plugin::check::{Recording, Verdict, check};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

pub(super) async fn run(settings: &Settings, command: &Check, output: &Output) -> Result<u8> {
    let recordings = Recording::read_folder(&exchanges(&command.file, command.exchanges.as_deref()))?;
    let report = check(&command.file, &super::workbench(settings, command.native), &recordings).await?;
    output.line(format!("{} {}: {}", report.name, report.version, report.kinds.join(", ")));
    for finding in &report.findings {
        let mark = match finding.verdict {
            Verdict::Pass if command.quiet => continue,
            Verdict::Skip if command.quiet => continue,
            Verdict::Pass => "ok  ",
            Verdict::Fail => "FAIL",
            Verdict::Skip => "skip",
        };
        let subject = if finding.subject.is_empty() { String::new() } else { format!("{}: ", finding.subject) };
        output.line(format!("{mark} {:10} {subject}{}", finding.rule, finding.text));
    }
    output.line(format!("\n{}", report.summary()));
    output.value(&report.to_json());
    if let Some(badge) = &command.badge {
        std::fs::write(badge, report.badge()).with_context(|| format!("can not write {}", badge.display()))?;
    }
    Ok(if report.passed() { EXIT_DONE } else { EXIT_FAILED })
}

/// Beside the component, where `build` leaves it.
pub(super) fn exchanges(file: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| file.parent().unwrap_or(Path::new(".")).join("exchanges"), Path::to_owned)
}
