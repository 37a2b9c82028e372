//! Points in time as the contract writes them.
//!
//! Not here: the zone in which they are written (`zone`).

use super::zone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// A point in time, kept in UTC with microseconds, as the database keeps it.
///
/// Serialises as RFC 3339 in the installed zone with up to six fractional digits, trailing zeros cut; the zero time is `0001-01-01T00:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    pub fn now() -> Self {
        Self::from(OffsetDateTime::now_utc())
    }

    /// The zero time of the contract: what a field holds that was never set.
    pub fn zero() -> Self {
        Self(time::macros::datetime!(0001-01-01 00:00:00 UTC))
    }

    pub fn as_offset_date_time(&self) -> OffsetDateTime {
        self.0
    }

    /// Fixed-width text (`2026-01-02T03:04:05.000006Z`): its order as text is its order in time.
    pub fn to_column(&self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
        self.0.format(&format).unwrap_or_default()
    }

    /// Reads RFC 3339 text of any precision and offset.
    pub fn parse(text: &str) -> Option<Self> {
        // The year 9999 may end elsewhere later than it does in UTC.
        OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC).map(Self::from)
    }

    pub fn plus(&self, duration: std::time::Duration) -> Self {
        Self::from(self.0 + duration)
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::zero()
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(value: OffsetDateTime) -> Self {
        let utc = value.to_offset(UtcOffset::UTC);
        let whole = utc.microsecond() * 1_000;
        Self(utc.replace_nanosecond(whole).unwrap_or(utc))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = if *self == Self::zero() { self.0 } else { zone::local(self.0) };
        f.write_str(&shown.format(&Rfc3339).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not an RFC 3339 time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_sort_like_times() {
        let early = Timestamp::parse("2026-01-01T00:00:00Z").expect("valid");
        let late = Timestamp::parse("2026-01-01T00:00:00.5+00:00").expect("valid");
        assert!(early.to_column() < late.to_column());
        assert_eq!(Timestamp::parse(&late.to_column()), Some(late));
    }

    #[test]
    fn times_beyond_the_calendar_are_no_times() {
        assert!(Timestamp::parse("9999-12-31T23:59:59.999999Z").is_some());
        assert_eq!(Timestamp::parse("9999-12-31T23:59:59-01:00"), None);
    }

    #[test]
    fn wire_text_cuts_trailing_zeros() {
        let time = Timestamp::parse("2026-01-01T08:00:00.120000+08:00").expect("valid");
        assert_eq!(time.to_string(), "2026-01-01T00:00:00.12Z");
        assert_eq!(Timestamp::zero().to_string(), "0001-01-01T00:00:00Z");
    }
}
