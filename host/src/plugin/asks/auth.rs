//! Puts secrets into a finished request, where the plugin named them, after its turn.
//!
//! Not here: which secret may go to which host (`grants`), and taking out what a server sends back (`secrets`).

use super::env::CallEnv;
use super::http::{Failure, HEADERS_OF_THE_HOST, denied, header_name};
use super::sigv4::Signer;
use crate::limits;
use crate::plugin::wasm::wit::io;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
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

/// Puts all of a request's secrets in their places; a signature comes last, because it covers the rest. Gives what it made of secrets on the way.
pub(super) fn place_all(env: &CallEnv, auths: &[io::Auth], mut request: Unsigned<'_>) -> Result<Vec<String>, Failure> {
    if auths.len() > limits::PLUGIN_AUTHS_PER_REQUEST_MAX {
        return Err(denied(format!("{} secrets in one request; the limit is {}", auths.len(), limits::PLUGIN_AUTHS_PER_REQUEST_MAX)));
    }
    let is_signature = |auth: &io::Auth| matches!(auth, io::Auth::Sigv4(_));
    if auths.iter().rev().skip(1).any(is_signature) {
        return Err(denied("a signature has to be the last of a request's secrets"));
    }
    let mut derived = Vec::new();
    auths.iter().try_for_each(|auth| place(env, auth, &mut request, &mut derived))?;
    Ok(derived)
}

/// Looks the secret up and puts it where the plugin wants it, if it may go to this host.
fn place(env: &CallEnv, auth: &io::Auth, request: &mut Unsigned<'_>, derived: &mut Vec<String>) -> Result<(), Failure> {
    let origin = request.origin;
    let secret = |name: &str| {
        let granted = env.grants.check_secret(&env.plugin.name, name, origin, env.base_url.as_ref());
        granted.map_err(|text| env.refused(text))?;
        env.secrets.get(name).ok_or_else(|| denied(format!("the secret {name} has no value: fill it in at the model")))
    };
    match auth {
        io::Auth::Bearer(name) => insert(request.headers, AUTHORIZATION, &format!("Bearer {}", secret(name)?)),
        io::Auth::Basic(login) => {
            if login.user.contains(':') {
                return Err(denied("the user name of a Basic login can hold no colon (RFC 7617)"));
            }
            let pair = BASE64.encode(format!("{}:{}", login.user, secret(&login.secret)?));
            insert(request.headers, AUTHORIZATION, &format!("Basic {pair}"))?;
            derived.push(pair);
            Ok(())
        }
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
            if request.headers.contains_key(AUTHORIZATION) {
                return Err(denied("a signed request carries no other authorization"));
            }
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
    match headers.insert(name.clone(), value) {
        None => Ok(()),
        Some(_) => Err(denied(format!("the header {name} is set twice, by the plugin or by another secret"))),
    }
}
