//! Binds a parsed value to a request type: names in any letter case, unknown names ignored, the last duplicate wins, null is the zero value.
//!
//! Not here: the rules that a bound request must keep (`rules`).

use super::names;
use super::rules::{Bind, BindError, Unused};
use super::scan::{Json, parse, parse_whole};
use crate::domain::Timestamp;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Parses, binds and checks a body.
pub fn from_slice<T: Bind>(body: &[u8]) -> Result<T, BindError> {
    bind(parse(body).map_err(BindError::new)?)
}

/// Binds a text that must be one JSON value and nothing else, as the contract has it for JSON within other texts.
pub fn from_text<T: Bind>(text: &[u8]) -> Result<T, BindError> {
    bind(parse_whole(text).map_err(BindError::new)?)
}

fn bind<T: Bind>(value: Json<'_>) -> Result<T, BindError> {
    if let Json::Object(fields) = &value {
        check_unused(fields, T::UNUSED).map_err(|fault| BindError::new(fault.into_text::<T>()))?;
    }
    let bound = T::deserialize(Node(value)).map_err(|fault| BindError::new(fault.into_text::<T>()))?;
    bound.checked()
}

fn check_unused(fields: &[(Cow<'_, str>, Json<'_>)], unused: &[(&'static str, Unused)]) -> Result<(), Fault> {
    for (name, value) in fields {
        let Some((name, wanted)) = unused.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)) else { continue };
        let fault = match (wanted, value) {
            (_, Json::Null) | (Unused::Text, Json::Text(_)) => continue,
            (Unused::Text, _) => mismatch(value, "string"),
            (Unused::Integer, Json::Number(literal)) if literal.parse::<i64>().is_ok() => continue,
            (Unused::Integer, _) => mismatch(value, "int64"),
            (Unused::Unsigned, Json::Number(literal)) if literal.parse::<u64>().is_ok() => continue,
            (Unused::Unsigned, _) => mismatch(value, "uint"),
            (Unused::Time, Json::Text(text)) => match Timestamp::parse(text) {
                Some(_) => continue,
                None => return Err(Fault::Text(not_a_time(text))),
            },
            (Unused::Time, _) => return Err(Fault::Text(NO_TIME.into())),
        };
        return Err(fault.inside(name));
    }
    Ok(())
}

/// What is said of a time that is no text.
pub(super) const NO_TIME: &str = "Time.UnmarshalJSON: input is not a JSON string";

pub(super) fn not_a_time(text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!("parsing time {text} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text} as \"2006\"")
}

/// A value under binding.
struct Node<'a>(Json<'a>);

/// Why a value does not fit; the path grows while the error travels outwards.
#[derive(Debug)]
enum Fault {
    /// `owner` is the innermost type that the value stands in; `None` until one is known.
    Mismatch {
        found: String,
        wanted: String,
        path: Vec<String>,
        owner: Option<&'static str>,
    },
    Text(String),
}

impl Fault {
    fn inside(mut self, name: &str) -> Self {
        if let Self::Mismatch { path, .. } = &mut self {
            path.insert(0, name.to_owned());
        }
        self
    }

    /// Inside a part of a request; the innermost counts.
    fn of_part(mut self, ours: &str) -> Self {
        if let Self::Mismatch { owner: owner @ None, .. } = &mut self {
            *owner = Some(names::of_part(ours).and_then(|name| name.rsplit('.').next()).unwrap_or_default());
        }
        self
    }

    fn into_text<T: Bind>(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Mismatch { found, wanted, path, .. } if path.is_empty() => {
                let wanted = match (wanted.as_str(), T::NAME) {
                    (OBJECT | "map", "") => T::UNNAMED.to_owned(),
                    (OBJECT, name) => names::of_request(name),
                    (other, _) => other.to_owned(),
                };
                format!("json: cannot unmarshal {found} into Go value of type {wanted}")
            }
            Self::Mismatch { found, wanted, path, owner } => {
                // What stands in the request itself has its name, not that of our type.
                let owner = owner.filter(|_| path.len() > 1).unwrap_or(T::NAME);
                let path = path.join(".");
                let wanted = if wanted == "string" { names::of_text(T::NAME, &path) } else { &wanted };
                format!("json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {wanted}")
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Mismatch { found, wanted, .. } => write!(f, "json: cannot unmarshal {found} into Go value of type {wanted}"),
        }
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<M: fmt::Display>(message: M) -> Self {
        Self::Text(message.to_string())
    }
}

/// What a value should have been that has to be the whole request, or a part without a name.
const OBJECT: &str = "object";

fn mismatch(value: &Json<'_>, wanted: &str) -> Fault {
    let found = match (value, wanted) {
        (Json::Null, _) => "null".to_owned(),
        (Json::Bool(_), _) => "bool".to_owned(),
        // Only numbers that fail as numbers are quoted with their literal.
        (Json::Number(literal), "int" | "int64" | "uint" | "uint64" | "float64") => format!("number {literal}"),
        (Json::Number(_), _) => "number".to_owned(),
        (Json::Text(_), _) => "string".to_owned(),
        (Json::Array(_), _) => "array".to_owned(),
        (Json::Object(_), _) => "object".to_owned(),
    };
    Fault::Mismatch { found, wanted: wanted.to_owned(), path: Vec::new(), owner: None }
}

impl Node<'_> {
    fn mismatch(&self, wanted: &str) -> Fault {
        mismatch(&self.0, wanted)
    }

    fn parse_number<T: std::str::FromStr>(&self, wanted: &'static str) -> Result<Option<T>, Fault> {
        match &self.0 {
            Json::Null => Ok(None),
            Json::Number(literal) => literal.parse().map(Some).map_err(|_| self.mismatch(wanted)),
            Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_) => Err(self.mismatch(wanted)),
        }
    }
}

macro_rules! integers {
    ($($method:ident),+ => $visit:ident $type:ty, $wanted:literal) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit(self.parse_number::<$type>($wanted)?.unwrap_or_default())
        })+
    };
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Fault;

    integers!(deserialize_i8, deserialize_i16, deserialize_i32, deserialize_i64 => visit_i64 i64, "int");
    integers!(deserialize_u8, deserialize_u16, deserialize_u32, deserialize_u64 => visit_u64 u64, "uint64");

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(value),
            Json::Number(literal) => visit_number(literal, visitor),
            Json::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Json::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Json::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Json::Object(fields) => visitor.visit_map(Fields { fields: fields.into_iter(), value: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Bool(value) => visitor.visit_bool(value),
            Json::Null => visitor.visit_bool(false),
            Json::Number(_) | Json::Text(_) | Json::Array(_) | Json::Object(_) => Err(self.mismatch("bool")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let number = self.parse_number::<f64>("float64")?.unwrap_or_default();
        if number.is_finite() { visitor.visit_f64(number) } else { Err(self.mismatch("float64")) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Json::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Json::Null => visitor.visit_str(""),
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => Err(self.mismatch("string")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0 == Json::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Json::Null => visitor.visit_seq(Items(Vec::new().into_iter())),
            Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => {
                Err(self.mismatch(&names::of_list(std::any::type_name::<V::Value>())))
            }
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Object(fields) => visitor.visit_map(Fields { fields: fields.into_iter(), value: None }),
            Json::Null => visitor.visit_map(Fields { fields: Vec::new().into_iter(), value: None }),
            Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Array(_) => Err(self.mismatch("map")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Object(fields) => {
                let fields = keep_known(fields, known);
                visitor.visit_map(Fields { fields: fields.into_iter(), value: None }).map_err(|fault| fault.of_part(name))
            }
            Json::Null => visitor.visit_map(Fields { fields: Vec::new().into_iter(), value: None }),
            Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Array(_) => Err(self.mismatch(names::of_part(name).unwrap_or(OBJECT))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Text(text) => {
                let word: StrDeserializer<'_, Fault> = text.as_ref().into_deserializer();
                visitor.visit_enum(word)
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => Err(self.mismatch("string")),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

fn visit_number<'de, V: Visitor<'de>>(literal: &str, visitor: V) -> Result<V::Value, Fault> {
    if let Ok(number) = literal.parse::<i64>() {
        visitor.visit_i64(number)
    } else if let Ok(number) = literal.parse::<u64>() {
        visitor.visit_u64(number)
    } else {
        visitor.visit_f64(literal.parse().map_err(|_| Fault::Text(format!("json: bad number {literal}")))?)
    }
}

/// The field of a type that takes all names which the type does not know.
const REST: &str = "*";

/// Keeps the fields that the type knows, under their known names: null leaves a field alone, of duplicates the last stays.
fn keep_known<'a>(fields: Vec<(Cow<'a, str>, Json<'a>)>, known: &'static [&'static str]) -> Vec<(Cow<'a, str>, Json<'a>)> {
    let mut kept: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
    let mut rest = Vec::new();
    for (name, value) in fields {
        let exact = known.iter().find(|field| **field == name);
        let field = exact.or_else(|| known.iter().find(|field| field.eq_ignore_ascii_case(&name)));
        let Some(field) = field.filter(|field| **field != REST) else {
            rest.push((name, value));
            continue;
        };
        if value == Json::Null {
            continue;
        }
        match kept.iter_mut().find(|(kept_name, _)| kept_name == field) {
            Some(slot) => slot.1 = value,
            None => kept.push((Cow::Borrowed(field), value)),
        }
    }
    if known.contains(&REST) {
        kept.push((Cow::Borrowed(REST), Json::Object(rest)));
    }
    kept
}

struct Items<'a>(std::vec::IntoIter<Json<'a>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.0.next().map(|value| seed.deserialize(Node(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields<'a> {
    fields: std::vec::IntoIter<(Cow<'a, str>, Json<'a>)>,
    value: Option<(Cow<'a, str>, Json<'a>)>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((name, value)) = self.fields.next() else { return Ok(None) };
        let key = match &name {
            Cow::Borrowed(text) => seed.deserialize(BorrowedStrDeserializer::new(text))?,
            Cow::Owned(text) => {
                let text: StrDeserializer<'_, Fault> = text.as_str().into_deserializer();
                seed.deserialize(text)?
            }
        };
        self.value = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some((name, value)) = self.value.take() else {
            return Err(Fault::Text("a value was asked for before its name".into()));
        };
        seed.deserialize(Node(value)).map_err(|fault| fault.inside(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::go_json::Rules;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        chunk_size: i64,
        separators: Option<Vec<String>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Probe {
        name: String,
        is_default: bool,
        config: Option<Inner>,
        chunking: crate::domain::ChunkingConfig,
        threshold: f64,
        tags: Vec<String>,
        free: serde_json::Map<String, serde_json::Value>,
        #[serde(rename = "*")]
        rest: serde_json::Map<String, serde_json::Value>,
    }

    impl Bind for Probe {
        const NAME: &'static str = "Probe";
        const UNUSED: &'static [(&'static str, Unused)] =
            &[("quota", Unused::Integer), ("owner", Unused::Unsigned), ("status", Unused::Text), ("made_at", Unused::Time)];

        fn check(&self, rules: &mut Rules) {
            rules.text("Name", &self.name).max(5);
        }
    }

    fn bind(body: &str) -> Result<Probe, String> {
        from_slice(body.as_bytes()).map_err(|error: BindError| error.to_string())
    }

    #[test]
    fn names_match_in_any_case_and_the_last_duplicate_wins() {
        let probe = bind(r#"{"NAME":"a","name":"b","other":[{"x":1}],"Config":{"CHUNK_SIZE":7}}"#).expect("valid");
        assert_eq!(probe.name, "b");
        assert_eq!(probe.config, Some(Inner { chunk_size: 7, separators: None }));
    }

    #[test]
    fn null_is_the_zero_value_everywhere() {
        assert_eq!(bind("null"), Ok(Probe::default()));
        let probe = bind(r#"{"name":null,"is_default":null,"config":null,"threshold":null,"tags":["a",null]}"#).expect("valid");
        assert_eq!(probe, Probe { tags: vec!["a".into(), String::new()], ..Probe::default() });
    }

    #[test]
    fn wrong_types_name_the_field() {
        for (body, text) in [
            (r#"{"name":1}"#, "json: cannot unmarshal number into Go struct field Probe.name of type string"),
            (r#"{"is_default":"yes"}"#, "json: cannot unmarshal string into Go struct field Probe.is_default of type bool"),
            (r#"{"config":{"chunk_size":"1"}}"#, "json: cannot unmarshal string into Go struct field .config.chunk_size of type int"),
            (r#"{"config":{"chunk_size":1.0}}"#, "json: cannot unmarshal number 1.0 into Go struct field .config.chunk_size of type int"),
            (r#"{"threshold":1e999}"#, "json: cannot unmarshal number 1e999 into Go struct field Probe.threshold of type float64"),
            ("[]", "json: cannot unmarshal array into Go value of type handler.Probe"),
            (r#""x""#, "json: cannot unmarshal string into Go value of type handler.Probe"),
            (r#"{"tags":1}"#, "json: cannot unmarshal number into Go struct field Probe.tags of type []string"),
            (
                r#"{"chunking":{"separators":1}}"#,
                "json: cannot unmarshal number into Go struct field ChunkingConfig.chunking.separators of type []string",
            ),
            (r#"{"chunking":[]}"#, "json: cannot unmarshal array into Go struct field Probe.chunking of type types.ChunkingConfig"),
            (r#"{"quota":1.5}"#, "json: cannot unmarshal number 1.5 into Go struct field Probe.quota of type int64"),
            (r#"{"Owner":-1}"#, "json: cannot unmarshal number -1 into Go struct field Probe.owner of type uint"),
            (r#"{"status":7}"#, "json: cannot unmarshal number into Go struct field Probe.status of type string"),
            (r#"{"made_at":7}"#, "Time.UnmarshalJSON: input is not a JSON string"),
            (r#"{"made_at":"x"}"#, r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#),
        ] {
            assert_eq!(bind(body), Err(text.to_owned()), "body {body}");
        }
    }

    #[test]
    fn fields_that_are_not_applied_may_have_their_type_or_be_null() {
        for body in [
            r#"{"quota":-3,"owner":18446744073709551615,"status":"x","made_at":"2026-01-01T00:00:00Z"}"#,
            r#"{"quota":null,"owner":null,"status":null,"made_at":null}"#,
        ] {
            assert_eq!(bind(body), Ok(Probe { rest: bind(body).expect("valid").rest, ..Probe::default() }), "body {body}");
        }
    }

    #[test]
    fn free_objects_keep_their_types() {
        let probe = bind(r#"{"free":{"a":1,"b":[true,null,"x"],"c":1.5}}"#).expect("valid");
        assert_eq!(serde_json::to_string(&probe.free).expect("valid"), r#"{"a":1,"b":[true,null,"x"],"c":1.5}"#);
    }

    #[test]
    fn names_that_the_type_does_not_know_go_to_its_rest() {
        let probe = bind(r#"{"name":"a","mirostat":2,"*":null}"#).expect("valid");
        assert_eq!(serde_json::to_string(&probe.rest).expect("valid"), r#"{"mirostat":2,"*":null}"#);
    }

    #[test]
    fn rules_are_checked_after_binding() {
        assert_eq!(
            bind(r#"{"name":"abcdef"}"#),
            Err("Key: 'Probe.Name' Error:Field validation for 'Name' failed on the 'max' tag".to_owned())
        );
    }
}
