//! Puts secrets into a finished request, where the plugin named them, after its turn.
//!
//! Not here: which secret may go to which host (`grants`). A secret is in the request and in no text that a plugin or a log sees.

use super::env::CallEnv;
use super::http::{Failure, HEADERS_OF_THE_HOST, denied, header_name};
use super::sigv4::Signer;
use crate::plugin::wasm::wit::io;
use knowhost_plugin_sdk::manifest::Origin;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// A request before it is sent, without its secrets.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    pub(super) origin: &'a Origin,
    pub(super) url: &'a mut Url,
    pub(super) headers: &'a mut HeaderMap,
    pub(super) body: &'a [u8],
}

/// Looks the secret up and puts it where the plugin wants it, if it may go to this host.
pub(super) fn place(env: &CallEnv, auth: &io::Auth, request: Unsigned<'_>) -> Result<(), Failure> {
    let secret = |name: &str| {
        env.grants.check_secret(&env.plugin.name, name, request.origin, env.base_url.as_ref()).map_err(denied)?;
        env.secrets.get(name).ok_or_else(|| denied(format!("the secret {name} has no value: fill it in at the model")))
    };
    match auth {
        io::Auth::Bearer(name) => insert(request.headers, AUTHORIZATION, &format!("Bearer {}", secret(name)?)),
        io::Auth::Header(placed) => {
            let name = header_name(&placed.name)?;
            if name != AUTHORIZATION && HEADERS_OF_THE_HOST.contains(&name.as_str()) {
                return Err(denied(format!("the header {name} can not hold a secret")));
            }
            insert(request.headers, name, &format!("{}{}", placed.prefix, secret(&placed.secret)?))
        }
        io::Auth::Query(placed) => {
            if placed.name.is_empty() {
                return Err(denied("a secret in the query needs the name of its parameter"));
            }
            let value = format!("{}{}", placed.prefix, secret(&placed.secret)?);
            request.url.query_pairs_mut().append_pair(&placed.name, &value);
            Ok(())
        }
        io::Auth::Sigv4(asked) => {
            let signer = Signer {
                access_key: secret(&asked.access_key)?,
                secret_key: secret(&asked.secret_key)?,
                region: &asked.region,
                service: &asked.service,
            };
            let now = time::OffsetDateTime::now_utc();
            signer.sign(now, request.method, request.url, request.headers, request.body).map_err(denied)
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| denied("the secret holds a character that no header can carry"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}
