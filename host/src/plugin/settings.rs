//! A plugin's JSON Schema (draft 2020-12) for the settings of its model rows.
//!
//! Not here: that the schema is a table of properties at all (`knowhost_plugin_sdk::manifest`). A schema can refer to itself and to nothing else.

use anyhow::anyhow;
use boon::{CompileError, Compiler, Draft, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde_json::{Map, Value};

const PLACE: &str = "plugin:settings";
/// More would tell nobody more.
const FAULTS_SHOWN: usize = 8;

pub(super) struct SettingsSchema {
    schemas: Schemas,
    index: SchemaIndex,
    /// Names that it describes.
    described: Vec<String>,
}

/// Nothing is fetched for a schema: no file of this machine, and no address.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("{url} is outside of the manifest; a schema can refer to itself alone").into())
    }
}

impl SettingsSchema {
    pub(super) fn compile(schema: &Value) -> anyhow::Result<Self> {
        let mut compiler = Compiler::new();
        compiler.use_loader(Box::new(Nowhere));
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        let mut schemas = Schemas::new();
        let unfit = |error: CompileError| anyhow!("no JSON Schema that can be used: {error:#}");
        compiler.add_resource(PLACE, schema.clone()).map_err(unfit)?;
        let index = compiler.compile(PLACE, &mut schemas).map_err(unfit)?;
        let names = schema.get("properties").and_then(Value::as_object);
        Ok(Self { schemas, index, described: names.into_iter().flatten().map(|(name, _)| name.clone()).collect() })
    }

    /// `secrets` are taken out before, unless the schema describes them too. The error has one clause for each fault.
    pub(super) fn check(&self, settings: &Map<String, Value>, secrets: &[&str]) -> Result<(), String> {
        let is_seen = |name: &str| !secrets.contains(&name) || self.described.iter().any(|known| known == name);
        let seen: Map<String, Value> =
            settings.iter().filter(|(name, _)| is_seen(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
        let seen = Value::Object(seen);
        let Err(error) = self.schemas.validate(&seen, self.index) else { return Ok(()) };
        let mut faults = Vec::new();
        collect(&error, &mut faults);
        faults.dedup();
        let more = faults.len().saturating_sub(FAULTS_SHOWN);
        faults.truncate(FAULTS_SHOWN);
        let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
        Err(format!("parameters do not fit the plugin's settings: {}{rest}", faults.join("; ")))
    }
}

/// The innermost causes, each with its place.
fn collect(error: &ValidationError<'_, '_>, faults: &mut Vec<String>) {
    if error.causes.is_empty() {
        let place = error.instance_location.to_string();
        let place = place.trim_start_matches('/');
        faults.push(if place.is_empty() { error.kind.to_string() } else { format!("{place}: {}", error.kind) });
    }
    error.causes.iter().for_each(|cause| collect(cause, faults));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: Value, settings: Value, secrets: &[&str]) -> Result<(), String> {
        SettingsSchema::compile(&schema).unwrap().check(settings.as_object().unwrap(), secrets)
    }

    fn region() -> Value {
        json!({
            "type": "object", "required": ["region"], "additionalProperties": false,
            "properties": { "region": { "enum": ["eu", "us"] }, "top": { "type": "integer", "minimum": 1 } }
        })
    }

    #[test]
    fn settings_that_fit_pass_and_each_fault_is_named_with_its_place() {
        assert_eq!(check(region(), json!({ "region": "eu", "top": 3 }), &[]), Ok(()));
        let text = check(region(), json!({ "region": "moon", "top": 0 }), &[]).unwrap_err();
        assert!(text.contains("region: ") && text.contains("top: "), "{text}");
        let text = check(region(), json!({ "top": 1 }), &[]).unwrap_err();
        assert!(text.contains("region"), "{text}");
        let text = check(region(), json!({ "region": "eu", "regoin": "eu" }), &[]).unwrap_err();
        assert!(text.contains("regoin"), "{text}");
    }

    #[test]
    fn secrets_are_no_settings_unless_the_schema_describes_them() {
        assert_eq!(check(region(), json!({ "region": "eu", "secret_key": "s" }), &["secret_key"]), Ok(()));
        let described = json!({ "type": "object", "properties": { "secret_key": { "type": "string", "minLength": 4 } } });
        let text = check(described, json!({ "secret_key": "abc" }), &["secret_key"]).unwrap_err();
        assert!(text.contains("secret_key") && !text.contains("abc"), "a secret is in no error: {text}");
    }

    #[test]
    fn schema_reaches_neither_files_nor_the_network() {
        for place in ["file:///etc/hostname", "https://schemas.example/x.json", "other.json"] {
            let schema = json!({ "type": "object", "properties": { "a": { "$ref": place } } });
            assert!(SettingsSchema::compile(&schema).is_err(), "{place}");
        }
        let own = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/a" } }, "$defs": { "a": { "type": "string" } } });
        assert_eq!(check(own, json!({ "a": "x" }), &[]), Ok(()));
    }

    #[test]
    fn useless_schemas_are_refused_and_endless_ones_end() {
        for schema in [json!({ "properties": { "a": { "type": "colour" } } }), json!({ "properties": { "a": { "pattern": "(" } } })] {
            assert!(SettingsSchema::compile(&schema).is_err(), "{schema}");
        }
        let endless = json!({ "properties": { "a": { "$ref": "#/properties/a" } } });
        if let Ok(schema) = SettingsSchema::compile(&endless) {
            let _ = schema.check(json!({ "a": 1 }).as_object().unwrap(), &[]);
        }
    }

    #[test]
    fn many_faults_are_counted_and_not_all_shown() {
        let properties: Map<String, Value> = (0..50).map(|index| (format!("s{index}"), json!({ "type": "string" }))).collect();
        let settings: Map<String, Value> = (0..50).map(|index| (format!("s{index}"), json!(1))).collect();
        let text = check(json!({ "properties": properties }), settings.into(), &[]).unwrap_err();
        assert!(text.contains("and 42 more") && text.len() < 2_000, "{text}");
    }
}
