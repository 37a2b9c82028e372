//! The values that templates work with.
//!
//! Not a general data model: only what prompts need, cheap to clone.

use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    List(Arc<[Value]>),
    Map(Arc<BTreeMap<String, Value>>),
}

impl Value {
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Arc::from(text.as_ref()))
    }

    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(items.into_iter().collect())
    }

    pub fn map<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(Arc::new(fields.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }

    /// What `if` and `with` ask.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(fields) => !fields.is_empty(),
        }
    }

    /// The type's name in messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// A field that is not there is nil, as in a Go map.
    pub(super) fn field(&self, name: &str) -> Result<Self, String> {
        match self {
            Self::Map(fields) => Ok(fields.get(name).cloned().unwrap_or(Self::Nil)),
            Self::Nil => Err(format!("nil data; no entry for key {name:?}")),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) | Self::List(_) => {
                Err(format!("can't evaluate field {name} in type {}", self.kind()))
            }
        }
    }
}
