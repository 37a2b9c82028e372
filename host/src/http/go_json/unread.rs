//! Fields within parts of a request that must fit their type although nobody reads them, so that a body is refused where the contract's
//! server refuses it.
//!
//! Not here: such fields of the request itself (`Bind::UNUSED`).

use super::bind::{NO_TIME, not_a_time};
use crate::domain::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::marker::PhantomData;

/// Takes what `T` takes and keeps nothing of it.
pub(crate) struct Unread<T>(PhantomData<T>);

impl<T> Default for Unread<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unread<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|_| Self(PhantomData))
    }
}

/// A point in time, told apart from other texts in the contract's words.
pub(crate) struct Time;

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer).map_err(|_| D::Error::custom(NO_TIME))?;
        Timestamp::parse(&text).map(|_| Self).ok_or_else(|| D::Error::custom(not_a_time(&text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::go_json::{Bind, BindError, from_slice};

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Probe {
        #[serde(rename = "text")]
        _text: Unread<String>,
        #[serde(rename = "made_at")]
        _made_at: Unread<Time>,
    }

    impl Bind for Probe {
        const NAME: &'static str = "Probe";
    }

    #[test]
    fn what_nobody_reads_must_fit_all_the_same() {
        let bind = |body: &str| from_slice::<Probe>(body.as_bytes()).map(|_| ()).map_err(BindError::into_text);
        assert_eq!(bind(r#"{"text":"a","made_at":"2026-01-02T03:04:05.6+08:00"}"#), Ok(()));
        assert_eq!(bind(r#"{"text":null,"made_at":null}"#), Ok(()));
        for (body, text) in [
            (r#"{"text":7}"#, "json: cannot unmarshal number into Go struct field Probe.text of type string"),
            (r#"{"made_at":7}"#, "Time.UnmarshalJSON: input is not a JSON string"),
            (r#"{"made_at":"x"}"#, r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#),
        ] {
            assert_eq!(bind(body), Err(text.to_owned()), "{body}");
        }
    }
}
