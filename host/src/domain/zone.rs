//! The time zone in which the contract's times are written.
//!
//! Not here: times themselves (`timestamp`), and where the name of the zone comes from (`config`).

use std::sync::OnceLock;
use time::{OffsetDateTime, UtcOffset};
use tz::TimeZone;

/// Of the process. Unset (tests, tools): UTC.
static ZONE: OnceLock<Zone> = OnceLock::new();

/// A time zone with its rules for summer time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    pub fn utc() -> Self {
        Self(TimeZone::utc())
    }

    /// The machine's own zone; UTC where it says none.
    pub fn of_machine() -> Self {
        Self(TimeZone::local().unwrap_or_else(|_| TimeZone::utc()))
    }

    /// A name of the tz database (`Asia/Shanghai`, which must be installed on the machine) or a POSIX rule (`CET-1CEST,M3.5.0,M10.5.0/3`).
    pub fn named(name: &str) -> Option<Self> {
        match name.trim_start_matches(':') {
            "" | "UTC" => Some(Self::utc()),
            // Only below the tz database's folder, whatever a name holds.
            path if path.starts_with(['/', '.']) || path.contains("..") => None,
            _ => TimeZone::from_posix_tz(name).ok().map(Self),
        }
    }

    /// What clocks in this zone are ahead of UTC at that moment.
    pub fn offset_at(&self, moment: OffsetDateTime) -> UtcOffset {
        let seconds = self.0.find_local_time_type(moment.unix_timestamp()).map_or(0, |kind| kind.ut_offset());
        UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC)
    }

    /// Makes this the zone of all times that the process writes. The first call wins, so that answers never change their zone.
    pub fn install(self) {
        ZONE.get_or_init(|| self);
    }
}

/// The same moment by the clocks of the installed zone.
pub fn local(moment: OffsetDateTime) -> OffsetDateTime {
    ZONE.get().map_or(moment, |zone| moment.to_offset(zone.offset_at(moment)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{datetime, offset};

    #[test]
    fn rules_and_names_give_the_offset_of_the_moment() {
        let rule = Zone::named("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule");
        assert_eq!(rule.offset_at(datetime!(2026-01-15 12:00 UTC)), offset!(+1));
        assert_eq!(rule.offset_at(datetime!(2026-07-15 12:00 UTC)), offset!(+2));
        assert_eq!(Zone::named("CST-8").expect("a rule").offset_at(datetime!(2026-01-15 12:00 UTC)), offset!(+8));
        assert_eq!(Zone::named("UTC"), Some(Zone::utc()));
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for name in ["nonsense", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "."] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
    }
}
