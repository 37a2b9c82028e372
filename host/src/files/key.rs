//! Keys of files: `tenant/knowledge/nanoseconds.extension`. Not here: the disk.

use crate::domain::TenantId;
use std::path::{Component, Path};
use std::time::{SystemTime, UNIX_EPOCH};

const EXTENSION_CHARS_MAX: usize = 16;

/// A new key; `None` when the knowledge id could not be a folder's name. A strange extension is left out.
pub(super) fn new_key(tenant_id: TenantId, knowledge_id: &str, extension: &str) -> Option<String> {
    let is_plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_plain(knowledge_id) || knowledge_id.len() > 64 {
        return None;
    }
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let extension = extension.trim_start_matches('.');
    let ending = if is_plain(extension) && extension.len() <= EXTENSION_CHARS_MAX { format!(".{extension}") } else { String::new() };
    Some(format!("{tenant_id}/{knowledge_id}/{nanoseconds}{ending}"))
}

/// The key as a path, if it only goes down and not to unfinished uploads.
pub(super) fn relative(key: &str) -> Option<&Path> {
    let path = Path::new(key);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    (!key.is_empty() && !key.contains('\0') && is_plain && !path.starts_with(super::TEMPORARY)).then_some(path)
}
