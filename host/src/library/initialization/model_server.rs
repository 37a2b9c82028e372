//! The server of local models: is it there, what does it have.
//!
//! Not here: fetching models (`library::downloads`).

use super::Initialization;
use super::endpoint::clean;
use crate::domain::TenantScope;
use crate::error::{Error, Result};
use crate::library::downloads::{Requested, are_installed, asking};
use crate::limits;
use crate::provider::{ProviderError, ProviderErrorKind};

/// Whether the server answers; `version` says `unavailable` where one is optional and not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    pub available: bool,
    pub version: Option<String>,
    pub error: Option<String>,
    pub base_url: String,
}

fn unavailable(error: &ProviderError) -> Error {
    Error::Unavailable { reason: format!("Ollama服务不可用: {}", clean(&error.to_string(), "")) }
}

impl Initialization {
    pub async fn server_status(&self, scope: &TenantScope, request_id: &str) -> ServerStatus {
        let base_url = self.inner.settings.ollama_base_url.clone();
        let context = asking(scope.tenant_id(), request_id);
        let asked = match self.inner.downloads.catalogue() {
            Ok(catalogue) => catalogue.status(&context).await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(version) => ServerStatus { available: true, version: Some(version), error: None, base_url },
            // It answered, but does not know the question.
            Err(error) if error.kind == ProviderErrorKind::NotFound => {
                ServerStatus { available: true, version: Some("unknown".into()), error: None, base_url }
            }
            Err(_) if self.inner.settings.ollama_optional => {
                ServerStatus { available: false, version: Some("unavailable".into()), error: None, base_url }
            }
            Err(error) => {
                let told = format!("Ollama service unavailable: {}", clean(&error.to_string(), ""));
                ServerStatus { available: false, version: None, error: Some(told), base_url }
            }
        }
    }

    /// In the server's order.
    pub async fn installed_models(&self, scope: &TenantScope, request_id: &str) -> Result<Vec<String>> {
        let context = asking(scope.tenant_id(), request_id);
        let catalogue = self.inner.downloads.catalogue().map_err(|error| unavailable(&error))?;
        let entries = catalogue.models(&context).await.map_err(|error| unavailable(&error))?;
        Ok(entries.into_iter().map(|entry| entry.name).collect())
    }

    /// Which of the names are installed.
    pub async fn check_models<'a>(&self, scope: &TenantScope, request_id: &str, names: &'a [String]) -> Result<Vec<(&'a str, bool)>> {
        if names.len() > limits::CHECKED_MODELS_MAX {
            return Err(Error::BadRequest(format!("at most {} models can be checked at once", limits::CHECKED_MODELS_MAX)));
        }
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let installed = match self.installed_models(scope, request_id).await {
            Ok(installed) => installed,
            Err(_) if self.inner.settings.ollama_optional => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(are_installed(names, &installed))
    }

    /// Starts fetching a model, unless it is there or under way.
    pub async fn download_model(&self, scope: &TenantScope, request_id: &str, name: &str) -> Result<Requested> {
        let name = name.trim();
        if name.is_empty() || name.contains(|letter: char| letter.is_control() || letter.is_whitespace()) {
            return Err(Error::BadRequest(format!("{name:?} is no model name")));
        }
        let context = asking(scope.tenant_id(), request_id);
        match self.inner.downloads.request(scope, &context, name).await {
            Err(Error::Provider(error)) if error.kind == ProviderErrorKind::Invalid => Err(Error::Provider(error)),
            Err(Error::Provider(error)) => Err(unavailable(&error)),
            other => other,
        }
    }
}
