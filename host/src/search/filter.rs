//! Narrows a search to some documents of a knowledge base.
//!
//! Not here: chunks; engines know documents by their ids alone, so every other wish is turned into ids first.

use crate::domain::{Knowledge, ParseStatus, TenantScope};
use crate::error::{Error, Result};
use crate::limits;
use crate::store::{KnowledgeFilter, Page, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Every part that is not empty must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SearchFilter {
    pub knowledge_ids: Vec<String>,
    /// Extensions without dot, any case.
    pub file_types: Vec<String>,
    /// Each key must have this value.
    pub metadata: BTreeMap<String, String>,
}

impl SearchFilter {
    fn names_documents_alone(&self) -> bool {
        self.file_types.is_empty() && self.metadata.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.knowledge_ids.is_empty() && self.names_documents_alone()
    }

    pub fn check(&self) -> Result<()> {
        let most = self.knowledge_ids.len().max(self.file_types.len()).max(self.metadata.len());
        if most > limits::SEARCH_FILTER_VALUES_MAX {
            return Err(Error::bad_request(format!("filter holds more than {} values", limits::SEARCH_FILTER_VALUES_MAX)));
        }
        Ok(())
    }

    fn admits(&self, knowledge: &Knowledge) -> bool {
        let has = |(key, value): (&String, &String)| knowledge.metadata.as_ref().and_then(|metadata| metadata.get(key)) == Some(value);
        (self.knowledge_ids.is_empty() || self.knowledge_ids.contains(&knowledge.id))
            && (self.file_types.is_empty() || self.file_types.iter().any(|wanted| wanted.eq_ignore_ascii_case(&knowledge.file_type)))
            && self.metadata.iter().all(has)
    }

    /// The documents to search; `None`: all.
    pub(super) async fn knowledge_ids(&self, store: &Store, scope: &TenantScope, knowledge_base_id: &str) -> Result<Option<Vec<String>>> {
        if self.is_empty() {
            return Ok(None);
        }
        if self.names_documents_alone() {
            return Ok(Some(self.knowledge_ids.clone()));
        }
        let completed = KnowledgeFilter { parse_status: Some(ParseStatus::Completed) };
        let mut ids = Vec::new();
        for number in 1.. {
            let page = store.list_knowledge(scope, knowledge_base_id, &completed, Page::new(number, limits::PAGE_SIZE_MAX)).await?;
            ids.extend(page.items.iter().filter(|knowledge| self.admits(knowledge)).map(|knowledge| knowledge.id.clone()));
            if page.items.is_empty() || number * limits::PAGE_SIZE_MAX >= page.total {
                break;
            }
        }
        Ok(Some(ids))
    }
}
