//! Uploads on a real disk: whole or not at all, and never outside the root.

use super::Files;
use crate::domain::TenantId;
use crate::error::Error;
use std::path::Path;
use tokio::io::AsyncReadExt;

const TENANT: TenantId = TenantId(10_000);

fn open() -> (tempfile::TempDir, Files) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let files = Files::open(&folder.path().join("files")).expect("opens");
    (folder, files)
}

fn names_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("reads") {
        let path = entry.expect("reads").path();
        if path.is_dir() {
            names.extend(names_below(&path));
        } else {
            names.push(path.display().to_string());
        }
    }
    names
}

#[tokio::test]
async fn an_upload_in_pieces_is_hashed_counted_and_read_back_whole() {
    let (_folder, files) = open();
    let mut writer = files.begin(100).await.expect("begins");
    for piece in [&b"hello "[..], b"", b"world"] {
        writer.write(piece).await.expect("writes");
    }
    let stored = writer.finish(TENANT, "k-1", "TXT").await.expect("finishes");
    assert_eq!((stored.size_bytes, stored.md5.as_str()), (11, "5eb63bbbe01eeed093cb22bb8f5acdc3"));
    assert!(stored.key.starts_with("10000/k-1/") && stored.key.ends_with(".TXT"), "{}", stored.key);
    let mut open = files.read(&stored.key).await.expect("opens");
    let mut text = String::new();
    open.file.read_to_string(&mut text).await.expect("reads");
    assert_eq!((text.as_str(), open.size_bytes), ("hello world", 11));
    files.delete(&stored.key).await.expect("deletes");
    files.delete(&stored.key).await.expect("deletes what is gone");
    assert!(matches!(files.read(&stored.key).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn an_upload_over_its_limit_or_left_alone_leaves_nothing_behind() {
    let (folder, files) = open();
    let mut writer = files.begin(10).await.expect("begins");
    writer.write(b"0123456789").await.expect("fits exactly");
    assert!(matches!(writer.write(b"x").await, Err(Error::TooLarge(_))));
    assert!(matches!(writer.finish(TENANT, "k", "txt").await, Err(Error::TooLarge(_))));
    let mut writer = files.begin(10).await.expect("begins");
    writer.write(b"half").await.expect("writes");
    drop(writer);
    assert!(names_below(folder.path()).is_empty());
}

#[tokio::test]
async fn no_key_leads_out_of_the_root() {
    let (folder, files) = open();
    let outside = folder.path().join("secret");
    std::fs::write(&outside, "secret").expect("writes");
    std::os::unix::fs::symlink(&outside, folder.path().join("files/link")).expect("links");
    let absolute = outside.display().to_string();
    for key in ["", "..", "../secret", "a/../../secret", "./../secret", absolute.as_str(), "link", "a\0b", "tmp", "tmp/x", "/"] {
        assert!(matches!(files.read(key).await, Err(Error::NotFound { .. })), "{key:?} was opened");
        files.delete(key).await.unwrap_or_else(|error| assert!(!matches!(error, Error::NotFound { .. }), "{key:?}: {error}"));
    }
    assert!(outside.exists());
    for id in ["", "..", "a/b", "a\0"] {
        let writer = files.begin(10).await.expect("begins");
        assert!(matches!(writer.finish(TENANT, id, "txt").await, Err(Error::BadRequest(_))), "{id:?} became a folder");
    }
    let writer = files.begin(10).await.expect("begins");
    let stored = writer.finish(TENANT, "k", "../../x").await.expect("finishes");
    assert!(!stored.key.contains(".."), "{}", stored.key);
}

#[tokio::test]
async fn a_start_removes_what_a_killed_server_left_unfinished_and_nothing_else() {
    let (folder, files) = open();
    let mut writer = files.begin(10).await.expect("begins");
    writer.write(b"kept").await.expect("writes");
    let stored = writer.finish(TENANT, "k", "txt").await.expect("finishes");
    std::fs::write(folder.path().join("files/tmp/left"), "half").expect("writes");
    let files = Files::open(&folder.path().join("files")).expect("opens again");
    assert_eq!(files.read(&stored.key).await.expect("opens").size_bytes, 4);
    assert_eq!(names_below(folder.path()).len(), 1);
}
