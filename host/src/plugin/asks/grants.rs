//! What one plugin may do: the manifest's lines, parsed, and the check of an address against them.
//!
//! Not here: whether the operator allowed the plugin at all (`plugin::lock`), and which addresses are open (`address`).

use std::collections::BTreeMap;
use url::Url;

/// The placeholder for the address in a model row.
const BASE_URL: &str = "{base_url}";

/// Scheme, host and port; paths play no part in a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plugin) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    pub(in crate::plugin) fn of(url: &Url) -> Option<Self> {
        let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        Some(Self { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default()? })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// One entry of `allowed_hosts`, or of the hosts beside a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
enum HostRule {
    BaseUrl,
    Exactly(Origin),
    /// `https://*.example.com`: any name below it, not the name itself.
    Below(Origin),
}

impl HostRule {
    fn parse(text: &str) -> anyhow::Result<Self> {
        if text == BASE_URL {
            return Ok(Self::BaseUrl);
        }
        let (plain, below) = match text.split_once("://*.") {
            Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
            None => (text.to_owned(), false),
        };
        let url = Url::parse(&plain).map_err(|error| anyhow::anyhow!("allowed host \"{text}\": {error}"))?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || !bare || (below && url.domain().is_none_or(|domain| !domain.contains('.'))) {
            anyhow::bail!("allowed host \"{text}\" is not of the form https://host:port, https://*.host or {BASE_URL}");
        }
        let origin = Origin::of(&url).ok_or_else(|| anyhow::anyhow!("allowed host \"{text}\" names no host"))?;
        Ok(if below { Self::Below(origin) } else { Self::Exactly(origin) })
    }

    fn covers(&self, origin: &Origin, base_url: Option<&Origin>) -> bool {
        match self {
            Self::BaseUrl => base_url == Some(origin),
            Self::Exactly(allowed) => allowed == origin,
            Self::Below(parent) => {
                origin.scheme == parent.scheme
                    && origin.port == parent.port
                    && origin.host.strip_suffix(parent.host.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
        }
    }
}

/// The parsed capabilities of one plugin.
#[derive(Clone, Debug, Default)]
pub(in crate::plugin) struct Grants {
    allowed_hosts: Vec<HostRule>,
    secrets: BTreeMap<String, Vec<HostRule>>,
    pub(in crate::plugin) allowed_models: Vec<String>,
    pub(in crate::plugin) cache_bytes_max: usize,
}

impl Grants {
    pub(in crate::plugin) fn parse<'a>(
        allowed_hosts: impl IntoIterator<Item = &'a String>,
        secrets: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
        allowed_models: &[String],
        cache_bytes_max: u64,
    ) -> anyhow::Result<Self> {
        let allowed_hosts = allowed_hosts.into_iter().map(|text| HostRule::parse(text)).collect::<anyhow::Result<_>>()?;
        let secrets = secrets
            .into_iter()
            .map(|(name, hosts)| Ok((name.clone(), hosts.iter().map(|text| HostRule::parse(text)).collect::<anyhow::Result<Vec<_>>>()?)))
            .collect::<anyhow::Result<_>>()?;
        let cache_bytes_max = usize::try_from(cache_bytes_max).unwrap_or(usize::MAX).min(crate::limits::PLUGIN_CACHE_BYTES_MAX);
        Ok(Self { allowed_hosts, secrets, allowed_models: allowed_models.to_vec(), cache_bytes_max })
    }

    /// The denial names the line that would have to stand in the manifest, and what the operator does.
    pub(super) fn check_host(&self, plugin: &str, origin: &Origin, base_url: Option<&Origin>) -> Result<(), String> {
        if self.allowed_hosts.iter().any(|rule| rule.covers(origin, base_url)) {
            return Ok(());
        }
        Err(format!(
            "{origin} is not granted: it would need allowed_hosts = [\"{origin}\"] in plugin.toml and then `knowhost plugin allow {plugin}`"
        ))
    }

    pub(super) fn check_secret(&self, plugin: &str, secret: &str, origin: &Origin, base_url: Option<&Origin>) -> Result<(), String> {
        if self.secrets.get(secret).is_some_and(|rules| rules.iter().any(|rule| rule.covers(origin, base_url))) {
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
        Origin::of(&Url::parse(url).unwrap()).unwrap()
    }

    fn grants(hosts: &[&str]) -> Grants {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        Grants::parse(&hosts, std::iter::empty(), &[], 0).unwrap()
    }

    #[test]
    fn granted_is_scheme_host_and_port_together() {
        let grants = grants(&["https://api.example.com"]);
        let check = |url| grants.check_host("p", &origin(url), None).is_ok();
        assert!(check("https://api.example.com/v1?x=1") && check("https://API.example.com.:443/"));
        assert!(!check("http://api.example.com/") && !check("https://api.example.com:8443/"));
        assert!(!check("https://api.example.com.evil.net/") && !check("https://xapi.example.com/"));
    }

    #[test]
    fn base_url_is_granted_to_the_call_that_has_it() {
        let grants = grants(&["{base_url}"]);
        let base = origin("http://127.0.0.1:9000/v1");
        assert!(grants.check_host("p", &origin("http://127.0.0.1:9000/other"), Some(&base)).is_ok());
        assert!(grants.check_host("p", &origin("http://127.0.0.1:9001/"), Some(&base)).is_err());
        assert!(grants.check_host("p", &origin("http://127.0.0.1:9000/"), None).is_err());
    }

    #[test]
    fn star_covers_names_below_and_not_the_name_itself() {
        let grants = grants(&["https://*.example.com"]);
        let check = |url| grants.check_host("p", &origin(url), None).is_ok();
        assert!(check("https://a.example.com/") && check("https://a.b.example.com/"));
        assert!(!check("https://example.com/") && !check("https://badexample.com/") && !check("https://.example.com/"));
    }

    #[test]
    fn denial_names_the_manifest_line_and_the_operators_command() {
        let text = grants(&[]).check_host("echo", &origin("https://a.example/x"), None).unwrap_err();
        assert!(text.contains("allowed_hosts = [\"https://a.example:443\"]") && text.contains("knowhost plugin allow echo"), "{text}");
        let text = grants(&[]).check_secret("echo", "api_key", &origin("https://a.example/x"), None).unwrap_err();
        assert!(text.contains("secrets = { api_key = [\"https://a.example:443\"] }"), "{text}");
    }

    #[test]
    fn malformed_hosts_are_refused_with_the_accepted_forms() {
        for bad in ["example.com", "ftp://example.com", "https://example.com/path", "https://user@example.com", "https://*.com", ""] {
            assert!(HostRule::parse(bad).is_err(), "{bad}");
        }
    }
}
