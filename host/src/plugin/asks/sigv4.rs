//! AWS Signature Version 4 over a finished request, after the plugin's turn.
//!
//! Not here: which secret may be used for which host (`grants`) and where it comes from (`auth`).

use hmac::{Hmac, Mac};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use time::OffsetDateTime;
use url::Url;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// What machines on the way may change.
const NOT_SIGNED: [&str; 4] = ["user-agent", "accept", "accept-encoding", "x-amzn-trace-id"];

pub(super) struct Signer<'a> {
    pub(super) access_key: &'a str,
    pub(super) secret_key: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl Signer<'_> {
    /// Adds date and signature. The query is sent in the spelling that was signed, so that both sides read the same.
    pub(super) fn sign(
        &self,
        now: OffsetDateTime,
        method: &str,
        url: &mut Url,
        headers: &mut HeaderMap,
        body: &[u8],
    ) -> Result<(), String> {
        let is_name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name(self.region) || !is_name(self.service) {
            return Err("region and service of a signature are made of letters, digits and -".into());
        }
        let stamp = now
            .to_offset(time::UtcOffset::UTC)
            .format(time::macros::format_description!("[year][month][day]T[hour][minute][second]Z"))
            .map_err(|error| format!("the clock can not be written: {error}"))?;
        let content = hex::encode(Sha256::digest(body));
        headers.insert(DATE, value(&stamp)?);
        headers.remove(&CONTENT);
        let is_s3 = self.service == "s3";
        if is_s3 {
            headers.insert(CONTENT, value(&content)?);
        }
        let query = canonical_query(url.query().unwrap_or_default());
        if url.query().is_some() {
            url.set_query((!query.is_empty()).then_some(query.as_str()));
        }
        let signed = signed_headers(url, headers)?;
        let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
        let mut request = format!("{method}\n{}\n{query}\n", canonical_path(url.path(), !is_s3));
        for (name, value) in &signed {
            let _ = writeln!(request, "{name}:{value}");
        }
        let _ = write!(request, "\n{names}\n{content}");
        let date = stamp.get(..8).unwrap_or_default();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex::encode(Sha256::digest(request.as_bytes())));
        let signature = hex::encode(mac(&self.key(date), to_sign.as_bytes()));
        let line = format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", self.access_key);
        let mut line = value(&line)?;
        line.set_sensitive(true);
        headers.insert(AUTHORIZATION, line);
        Ok(())
    }

    /// The key of one day, region and service.
    fn key(&self, date: &str) -> Vec<u8> {
        let first = format!("AWS4{}", self.secret_key).into_bytes();
        [date, self.region, self.service, "aws4_request"].iter().fold(first, |key, part| mac(&key, part.as_bytes()))
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // Keys of any length are taken, so there always is a MAC.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(|_| Vec::new(), |mac| mac.chain_update(text).finalize().into_bytes().to_vec())
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "a key of the signature holds a character that no header can carry".into())
}

/// Lower-case names with their values, blanks at the ends dropped and in between made one.
fn signed_headers(url: &Url, headers: &HeaderMap) -> Result<BTreeMap<String, String>, String> {
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let mut signed = BTreeMap::from([("host".to_owned(), host)]);
    for (name, value) in headers.iter().filter(|(name, _)| !NOT_SIGNED.contains(&name.as_str())) {
        let text = value.to_str().map_err(|_| format!("the header {name} can not be signed: it holds more than ASCII"))?;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        signed
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&text);
            })
            .or_insert(text);
    }
    Ok(signed)
}

/// The path as it is sent, encoded once more; S3 alone takes the plain path, encoded once.
fn canonical_path(path: &str, twice: bool) -> String {
    let plain: Vec<u8> = if twice { path.as_bytes().to_vec() } else { percent_decoded(path) };
    if plain.is_empty() { "/".into() } else { encoded(&plain, true) }
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (encoded(name.as_bytes(), false), encoded(value.as_bytes(), false)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Everything but letters, digits and `-._~` as `%XX`.
fn encoded(bytes: &[u8], keep_slash: bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || (keep_slash && *byte == b'/') {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%').then(|| text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok())).flatten();
        plain.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// Signs as the published examples do and gives the signature.
    fn signature(now: OffsetDateTime, signer: &Signer<'_>, method: &str, url: &str, sent: &[(&str, &str)], body: &[u8]) -> String {
        let mut url = Url::parse(url).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        signer.sign(now, method, &mut url, &mut headers, body).unwrap();
        let line = headers[AUTHORIZATION].to_str().unwrap().to_owned();
        assert!(headers[AUTHORIZATION].is_sensitive() && !line.contains(signer.secret_key), "{line}");
        line.split_once("Signature=").unwrap().1.to_owned()
    }

    fn suite(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let signer = Signer { access_key: "AKIDEXAMPLE", secret_key: SECRET_KEY, region: "us-east-1", service: "service" };
        signature(time::macros::datetime!(2015-08-30 12:36:00 UTC), &signer, method, url, headers, body)
    }

    /// Values of AWS's published test suite for Signature Version 4.
    #[test]
    fn signatures_are_those_of_the_published_suite() {
        let base = "https://example.amazonaws.com/";
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let at = |rest: &str| format!("{base}{rest}");
        let unreserved = at("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
        for (name, found, wanted) in [
            ("get-vanilla", suite("GET", base, &[], b""), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("post-vanilla", suite("POST", base, &[], b""), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "get-vanilla-query-order-key-case",
                suite("GET", &at("?Param2=value2&Param1=value1"), &[], b""),
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "get-vanilla-query-order-value",
                suite("GET", &at("?Param1=value2&Param1=value1"), &[], b""),
                "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
            ),
            (
                "get-vanilla-utf8-query",
                suite("GET", &at("?ሴ=bar"), &[], b""),
                "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
            ),
            (
                "get-header-value-trim",
                suite("GET", base, &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")], b""),
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            ("get-unreserved", suite("GET", &unreserved, &[], b""), "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
            (
                "post-x-www-form-urlencoded",
                suite("POST", base, &form, b"Param1=value1"),
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            assert_eq!(found, wanted, "{name}");
        }
    }

    #[test]
    fn signature_and_key_are_those_of_the_worked_example() {
        let signer = Signer { access_key: "AKIDEXAMPLE", secret_key: SECRET_KEY, region: "us-east-1", service: "iam" };
        assert_eq!(hex::encode(signer.key("20150830")), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
        let url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let found = signature(time::macros::datetime!(2015-08-30 12:36:00 UTC), &signer, "GET", url, &form, b"");
        assert_eq!(found, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    }

    #[test]
    fn s3_signs_the_content_and_the_plain_path() {
        let secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let signer = Signer { access_key: "AKIAIOSFODNN7EXAMPLE", secret_key, region: "us-east-1", service: "s3" };
        let now = time::macros::datetime!(2013-05-24 00:00:00 UTC);
        let host = "https://examplebucket.s3.amazonaws.com";
        let found = signature(now, &signer, "GET", &format!("{host}/test.txt"), &[("Range", "bytes=0-9")], b"");
        assert_eq!(found, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        let found = signature(now, &signer, "GET", &format!("{host}/?lifecycle"), &[], b"");
        assert_eq!(found, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    }

    #[test]
    fn paths_are_encoded_once_for_s3_and_twice_for_the_others() {
        assert_eq!(canonical_path("/a%20b/%E1%88%B4:c", false), "/a%20b/%E1%88%B4%3Ac");
        assert_eq!(canonical_path("/a%20b/%E1%88%B4:c", true), "/a%2520b/%25E1%2588%25B4%3Ac");
        assert_eq!(canonical_path("/bad%zz%4", false), "/bad%25zz%254");
    }

    #[test]
    fn date_and_content_of_the_plugin_are_not_trusted_and_names_are_checked() {
        let signer = Signer { access_key: "A", secret_key: "S", region: "eu-1", service: "bedrock" };
        let mut headers = HeaderMap::from_iter([(DATE, HeaderValue::from_static("x")), (CONTENT, HeaderValue::from_static("y"))]);
        let mut url = Url::parse("http://127.0.0.1:8000/x?b=a+c&a").unwrap();
        signer.sign(time::macros::datetime!(2026-01-02 03:04:05 UTC), "POST", &mut url, &mut headers, b"z").unwrap();
        assert_eq!((headers[DATE].to_str().unwrap(), headers.contains_key(CONTENT)), ("20260102T030405Z", false));
        assert_eq!(url.as_str(), "http://127.0.0.1:8000/x?a=&b=a%20c", "sent as it was signed");
        let bad = Signer { region: "eu/1", ..signer };
        assert!(bad.sign(OffsetDateTime::UNIX_EPOCH, "GET", &mut url, &mut headers, b"").is_err());
    }
}
