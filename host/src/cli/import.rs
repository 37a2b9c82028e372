//! `knowhost import`: files and folders into a knowledge base.

use super::arguments::Import;
use super::client::{Client, failure, list, text};
use super::output::Output;
use super::{EXIT_DONE, EXIT_FAILED, EXIT_PARTLY};
use crate::config::Settings;
use anyhow::{Context, Result, bail};
use reqwest::{Method, multipart};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

const POLL: Duration = Duration::from_millis(300);
const FILES_MAX: usize = 1_000_000;

pub(super) async fn run(settings: Settings, import: Import, output: &Output) -> Result<u8> {
    let files = collect(&import.paths)?;
    if files.is_empty() {
        bail!("there is no file in {}", import.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "));
    }
    let client = Client::connect(settings).await?;
    let result = take_in(&client, &import, &files, output).await;
    client.close().await?;
    result
}

/// What became of each file.
#[derive(Default)]
struct Summary {
    uploaded: HashSet<String>,
    completed: u64,
    duplicates: u64,
    failures: Vec<(String, String)>,
}

async fn take_in(client: &Client, import: &Import, files: &[PathBuf], output: &Output) -> Result<u8> {
    let kb_id = knowledge_base(client, &import.kb, output).await?;
    let mut summary = Summary::default();
    let bar = output.bar(files.len() as u64, "Uploading");
    for file in files {
        match upload(client, &kb_id, file).await? {
            Upload::Accepted(id) => {
                summary.uploaded.insert(id);
            }
            Upload::Duplicate => summary.duplicates += 1,
            Upload::Refused(reason) => summary.failures.push((file.display().to_string(), reason)),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    // A server of our own ends with the command, so it must finish first.
    if !import.no_wait || !client.is_remote() {
        wait(client, &kb_id, &mut summary, output).await?;
    }
    report(&summary, import, files.len(), output);
    Ok(match (summary.failures.len(), files.len()) {
        (0, _) => EXIT_DONE,
        (failed, all) if failed == all => EXIT_FAILED,
        _ => EXIT_PARTLY,
    })
}

async fn knowledge_base(client: &Client, name: &str, output: &Output) -> Result<String> {
    if let Some(kb) = client.find_knowledge_base(name).await? {
        return Ok(text(&kb, "id").to_owned());
    }
    let made = client.post("/knowledge-bases", &json!({ "name": name, "description": "" })).await?;
    output.line(format!("Made the knowledge base {name:?}."));
    Ok(text(&made["data"], "id").to_owned())
}

enum Upload {
    Accepted(String),
    Duplicate,
    Refused(String),
}

async fn upload(client: &Client, kb_id: &str, file: &Path) -> Result<Upload> {
    let part = match multipart::Part::bytes(match tokio::fs::read(file).await {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Upload::Refused(format!("it can not be read: {error}"))),
    })
    .file_name(file.file_name().unwrap_or_default().to_string_lossy().into_owned())
    .mime_str("application/octet-stream")
    {
        Ok(part) => part,
        Err(error) => return Ok(Upload::Refused(error.to_string())),
    };
    let form = multipart::Form::new().part("file", part);
    let answer = client.request(Method::POST, &format!("/knowledge-bases/{kb_id}/knowledge/file")).multipart(form).send().await?;
    let status = answer.status();
    let body: Value = answer.json().await.with_context(|| format!("the server answered {status} without JSON"))?;
    if status.is_success() {
        return Ok(Upload::Accepted(text(&body["data"], "id").to_owned()));
    }
    if status == reqwest::StatusCode::CONFLICT && body["code"] == "duplicate_file" {
        return Ok(Upload::Duplicate);
    }
    Ok(Upload::Refused(failure(&body).unwrap_or_else(|| format!("the server answered {status}"))))
}

/// Follows the uploaded documents until each is completed or failed.
async fn wait(client: &Client, kb_id: &str, summary: &mut Summary, output: &Output) -> Result<()> {
    let bar = output.bar(summary.uploaded.len() as u64, "Reading and indexing");
    let mut open: Vec<String> = summary.uploaded.iter().cloned().collect();
    while !open.is_empty() {
        let mut still = Vec::new();
        for ids in open.chunks(50) {
            let query: Vec<String> = ids.iter().map(|id| format!("ids={id}")).collect();
            for knowledge in list(&client.get(&format!("/knowledge/batch?{}", query.join("&"))).await?)? {
                match text(&knowledge, "parse_status") {
                    "completed" => summary.completed += 1,
                    "failed" => {
                        summary.failures.push((text(&knowledge, "file_name").to_owned(), text(&knowledge, "error_message").to_owned()))
                    }
                    _ => still.push(text(&knowledge, "id").to_owned()),
                }
            }
        }
        open = still;
        bar.set_position((summary.uploaded.len() - open.len()) as u64);
        if !open.is_empty() {
            tokio::time::sleep(POLL).await;
        }
    }
    bar.finish_and_clear();
    tracing::debug!(kb_id, "import followed to its end");
    Ok(())
}

fn report(summary: &Summary, import: &Import, total: usize, output: &Output) {
    let done = if import.no_wait { summary.uploaded.len() as u64 } else { summary.completed };
    let word = if import.no_wait { "uploaded" } else { "taken in" };
    output.line(format!("{total} files: {done} {word}, {} already there, {} failed.", summary.duplicates, summary.failures.len()));
    for (file, reason) in &summary.failures {
        output.line(format!("  {file}: {reason}"));
    }
    let failures: Vec<Value> = summary.failures.iter().map(|(file, reason)| json!({ "file": file, "reason": reason })).collect();
    output.value(&json!({ "files": total, "done": done, "duplicates": summary.duplicates, "failures": failures }));
}

/// Files named, and all files below folders named, hidden ones left out, in order of their paths.
fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let about = std::fs::metadata(path).with_context(|| format!("{} can not be read", path.display()))?;
        if about.is_dir() {
            walk(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("{} can not be read", folder.display()))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            // Links are not followed, so that a loop of folders ends.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
            if files.len() > FILES_MAX {
                bail!("more than {FILES_MAX} files; import smaller folders");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_without_hidden_files_and_links() {
        let root = tempfile::tempdir().expect("a folder");
        let inner = root.path().join("inner");
        std::fs::create_dir(&inner).expect("made");
        for name in ["b.txt", ".hidden", "inner/a.txt"] {
            std::fs::write(root.path().join(name), "x").expect("written");
        }
        std::os::unix::fs::symlink(root.path(), inner.join("loop")).expect("linked");
        let files = collect(&[root.path().to_owned(), root.path().join("b.txt")]).expect("collected");
        assert_eq!(files, [root.path().join("b.txt"), inner.join("a.txt")]);
        assert!(collect(&[root.path().join("missing")]).is_err());
    }
}
