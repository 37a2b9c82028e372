//! Documents: taken in, listed, renamed, deleted, handed out.
//!
//! Not here: what becomes of them in the background (`ingest`), multipart and headers (`http`).

use super::safe_text;
use crate::domain::{Knowledge, KnowledgeBase, KnowledgeKind, TenantScope};
use crate::error::{Error, Result};
use crate::files::{FileWriter, Files, OpenFile};
use crate::limits::{DELETE_WAIT, SOURCE_CHARS_MAX, UPLOAD_BYTES_MAX};
use crate::provider::{Followers, Registry};
use crate::store::{CreatedKnowledge, KnowledgeFilter, KnowledgePatch, Page, Paged, Store};
use md5::{Digest, Md5};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Extensions that the contract takes, and web pages.
const FILE_TYPES: [&str; 14] = ["pdf", "txt", "docx", "doc", "md", "markdown", "png", "jpg", "jpeg", "gif", "csv", "xlsx", "xls", "html"];
const IMAGE_TYPES: [&str; 8] = ["jpg", "jpeg", "png", "gif", "webp", "bmp", "svg", "tiff"];

/// The documents of all tenants. Clones share everything.
#[derive(Clone)]
pub struct Documents {
    pub(super) store: Store,
    files: Files,
    pub(super) registry: Registry,
    followers: Arc<dyn Followers>,
}

/// A file that was uploaded and waits for its place.
pub struct NewDocument {
    /// As the client sent it, without folders.
    pub file_name: String,
    pub metadata: Option<BTreeMap<String, String>>,
    /// `None`: as the knowledge base is set.
    pub enable_multimodal: Option<bool>,
    pub upload: FileWriter,
    pub request_id: String,
}

/// An address whose content is wanted.
pub struct NewAddress {
    pub url: String,
    /// `None`: as the knowledge base is set.
    pub enable_multimodal: Option<bool>,
    pub request_id: String,
}

pub enum Taken {
    Created(Knowledge),
    /// The knowledge base has this content already.
    Duplicate(Knowledge),
}

impl Documents {
    pub fn new(store: Store, files: Files, registry: Registry, followers: Arc<dyn Followers>) -> Self {
        Self { store, files, registry, followers }
    }

    /// Where the bytes of an upload go while it comes in; dropped, it leaves nothing behind.
    pub async fn begin_upload(&self) -> Result<FileWriter> {
        self.files.begin(UPLOAD_BYTES_MAX).await
    }

    /// Checks the file, gives it its place, and puts its processing in the queue.
    pub async fn create_from_file(&self, scope: &TenantScope, kb: &KnowledgeBase, document: NewDocument) -> Result<Taken> {
        let extension = extension(&document.file_name);
        check_type(kb, &extension)?;
        let file_name = safe_text::check(&document.file_name)
            .ok_or_else(|| Error::Validation { message: "文件名包含非法字符".into(), details: None })?;
        let id = uuid::Uuid::new_v4().to_string();
        let stored = document.upload.finish(scope.tenant_id(), &id, &extension).await?;
        let knowledge = Knowledge {
            id: id.clone(),
            knowledge_base_id: kb.id.clone(),
            kind: KnowledgeKind::File,
            title: file_name.clone(),
            file_name,
            file_type: extension,
            file_size_bytes: i64::try_from(stored.size_bytes).unwrap_or(i64::MAX),
            file_hash: stored.md5,
            file_path: stored.key.clone(),
            embedding_model_id: kb.embedding_model_id.clone(),
            metadata: document.metadata,
            ..Knowledge::default()
        };
        let enable_multimodal = document.enable_multimodal.unwrap_or(kb.chunking_config.enable_multimodal);
        let payload = json!({"request_id": document.request_id, "enable_multimodal": enable_multimodal});
        match self.store.create_knowledge_with_job(scope, &knowledge, payload).await {
            Ok(CreatedKnowledge::Created { knowledge, .. }) => Ok(Taken::Created(knowledge)),
            Ok(CreatedKnowledge::Duplicate(existing)) => {
                self.drop_file(&stored.key).await;
                Ok(Taken::Duplicate(existing))
            }
            Err(error) => {
                self.drop_file(&stored.key).await;
                Err(error)
            }
        }
    }

    /// Takes an address in; what stands there is fetched in the background.
    pub async fn create_from_url(&self, scope: &TenantScope, kb: &KnowledgeBase, address: NewAddress) -> Result<Taken> {
        if !is_web_address(&address.url) {
            return Err(Error::bad_request("invalid URL"));
        }
        let knowledge = Knowledge {
            knowledge_base_id: kb.id.clone(),
            kind: KnowledgeKind::Url,
            file_hash: hex::encode(Md5::digest(&address.url)),
            source: address.url,
            embedding_model_id: kb.embedding_model_id.clone(),
            ..Knowledge::default()
        };
        let enable_multimodal = address.enable_multimodal.unwrap_or(kb.chunking_config.enable_multimodal);
        let payload = json!({"request_id": address.request_id, "enable_multimodal": enable_multimodal});
        match self.store.create_knowledge_with_job(scope, &knowledge, payload).await? {
            CreatedKnowledge::Created { knowledge, .. } => Ok(Taken::Created(knowledge)),
            CreatedKnowledge::Duplicate(existing) => Ok(Taken::Duplicate(existing)),
        }
    }

    /// Makes the target hold what the source holds, in the background; without a target a new knowledge base is made for it.
    pub async fn copy_knowledge_base(&self, scope: &TenantScope, source_id: &str, target_id: Option<&str>, request_id: &str) -> Result<()> {
        self.store.create_copy_job(scope, source_id, target_id, request_id).await?;
        Ok(())
    }

    /// Newest first; a knowledge base that is not the tenant's does not exist.
    pub async fn list_knowledge(&self, scope: &TenantScope, kb_id: &str, page: Page) -> Result<Paged<Knowledge>> {
        self.store.get_knowledge_base(scope, kb_id).await?;
        self.store.list_knowledge(scope, kb_id, &KnowledgeFilter::default(), page).await
    }

    pub async fn get_knowledge(&self, scope: &TenantScope, id: &str) -> Result<Knowledge> {
        self.store.get_knowledge(scope, id).await
    }

    /// Those that exist, in the order that was asked.
    pub async fn get_knowledge_batch(&self, scope: &TenantScope, ids: &[&str]) -> Result<Vec<Knowledge>> {
        self.store.find_knowledge_batch(scope, ids).await
    }

    /// An empty title keeps the present one.
    pub async fn rename_knowledge(&self, scope: &TenantScope, id: &str, title: &str) -> Result<Knowledge> {
        let patch = KnowledgePatch { title: (!title.is_empty()).then(|| title.to_owned()), ..KnowledgePatch::default() };
        self.store.update_knowledge(scope, id, &patch).await
    }

    /// Answers when no search can return the document any more.
    pub async fn delete_knowledge(&self, scope: &TenantScope, id: &str) -> Result<()> {
        let deleted = self.store.delete_knowledge(scope, id).await?;
        if let Some(path) = &deleted.file_path {
            match self.files.delete(path).await {
                Ok(()) => self.store.forget_files(scope, &[id.to_owned()]).await?,
                // The document is gone for everybody; its bytes are not worth failing for.
                Err(error) => tracing::warn!(knowledge_id = id, error = ?error, "the file of a deleted document is still there"),
            }
        }
        self.wait_until(deleted.sequence).await
    }

    /// The uploaded bytes.
    pub async fn open_file(&self, scope: &TenantScope, id: &str) -> Result<(Knowledge, OpenFile)> {
        let knowledge = self.store.get_knowledge(scope, id).await?;
        let file = self.files.read(&knowledge.file_path).await?;
        Ok((knowledge, file))
    }

    pub(super) async fn wait_until(&self, sequence: i64) -> Result<()> {
        self.followers.wait_until(sequence, Instant::now() + DELETE_WAIT).await
    }

    async fn drop_file(&self, key: &str) {
        if let Err(error) = self.files.delete(key).await {
            tracing::warn!(key, error = ?error, "a file that nobody owns is still there");
        }
    }
}

/// After the last dot, as written; `unknown` without one.
fn extension(file_name: &str) -> String {
    file_name.rsplit_once('.').map_or("unknown", |(_, extension)| extension).trim().to_owned()
}

/// The contract's rule, and what an address needs to be fetched at all.
fn is_web_address(text: &str) -> bool {
    let has_scheme = text.starts_with("http://") || text.starts_with("https://");
    let is_plain = !text.chars().any(|c| c.is_control() || c.is_whitespace()) && safe_text::check(text).is_some();
    let is_complete = url::Url::parse(text)
        .is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()) && url.username().is_empty() && url.password().is_none());
    has_scheme && text.len() <= SOURCE_CHARS_MAX && is_plain && is_complete
}

fn check_type(kb: &KnowledgeBase, extension: &str) -> Result<()> {
    let lower = extension.to_ascii_lowercase();
    if IMAGE_TYPES.contains(&lower.as_str()) {
        check_image_settings(kb)?;
    }
    if FILE_TYPES.contains(&lower.as_str()) || lower == "htm" {
        Ok(())
    } else {
        let details = format!("accepted file types: {}, htm", FILE_TYPES.join(", "));
        Err(Error::UnsupportedType { message: "unsupported file type".into(), details })
    }
}

/// Pictures need somewhere to lie and somebody to look at them.
fn check_image_settings(kb: &KnowledgeBase) -> Result<()> {
    let storage = &kb.storage_config;
    let is_complete = match storage.provider.as_str() {
        "cos" => [&storage.secret_id, &storage.secret_key, &storage.region, &storage.bucket_name, &storage.app_id]
            .iter()
            .all(|field| !field.is_empty()),
        "minio" => !storage.bucket_name.is_empty(),
        _ => true,
    };
    if !is_complete {
        return Err(Error::BadRequest("上传图片文件需要完整的对象存储配置信息, 请前往系统设置页面进行补全".into()));
    }
    if kb.vlm_config.model_name.is_empty() || kb.vlm_config.base_url.is_empty() {
        return Err(Error::BadRequest("上传图片文件需要完整的VLM配置信息, 请前往系统设置页面进行补全".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_what_stands_after_the_last_dot() {
        for (name, wanted) in [("a.PDF", "PDF"), ("a.tar.gz", "gz"), (".txt", "txt"), ("noext", "unknown"), ("a.md ", "md")] {
            assert_eq!(extension(name), wanted, "{name}");
        }
    }

    #[test]
    fn addresses_are_whole_http_addresses_without_credentials() {
        for good in ["http://a.example", "https://a.example:8443/b?c=d#e", "http://10.0.0.1/x", "https://例子.example/页"] {
            assert!(is_web_address(good), "{good}");
        }
        let long = format!("http://a.example/{}", "x".repeat(2048));
        for bad in ["", "a.example", "ftp://a.example", "HTTP://a.example", "http://", "http://u:p@a.example", "http://a b", &long] {
            assert!(!is_web_address(bad), "{bad}");
        }
        assert!(!is_web_address("http://a.example/?q=javascript:alert(1)") && !is_web_address("http://a.example/\n"));
    }

    #[test]
    fn types_are_checked_without_letter_case_and_pictures_need_settings() {
        let kb = KnowledgeBase::default();
        for good in ["pdf", "TXT", "Docx", "html", "htm", "xls"] {
            assert!(check_type(&kb, good).is_ok(), "{good}");
        }
        for bad in ["exe", "unknown", "zip", ""] {
            assert!(
                matches!(check_type(&kb, bad), Err(Error::UnsupportedType { details, .. }) if details.contains("docx") && details.ends_with("htm")),
                "{bad}"
            );
        }
        assert!(matches!(check_type(&kb, "PNG"), Err(Error::BadRequest(text)) if text.contains("VLM")));
        let mut with_cos = KnowledgeBase::default();
        with_cos.storage_config.provider = "cos".into();
        assert!(matches!(check_type(&with_cos, "png"), Err(Error::BadRequest(text)) if text.contains("对象存储")));
    }
}
