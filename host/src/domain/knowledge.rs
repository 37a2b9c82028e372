//! Uploaded documents and what became of them.

use super::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Knowledge {
    pub id: String,
    pub tenant_id: TenantId,
    pub knowledge_base_id: String,
    #[serde(rename = "type")]
    pub kind: KnowledgeKind,
    pub title: String,
    pub description: String,
    /// The address of a `url`, else empty.
    pub source: String,
    pub parse_status: ParseStatus,
    pub enable_status: EnableStatus,
    pub embedding_model_id: String,
    pub file_name: String,
    /// Extension without dot, as it was written.
    pub file_type: String,
    #[serde(rename = "file_size")]
    pub file_size_bytes: i64,
    /// MD5 in hexadecimal, as the contract has it.
    pub file_hash: String,
    /// Relative to the storage root.
    pub file_path: String,
    #[serde(rename = "storage_size")]
    pub storage_size_bytes: i64,
    pub metadata: Option<BTreeMap<String, String>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub processed_at: Option<Timestamp>,
    pub error_message: String,
    pub deleted_at: Option<Timestamp>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        // The derive does not see through a macro's literals.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let words = utoipa::openapi::schema::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
                words.enum_values(Some([$($word),+])).into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl $name {
            /// The contract's word, in columns and on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use words;

words!(#[derive(Default)] KnowledgeKind { #[default] File = "file", Url = "url", Passage = "passage" });
words!(#[derive(Default)] ParseStatus {
    Unprocessed = "unprocessed",
    #[default]
    Pending = "pending",
    Processing = "processing",
    Completed = "completed",
    Failed = "failed",
});
words!(#[derive(Default)] EnableStatus { Enabled = "enabled", #[default] Disabled = "disabled" });
