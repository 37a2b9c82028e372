//! Tenants: made by anybody who is known or by the operator, read and changed by themselves only.
//!
//! Not here: registration (`auth`), which makes a tenant together with its user.

use super::Library;
use super::auth::new_tenant;
use crate::domain::{RetrieverEngine, RetrieverEngines, Tenant, TenantId, TenantScope};
use crate::error::{Error, Result};
use crate::store::TenantPatch;

/// What a client may choose about a new tenant.
#[derive(Clone, Debug, Default)]
pub struct NewTenant {
    pub name: String,
    pub description: String,
    pub business: String,
    pub retriever_engines: RetrieverEngines,
}

/// What a tenant changes about itself; `None` keeps.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub business: Option<String>,
    pub retriever_engines: Option<RetrieverEngines>,
    /// Empty asks for a new key; any other text must be the present one.
    pub api_key: Option<String>,
}

impl Library {
    pub async fn create_tenant(&self, new: NewTenant) -> Result<Tenant> {
        if new.name.is_empty() {
            return Err(Error::Validation { message: "tenant name cannot be empty".into(), details: None });
        }
        let tenant = Tenant {
            name: new.name,
            description: new.description,
            business: new.business,
            retriever_engines: new.retriever_engines,
            ..new_tenant()
        };
        self.store().create_tenant(&tenant, |id| self.access().api_keys.issue(id)).await
    }

    /// For the operator: all of them, newest first, their keys hidden.
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>> {
        let tenants = self.store().list_tenants().await?;
        Ok(tenants.into_iter().map(|tenant| Tenant { api_key: "***".into(), ..tenant }).collect())
    }

    /// The caller's own tenant; every other number behaves as one that does not exist.
    pub async fn get_tenant(&self, scope: &TenantScope, id: TenantId) -> Result<Tenant> {
        self.own(scope, id)?;
        self.store().get_tenant(scope).await
    }

    pub async fn update_tenant(&self, scope: &TenantScope, id: TenantId, change: TenantChange) -> Result<Tenant> {
        self.own(scope, id)?;
        let api_key = match change.api_key.as_deref() {
            None => None,
            Some("") => Some(self.access().api_keys.issue(id)?),
            Some(key) => {
                let present = self.store().get_tenant(scope).await?;
                if !super::access::same_text(key, &present.api_key) {
                    return Err(Error::bad_request("an API key can not be chosen: leave api_key out, or send an empty text for a new key"));
                }
                None
            }
        };
        let patch = TenantPatch {
            name: change.name,
            description: change.description,
            business: change.business,
            retriever_engines: change.retriever_engines,
            api_key,
            ..TenantPatch::default()
        };
        self.store().update_tenant(scope, &patch).await
    }

    pub async fn delete_tenant(&self, scope: &TenantScope, id: TenantId) -> Result<()> {
        self.own(scope, id)?;
        self.store().delete_tenant(scope).await
    }

    fn own(&self, scope: &TenantScope, id: TenantId) -> Result<()> {
        if id.0 == 0 {
            return Err(Error::bad_request("tenant ID cannot be 0"));
        }
        if id == scope.tenant_id() { Ok(()) } else { Err(Error::not_found("tenant not found")) }
    }
}

/// The engines that the reference writes into new tenants for a value of `RETRIEVE_DRIVER`; unknown names are ignored.
pub fn retriever_engines_of(drivers: &str) -> RetrieverEngines {
    let mut engines = Vec::new();
    for driver in drivers.split(',') {
        let (engine_type, kinds): (&str, &[&str]) = match driver {
            "postgres" => ("postgres", &["keywords", "vector"]),
            "elasticsearch_v7" => ("elasticsearch", &["keywords"]),
            "elasticsearch_v8" => ("elasticsearch", &["keywords", "vector"]),
            _ => continue,
        };
        for kind in kinds {
            let engine = RetrieverEngine { retriever_engine_type: engine_type.into(), retriever_type: (*kind).into() };
            if !engines.contains(&engine) {
                engines.push(engine);
            }
        }
    }
    RetrieverEngines { engines }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engines(drivers: &str) -> Vec<String> {
        let engines = retriever_engines_of(drivers).engines;
        engines.into_iter().map(|engine| format!("{}/{}", engine.retriever_type, engine.retriever_engine_type)).collect()
    }

    #[test]
    fn drivers_name_the_engines_of_new_tenants() {
        assert_eq!(engines("postgres"), ["keywords/postgres", "vector/postgres"]);
        assert_eq!(engines("elasticsearch_v7,elasticsearch_v8"), ["keywords/elasticsearch", "vector/elasticsearch"]);
        assert!(engines("").is_empty() && engines(" postgres,milvus").is_empty());
    }
}
