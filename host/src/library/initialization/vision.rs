//! Tries a vision model on one picture: what is written in it and what it shows.
//!
//! Not here: pictures of documents, and storing any; the picture of a test is kept nowhere.

use super::endpoint::{Endpoint, words};
use super::save::is_complete;
use super::{Initialization, Storage, ask};
use crate::domain::{ModelType, TenantScope};
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{CallContext, ChatMessage, ChatModel, ChatOptions, ChatPart, ChatRequest, ChatRole, ChatTask, ProviderResult};
use std::sync::Arc;
use std::time::Instant;

/// What is tried.
#[derive(Clone, Debug, Default)]
pub struct PictureTest {
    pub model_name: String,
    pub base_url: String,
    pub api_key: String,
    /// `ollama`: the server of local models answers, whatever the address says.
    pub interface_type: String,
    pub storage: Storage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureProbe {
    /// Caption and text, or what to tell of the failure.
    pub outcome: Result<(String, String), String>,
    pub processing_time_ms: u64,
}

const ANSWER_TOKENS_MAX: u32 = 1_024;

impl Initialization {
    /// The contract's checks of the form, which come before those of the picture.
    pub fn check_picture_test(&self, test: &mut PictureTest) -> Result<()> {
        if test.interface_type == "ollama" {
            test.base_url = self.ollama_v1();
        }
        if test.model_name.is_empty() || test.base_url.is_empty() {
            return Err(Error::bad_request("VLM模型名称和Base URL不能为空"));
        }
        match test.storage.kind.to_lowercase().as_str() {
            "cos" if !test.storage.cos.as_ref().is_some_and(is_complete) => Err(Error::bad_request("COS配置信息不能为空")),
            "minio" if test.storage.minio.as_ref().is_none_or(|minio| minio.bucket_name.is_empty()) => {
                Err(Error::bad_request("MinIO配置信息不能为空"))
            }
            "cos" | "minio" => Ok(()),
            _ => Err(Error::bad_request("无效的存储类型")),
        }
    }

    pub async fn test_picture(
        &self,
        scope: &TenantScope,
        request_id: &str,
        test: &PictureTest,
        media_type: &str,
        picture: Vec<u8>,
    ) -> PictureProbe {
        let started = Instant::now();
        let outcome = self.read_picture(scope, request_id, test, media_type, picture).await;
        let outcome = outcome.map_err(|error| format!("调用VLM失败: {}", words(&error, &test.api_key)));
        PictureProbe { outcome, processing_time_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX) }
    }

    async fn read_picture(
        &self,
        scope: &TenantScope,
        request_id: &str,
        test: &PictureTest,
        media_type: &str,
        picture: Vec<u8>,
    ) -> ProviderResult<(String, String)> {
        let endpoint = Endpoint {
            source: "remote".into(),
            model_name: test.model_name.clone(),
            base_url: test.base_url.clone(),
            api_key: test.api_key.clone(),
        };
        let Some(model) = self.unsaved(scope, &endpoint, ModelType::Vision) else {
            return Err(super::probes::no_source(&endpoint.source));
        };
        let chat = self.inner.registry.plugins().chat_model(&model)?;
        let context = CallContext::interactive(scope.tenant_id(), request_id, limits::EXTRACT_TIME);
        let prompts = &self.inner.prompts;
        let image = ChatPart::Image { media_type: media_type.to_owned(), data: picture };
        let caption = look(&chat, &context, ChatTask::Summary, image.clone(), &prompts.picture_caption).await?;
        let text = look(&chat, &context, ChatTask::Extract, image, &prompts.picture_text).await?;
        Ok((caption, text))
    }
}

async fn look(chat: &Arc<dyn ChatModel>, context: &CallContext, task: ChatTask, image: ChatPart, prompt: &str) -> ProviderResult<String> {
    let message = ChatMessage::of_parts(ChatRole::User, vec![ChatPart::Text(prompt.to_owned()), image]);
    let options = ChatOptions { max_tokens: Some(ANSWER_TOKENS_MAX), thinking: Some(false), ..ChatOptions::default() };
    let request = ChatRequest::new(task, vec![message], options);
    Ok(ask::whole_answer(&**chat, context, request).await?.trim().to_owned())
}
