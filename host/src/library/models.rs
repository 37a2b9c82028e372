//! Configured models: a tenant's own to change, the built-in ones to read.
//!
//! Not here: who answers for a model (`provider`), pulling a local one (the catalogue).

use super::Library;
use crate::domain::{Model, ModelParameters, ModelStatus, ModelType, TenantId, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::store::{ModelFilter, ModelPatch};

/// The words of the contract, beside the names of plugins.
const CONTRACT_SOURCES: [&str; 3] = ["local", "remote", "aliyun"];
/// Fetched into the server of local models.
const LOCAL_SOURCE: &str = "local";
pub(super) const HIDDEN: &str = "***";

#[derive(Clone, Debug, Default)]
pub struct NewModel {
    pub name: String,
    pub model_type: String,
    pub source: String,
    pub description: String,
    pub parameters: ModelParameters,
    pub is_default: bool,
}

/// `None` keeps; parameters replace as a whole.
#[derive(Clone, Debug, Default)]
pub struct ModelChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub parameters: Option<ModelParameters>,
    pub is_default: Option<bool>,
}

impl Library {
    pub async fn create_model(&self, scope: &TenantScope, new: NewModel) -> Result<Model> {
        let model_type = parse_type(&new.model_type)?;
        let source = self.resolve_source(&new.source)?;
        // The server of local models is asked by the job that fetches, not while somebody waits.
        let status = if source == LOCAL_SOURCE { ModelStatus::Downloading } else { ModelStatus::Active };
        let model = Model {
            id: String::new(),
            tenant_id: scope.tenant_id(),
            name: new.name,
            model_type,
            parameters: fit_parameters(&source, new.parameters),
            source,
            description: new.description,
            is_default: new.is_default,
            status,
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        };
        self.check_settings(&model)?;
        self.store().create_model(scope, &model).await
    }

    /// The tenant's own models, oldest first; the built-in ones after them if asked for.
    pub async fn list_models(&self, scope: &TenantScope, with_builtin: bool) -> Result<Vec<Model>> {
        let mut models = self.store().list_models(scope, &ModelFilter::default()).await?;
        models.retain(|model| with_builtin || !is_builtin(model));
        models.sort_by(|left, right| {
            let key = |model: &Model| (is_builtin(model), model.created_at);
            key(left).cmp(&key(right)).then_with(|| left.id.cmp(&right.id))
        });
        Ok(models.into_iter().map(masked).collect())
    }

    pub async fn get_model(&self, scope: &TenantScope, id: &str) -> Result<Model> {
        self.store().get_model(scope, id).await.map(masked)
    }

    pub async fn update_model(&self, scope: &TenantScope, id: &str, change: ModelChange) -> Result<Model> {
        let present = self.own_model(scope, id).await?;
        if let Some(parameters) = &change.parameters {
            self.check_settings(&Model { parameters: parameters.clone(), ..present.clone() })?;
        }
        let patch = ModelPatch {
            name: change.name,
            description: change.description,
            parameters: change.parameters.map(|parameters| fit_parameters(&present.source, parameters)),
            is_default: change.is_default,
            ..ModelPatch::default()
        };
        self.store().update_model(scope, id, &patch).await
    }

    pub async fn delete_model(&self, scope: &TenantScope, id: &str) -> Result<()> {
        self.own_model(scope, id).await?;
        self.store().delete_model(scope, id).await
    }

    /// The contract's sources have no settings of their own; a plugin's row is held against the plugin's JSON Schema.
    fn check_settings(&self, model: &Model) -> Result<()> {
        if CONTRACT_SOURCES.contains(&model.source.as_str()) {
            return Ok(());
        }
        self.plugins().check_settings(model).map_err(|error| Error::BadRequest(error.to_string()))
    }

    async fn own_model(&self, scope: &TenantScope, id: &str) -> Result<Model> {
        let model = self.store().get_model(scope, id).await?;
        if is_builtin(&model) {
            return Err(Error::Forbidden("Built-in models can not be changed".into()));
        }
        Ok(model)
    }

    /// The source as it is stored: the contract's words in any case, else the name of an allowed plugin.
    pub(super) fn resolve_source(&self, sent: &str) -> Result<String> {
        let word = sent.to_lowercase();
        if CONTRACT_SOURCES.contains(&word.as_str()) {
            return Ok(word);
        }
        let mut known = self.plugins().sources();
        if let Some(plugin) = known.iter().find(|plugin| plugin.as_str() == sent) {
            return Ok(plugin.clone());
        }
        known.extend(CONTRACT_SOURCES.map(str::to_owned));
        known.sort();
        known.dedup();
        Err(Error::BadRequest(format!("unknown model source {sent:?}; known are: {}", known.join(", "))))
    }
}

fn parse_type(word: &str) -> Result<ModelType> {
    ModelType::parse(word).ok_or_else(|| {
        let known = ModelType::ALL.map(ModelType::as_str).join(", ");
        Error::BadRequest(format!("unknown model type {word:?}; known are: {known}"))
    })
}

/// The contract's sources know the contract's parameters only; a plugin's settings are its own.
fn fit_parameters(source: &str, mut parameters: ModelParameters) -> ModelParameters {
    if CONTRACT_SOURCES.contains(&source) {
        parameters.settings.clear();
    }
    parameters
}

pub(super) fn is_builtin(model: &Model) -> bool {
    model.tenant_id == TenantId(0)
}

/// A key that is not the tenant's own is shown to nobody.
pub(super) fn masked(mut model: Model) -> Model {
    if is_builtin(&model) && !model.parameters.api_key.is_empty() {
        model.parameters.api_key = HIDDEN.into();
    }
    model
}
