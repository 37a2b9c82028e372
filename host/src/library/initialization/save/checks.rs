//! The contract's checks of new settings, in its order.
//!
//! Not here: the source of a model, which is resolved when its row is made (`models`).

use super::{Multimodal, Part, SettingsChange, Storage};
use crate::domain::{ExtractConfig, StorageConfig};
use crate::error::{Error, Result};
use crate::library::initialization::Initialization;

fn refuse(message: &str) -> Error {
    Error::bad_request(message)
}

impl Initialization {
    /// Also brings the change into the form that is stored: the address of a local vision model, the storage's name in small letters.
    pub(super) fn check(&self, change: &mut SettingsChange) -> Result<()> {
        if let Part::On(multimodal) = &mut change.multimodal {
            self.check_multimodal(multimodal)?;
        }
        if let Part::On(rerank) = &change.rerank
            && (rerank.name.is_empty() || rerank.base_url.as_deref().unwrap_or_default().is_empty())
        {
            return Err(refuse("Rerank配置不完整"));
        }
        if let Part::On(extract) = &change.extract {
            self.check_extract(extract)?;
        }
        if change.chunking.overlap >= change.chunking.size {
            return Err(refuse("chunkOverlap必须小于chunkSize"));
        }
        Ok(())
    }

    fn check_multimodal(&self, multimodal: &mut Multimodal) -> Result<()> {
        let Some(vision) = &mut multimodal.vision else { return Err(refuse("启用多模态时需要配置VLM信息")) };
        if vision.interface_type == "ollama" {
            vision.model.base_url = Some(self.ollama_v1());
        }
        if vision.model.name.is_empty() || vision.model.base_url.as_deref().unwrap_or_default().is_empty() {
            return Err(refuse("VLM配置不完整"));
        }
        multimodal.storage.kind = multimodal.storage.kind.to_lowercase();
        self.check_storage(&multimodal.storage)
    }

    fn check_storage(&self, storage: &Storage) -> Result<()> {
        match storage.kind.as_str() {
            "cos" if !storage.cos.as_ref().is_some_and(is_complete) => Err(refuse("COS配置不完整")),
            "minio" if !self.minio_is_complete(storage.minio.as_ref()) => Err(refuse("MinIO配置不完整")),
            "cos" | "minio" | "" => Ok(()),
            _ => Err(refuse("无效的存储类型")),
        }
    }

    fn minio_is_complete(&self, minio: Option<&StorageConfig>) -> bool {
        self.inner.settings.minio_configured && minio.is_some_and(|minio| !minio.bucket_name.is_empty())
    }

    fn check_extract(&self, extract: &ExtractConfig) -> Result<()> {
        if !self.inner.settings.graph_enabled {
            return Err(refuse("请正确配置环境变量NEO4J_ENABLE"));
        }
        if extract.text.is_empty() || extract.tags.as_ref().is_none_or(Vec::is_empty) {
            return Err(refuse("Node Extractor配置不完整"));
        }
        if extract.nodes.as_ref().is_none_or(Vec::is_empty) || extract.relations.as_ref().is_none_or(Vec::is_empty) {
            return Err(refuse("请先提取实体和关系"));
        }
        Ok(())
    }
}

pub(in crate::library::initialization) fn is_complete(cos: &StorageConfig) -> bool {
    [&cos.secret_id, &cos.secret_key, &cos.region, &cos.bucket_name, &cos.app_id].iter().all(|field| !field.is_empty())
}
