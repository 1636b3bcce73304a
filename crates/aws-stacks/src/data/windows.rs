//! When AWS may work on the data stores: in the small hours of Sunday, UTC, one after the other, so
//! that no two restart at once and none while it is backed up.

use std::fmt;

const MINUTES_OF_A_DAY: u32 = 24 * 60;
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// From the end of the database's backups to its maintenance, in minutes.
const PAUSE: u32 = 30;
/// The length of the database's maintenance, in minutes: RDS wants at least 30.
const LENGTH: u32 = 60;

/// When ElastiCache makes its daily snapshots; at least an hour (API reference,
/// `CreateReplicationGroup`).
pub(super) const CACHE_SNAPSHOTS: &str = "03:00-04:00";
/// When ElastiCache works on the caches.
pub(super) const CACHE_MAINTENANCE: &str = "sun:04:30-sun:05:30";
/// When Amazon MQ may restart the broker's nodes.
pub(super) const BROKER_MAINTENANCE: (&str, &str) = ("SUNDAY", "05:30");
/// The hour at which ten hours begin in which OpenSearch Service may update the domain: it does so
/// without a pause, on nodes beside the old ones.
pub(super) const SEARCH_OFF_PEAK_HOUR: u8 = 20;

/// The database's maintenance: after its backups, which it must not overlap (Amazon Aurora user
/// guide, "Maintaining an Amazon Aurora DB cluster"). `backups` is `HH:MM-HH:MM`.
pub(super) fn database_maintenance(backups: &str) -> String {
    let moments = backups.split_once('-');
    let moments = moments.and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)));
    let (from, to) = moments.expect("the environment's rules hold windows to their form");
    // A window that ends tomorrow begins today.
    let end = if to <= from {
        to + MINUTES_OF_A_DAY
    } else {
        to
    };
    let start = Moment(end + PAUSE);
    format!("{start}-{}", Moment(start.0 + LENGTH))
}

/// Minutes since midnight of `HH:MM`.
fn minutes(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    Some(hour.parse::<u32>().ok()? * 60 + minute.parse::<u32>().ok()?)
}

/// Minutes since Sunday's midnight, written `ddd:HH:MM`.
struct Moment(u32);

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = DAYS
            .get((self.0 / MINUTES_OF_A_DAY) as usize)
            .copied()
            .unwrap_or(DAYS[0]);
        let minutes = self.0 % MINUTES_OF_A_DAY;
        write!(out, "{day}:{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::database_maintenance;

    #[test]
    fn maintenance_follows_the_backups() {
        let cases = [
            ("01:00-02:00", "sun:02:30-sun:03:30"),
            ("22:00-23:00", "sun:23:30-mon:00:30"),
            ("23:30-01:00", "mon:01:30-mon:02:30"),
            ("00:00-00:30", "sun:01:00-sun:02:00"),
        ];
        for (backups, expected) in cases {
            assert_eq!(database_maintenance(backups), expected, "{backups}");
        }
    }
}
