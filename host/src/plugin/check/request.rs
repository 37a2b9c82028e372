//! One call of a plugin as an author writes it down: its kind, what is asked, and the model that is meant.
//!
//! Not here: carrying it out (`perform`). The same words stand in recordings, in `plugin run --json` and in reports.

use crate::domain::{EmbeddingParameters, Model, ModelParameters, ModelStatus, ModelType, TenantId, Timestamp};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a plugin can be, as far as this server calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginKind {
    Embedder,
    Reranker,
    ChatModel,
    Tokenizer,
    Catalogue,
}

impl PluginKind {
    pub const ALL: [Self; 5] = [Self::Embedder, Self::Reranker, Self::ChatModel, Self::Tokenizer, Self::Catalogue];

    /// As in the WIT and the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedder => "embedder",
            Self::Reranker => "reranker",
            Self::ChatModel => "chat-model",
            Self::Tokenizer => "tokenizer",
            Self::Catalogue => "catalogue",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The model row that a call is made for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSpec {
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub base_url: String,
    /// Wanted row length; 0: the model's own.
    #[serde(skip_serializing_if = "is_zero")]
    pub dimension: i64,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Names of the secrets that the row has; their values are never written down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    #[serde(skip)]
    pub secret_values: BTreeMap<String, String>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl ModelSpec {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// A row as an operator would have filled it in. Secrets without a value get one that no service knows.
    pub(super) fn row(&self, kind: PluginKind, source: &str, tenant_id: TenantId) -> Model {
        let value = |name: &str| self.secret_values.get(name).cloned().unwrap_or_else(|| format!("check-value-of-{name}"));
        let mut settings = self.settings.clone();
        let others = self.secrets.iter().filter(|name| *name != "api_key");
        settings.extend(others.map(|name| (name.clone(), Value::String(value(name)))));
        Model {
            id: format!("check-{}", self.name),
            tenant_id,
            name: self.name.clone(),
            model_type: match kind {
                PluginKind::Embedder => ModelType::Embedding,
                PluginKind::Reranker => ModelType::Rerank,
                PluginKind::ChatModel | PluginKind::Tokenizer | PluginKind::Catalogue => ModelType::KnowledgeQA,
            },
            source: source.to_owned(),
            description: String::new(),
            parameters: ModelParameters {
                base_url: self.base_url.clone(),
                api_key: if self.secrets.iter().any(|name| name == "api_key") { value("api_key") } else { String::new() },
                embedding_parameters: EmbeddingParameters { dimension: self.dimension, ..EmbeddingParameters::default() },
                settings,
            },
            is_default: false,
            status: ModelStatus::Active,
            created_at: Timestamp::now(),
            updated_at: Timestamp::now(),
            deleted_at: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CallRequest {
    Embedder(EmbedCall),
    Reranker(RerankCall),
    ChatModel(ChatCall),
    Tokenizer(TokenizeCall),
    Catalogue(CatalogueCall),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    #[default]
    Chunk,
    Query,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedCall {
    pub texts: Vec<String>,
    #[serde(default)]
    pub purpose: Purpose,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RerankCall {
    pub query: String,
    pub texts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskName {
    #[default]
    Answer,
    Rewrite,
    Summary,
    Title,
    Extract,
}

impl TaskName {
    /// As in the manifest.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Rewrite => "rewrite",
            Self::Summary => "summary",
            Self::Title => "title",
            Self::Extract => "extract",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChatCall {
    pub task: TaskName,
    pub messages: Vec<Turn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    pub role: RoleName,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleName {
    System,
    User,
    Assistant,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceText {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub title: String,
    pub text: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModeName {
    #[default]
    Index,
    Query,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizeCall {
    pub texts: Vec<String>,
    #[serde(default)]
    pub mode: ModeName,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueryName {
    Status,
    #[default]
    Models,
    Check,
    Pull,
    Remove,
}

/// The model's name stands in the model row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogueCall {
    pub query: QueryName,
}

impl CallRequest {
    pub fn kind(&self) -> PluginKind {
        match self {
            Self::Embedder(_) => PluginKind::Embedder,
            Self::Reranker(_) => PluginKind::Reranker,
            Self::ChatModel(_) => PluginKind::ChatModel,
            Self::Tokenizer(_) => PluginKind::Tokenizer,
            Self::Catalogue(_) => PluginKind::Catalogue,
        }
    }

    /// A request of this kind out of JSON without the `kind`.
    pub fn of_json(kind: PluginKind, text: &str) -> anyhow::Result<Self> {
        let mut value: Value = serde_json::from_str(text).context("the request is no JSON")?;
        let Some(fields) = value.as_object_mut() else { bail!("the request is no JSON object") };
        fields.insert("kind".to_owned(), json!(kind.name()));
        serde_json::from_value(value).with_context(|| format!("the request is none of a {}; e.g. {}", kind.name(), Self::example(kind)))
    }

    /// The simplest request that `texts` make: a reranker takes the first as its query, a chat model as the question.
    pub fn of_texts(kind: PluginKind, texts: &[String]) -> Self {
        let first = texts.first().cloned().unwrap_or_default();
        match kind {
            PluginKind::Embedder => Self::Embedder(EmbedCall { texts: texts.to_vec(), purpose: Purpose::Chunk }),
            PluginKind::Reranker => {
                Self::Reranker(RerankCall { query: first, texts: texts.get(1..).unwrap_or_default().to_vec(), top: None })
            }
            PluginKind::ChatModel => Self::question(&first, &[]),
            PluginKind::Tokenizer => Self::Tokenizer(TokenizeCall { texts: texts.to_vec(), mode: ModeName::Index }),
            PluginKind::Catalogue => Self::Catalogue(CatalogueCall::default()),
        }
    }

    /// A question with its sources, and the prompt that the server would make of them.
    pub(super) fn question(question: &str, sources: &[&str]) -> Self {
        let passages: Vec<String> = sources.iter().enumerate().map(|(number, text)| format!("[{}] {text}", number + 1)).collect();
        let prompt = if passages.is_empty() { question.to_owned() } else { format!("{}\n\n{question}", passages.join("\n")) };
        let source = |(number, text): (usize, &&str)| SourceText {
            id: format!("source-{}", number + 1),
            title: format!("Source {}", number + 1),
            text: (*text).to_owned(),
        };
        Self::ChatModel(ChatCall {
            messages: vec![Turn { role: RoleName::User, text: prompt }],
            question: Some(question.to_owned()),
            sources: sources.iter().enumerate().map(source).collect(),
            ..ChatCall::default()
        })
    }

    pub fn example(kind: PluginKind) -> &'static str {
        match kind {
            PluginKind::Embedder => r#"{"texts": ["one", "two"], "purpose": "query"}"#,
            PluginKind::Reranker => r#"{"query": "a question", "texts": ["one", "two"], "top": 1}"#,
            PluginKind::ChatModel => r#"{"task": "answer", "messages": [{"role": "user", "text": "a question"}]}"#,
            PluginKind::Tokenizer => r#"{"texts": ["some words"], "mode": "query"}"#,
            PluginKind::Catalogue => r#"{"query": "models"}"#,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_requests_and_nonsense_is_none() {
        for kind in PluginKind::ALL {
            let request = CallRequest::of_json(kind, CallRequest::example(kind)).unwrap();
            assert_eq!(request.kind(), kind);
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<CallRequest>(&text).unwrap(), request, "{text}");
            assert_eq!(PluginKind::parse(kind.name()), Some(kind));
        }
        for text in ["", "[]", "{\"text\": \"x\"}", "{\"texts\": \"x\"}", "{\"texts\": [], \"extra\": 1}"] {
            let error = format!("{:#}", CallRequest::of_json(PluginKind::Embedder, text).unwrap_err());
            assert!(error.contains("the request is n"), "{error}");
        }
    }

    #[test]
    fn row_holds_secrets_by_name_and_their_values_are_never_written() {
        let mut model = ModelSpec { secrets: vec!["api_key".into(), "secret_key".into()], ..ModelSpec::named("m") };
        model.secret_values.insert("api_key".into(), "sk-real".into());
        let row = model.row(PluginKind::Embedder, "p", TenantId(1));
        assert_eq!(row.parameters.api_key, "sk-real");
        assert_eq!(row.parameters.settings["secret_key"], "check-value-of-secret_key");
        assert!(!serde_json::to_string(&model).unwrap().contains("sk-real"));
    }
}
