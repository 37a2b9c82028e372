//! Reading what comes with a request: settings and addresses of models, images of messages.
//!
//! Not here: secrets. A plugin never sees one.

use crate::bindings::chat_model::Image;
use crate::bindings::io::Model;
use serde_json::Value;

impl Model {
    /// A setting as JSON. A value that is no JSON counts as a string.
    pub fn setting(&self, name: &str) -> Option<Value> {
        let setting = self.settings.iter().find(|setting| setting.name == name)?;
        Some(serde_json::from_str(&setting.value).unwrap_or_else(|_| Value::String(setting.value.clone())))
    }

    /// A setting as text; numbers and booleans as they are written.
    pub fn setting_text(&self, name: &str) -> Option<String> {
        match self.setting(name)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Some(other.to_string()),
        }
    }

    /// A setting as a boolean: `true`, or the string `"true"`.
    pub fn setting_bool(&self, name: &str) -> Option<bool> {
        match self.setting_text(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A setting as a whole number.
    pub fn setting_u64(&self, name: &str) -> Option<u64> {
        self.setting_text(name)?.trim().parse().ok()
    }

    /// `path` under the model's address, or under `default` when it has none. The address may end with slashes.
    pub fn url(&self, default: &str, path: &str) -> String {
        let base = if self.base_url.trim().is_empty() { default } else { self.base_url.trim() };
        format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
    }
}

impl Image {
    /// The picture in base64, as services want it inside JSON.
    pub fn base64(&self) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::with_capacity(self.data.len().div_ceil(3) * 4);
        for three in self.data.chunks(3) {
            let bits = (0..3).fold(0u32, |bits, at| (bits << 8) | u32::from(three.get(at).copied().unwrap_or(0)));
            for place in 0..4 {
                let index = (bits >> (18 - 6 * place)) & 63;
                out.push(if place <= three.len() { char::from(ALPHABET[index as usize]) } else { '=' });
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::io::Setting;

    #[test]
    fn base64_is_padded_to_fours() {
        for (data, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(Image { media_type: String::new(), data: data.into() }.base64(), text);
        }
        assert_eq!(Image { media_type: String::new(), data: vec![0xfb, 0xff] }.base64(), "+/8=");
    }

    #[test]
    fn settings_are_read_as_json_and_as_bare_text() {
        let settings = [("a", "\"x\""), ("b", "bare"), ("c", "true"), ("d", "\"true\""), ("e", "12"), ("f", "null"), ("g", "[1]")];
        let settings = settings.map(|(name, value)| Setting { name: name.into(), value: value.into() }).to_vec();
        let model = Model { name: String::new(), base_url: "http://a/v1//".into(), settings };
        assert_eq!(model.setting_text("a").as_deref(), Some("x"));
        assert_eq!(model.setting_text("b").as_deref(), Some("bare"));
        assert_eq!((model.setting_bool("c"), model.setting_bool("d"), model.setting_bool("a")), (Some(true), Some(true), None));
        assert_eq!((model.setting_u64("e"), model.setting_u64("a"), model.setting_text("f")), (Some(12), None, None));
        assert_eq!(model.setting_text("g").as_deref(), Some("[1]"));
        assert!(model.setting("z").is_none());
        assert_eq!(model.url("http://b", "/path"), "http://a/v1/path");
        assert_eq!(Model { base_url: " ".into(), ..model }.url("http://b/", "path"), "http://b/path");
    }
}
