//! What one plugin may do: the manifest's capabilities and limits, and the check of an address against them.
//!
//! Not here: whether the operator allowed the plugin at all (`plugin::lock`), and which addresses are open (`address`).

use crate::limits;
use crate::provider::PluginGrants;
use knowhost_plugin_sdk::manifest::{AllowedHost, Manifest, Origin, SecretGrant};
use std::time::Duration;
use url::Url;

/// Scheme, host and port; paths play no part in a grant.
pub(in crate::plugin) fn origin_of(url: &Url) -> Option<Origin> {
    let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    Some(Origin { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default()? })
}

fn covers(rule: &AllowedHost, origin: &Origin, base_url: Option<&Origin>) -> bool {
    match rule {
        AllowedHost::BaseUrl => base_url == Some(origin),
        AllowedHost::Origin(allowed) => allowed == origin,
    }
}

/// The capabilities of one plugin, and its limits where they are below the host's.
#[derive(Clone, Debug)]
pub(in crate::plugin) struct Grants {
    allowed_hosts: Vec<AllowedHost>,
    secrets: Vec<SecretGrant>,
    pub(super) allowed_models: Vec<String>,
    pub(super) cache_bytes_max: usize,
    pub(super) open_ops_max: usize,
    pub(super) response_bytes_max: u64,
    pub(super) exchange_max: Duration,
}

impl Grants {
    pub(in crate::plugin) fn of(manifest: &Manifest) -> Self {
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let asked = &manifest.limits;
        Self {
            allowed_hosts: manifest.allowed_hosts.clone(),
            secrets: manifest.secrets.clone(),
            allowed_models: manifest.allowed_models.clone(),
            cache_bytes_max: size(manifest.cache_bytes_max).min(limits::PLUGIN_CACHE_BYTES_MAX),
            open_ops_max: asked.open_ops_max.map_or(usize::MAX, size).min(limits::PLUGIN_OPEN_OPS_MAX),
            response_bytes_max: asked.response_bytes_max.unwrap_or(u64::MAX).min(limits::PLUGIN_RESPONSE_BYTES_MAX),
            exchange_max: asked.exchange_ms_max.map_or(Duration::MAX, Duration::from_millis).min(limits::PLUGIN_EXCHANGE_MAX),
        }
    }

    /// Without what the operator did not grant. The strings are those of the manifest's rules.
    pub(in crate::plugin) fn within(mut self, granted: &PluginGrants) -> Self {
        self.allowed_hosts.retain(|rule| granted.allowed_hosts.contains(&rule.to_string()));
        self.allowed_models.retain(|model| granted.allowed_models.contains(model));
        self.secrets.retain(|secret| granted.secrets.contains_key(&secret.name));
        for secret in &mut self.secrets {
            let hosts = granted.secrets.get(&secret.name);
            secret.hosts.retain(|rule| hosts.is_some_and(|hosts| hosts.contains(&rule.to_string())));
        }
        self
    }

    /// The denial names the line that would have to stand in the manifest, and what the operator does.
    pub(super) fn check_host(&self, plugin: &str, origin: &Origin, base_url: Option<&Origin>) -> Result<(), String> {
        if self.allowed_hosts.iter().any(|rule| covers(rule, origin, base_url)) {
            return Ok(());
        }
        Err(format!(
            "{origin} is not granted: it would need allowed_hosts = [\"{origin}\"] in plugin.toml and then `knowhost plugin allow {plugin}`"
        ))
    }

    pub(super) fn check_secret(&self, plugin: &str, secret: &str, origin: &Origin, base_url: Option<&Origin>) -> Result<(), String> {
        let grant = self.secrets.iter().find(|grant| grant.name == secret);
        if grant.is_some_and(|grant| grant.hosts.iter().any(|rule| covers(rule, origin, base_url))) {
            return Ok(());
        }
        Err(format!(
            "the secret {secret} is not granted for {origin}: it would need secrets = {{ {secret} = [\"{origin}\"] }} in plugin.toml \
             and then `knowhost plugin allow {plugin}`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        origin_of(&Url::parse(url).unwrap()).unwrap()
    }

    fn grants(lines: &str) -> Grants {
        let head = "name = \"p\"\ntitle = \"P\"\nversion = \"1.0.0\"\nlicence = \"MIT\"\ninterface = \"0.1\"\nprofile = \"network\"\n";
        Grants::of(&Manifest::parse(&format!("{head}{lines}")).unwrap())
    }

    #[test]
    fn granted_is_scheme_host_and_port_together() {
        let grants = grants("allowed_hosts = [\"https://api.example.com\"]");
        let check = |url| grants.check_host("p", &origin(url), None).is_ok();
        assert!(check("https://api.example.com/v1?x=1") && check("https://API.example.com.:443/"));
        assert!(!check("http://api.example.com/") && !check("https://api.example.com:8443/"));
        assert!(!check("https://api.example.com.evil.net/") && !check("https://xapi.example.com/"));
    }

    #[test]
    fn base_url_is_granted_to_the_call_that_has_it() {
        let grants = grants("allowed_hosts = [\"{base_url}\"]");
        let base = origin("http://127.0.0.1:9000/v1");
        assert!(grants.check_host("p", &origin("http://127.0.0.1:9000/other"), Some(&base)).is_ok());
        assert!(grants.check_host("p", &origin("http://127.0.0.1:9001/"), Some(&base)).is_err());
        assert!(grants.check_host("p", &origin("http://127.0.0.1:9000/"), None).is_err());
    }

    #[test]
    fn denial_names_the_manifest_line_and_the_operators_command() {
        let text = grants("").check_host("echo", &origin("https://a.example/x"), None).unwrap_err();
        assert!(text.contains("allowed_hosts = [\"https://a.example:443\"]") && text.contains("knowhost plugin allow echo"), "{text}");
        let text = grants("").check_secret("echo", "api_key", &origin("https://a.example/x"), None).unwrap_err();
        assert!(text.contains("secrets = { api_key = [\"https://a.example:443\"] }"), "{text}");
    }

    #[test]
    fn manifest_lowers_limits_and_never_raises_them() {
        let low = grants("limits = { open_ops_max = 2, exchange_ms_max = 100, response_bytes_max = 10 }");
        assert_eq!((low.open_ops_max, low.exchange_max, low.response_bytes_max), (2, Duration::from_millis(100), 10));
        let high = grants("limits = { open_ops_max = 1000000, exchange_ms_max = 1000000000, response_bytes_max = 1000000000000 }");
        assert_eq!(
            (high.open_ops_max, high.exchange_max, high.response_bytes_max),
            (limits::PLUGIN_OPEN_OPS_MAX, limits::PLUGIN_EXCHANGE_MAX, limits::PLUGIN_RESPONSE_BYTES_MAX)
        );
    }
}
