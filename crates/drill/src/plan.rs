//! What a drill does: which, how hard, how long.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::DrillError;
use crate::kind::DrillKind;

/// The most requests per second that a drill sends.
pub const MAXIMUM_RATE: u32 = 500;
/// The longest that the load of a drill lasts.
pub const MAXIMUM_DURATION: Duration = Duration::from_secs(15 * 60);

/// How often each sort of request is sent, as weights: 0 to 1000 each, not all 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mix {
    /// Pages: home, categories, products from the page cache, and one that is not cached.
    pub reads: u32,
    /// Values stored in a visitor's session, and read back.
    pub sessions: u32,
    /// Rows with a unique token, written to the database.
    pub tokens: u32,
    /// Small pictures uploaded, and fetched back.
    pub uploads: u32,
    /// Customers who open the form, log in, and open their account.
    pub logins: u32,
    /// Questions which task answers.
    pub whoami: u32,
}

impl Mix {
    /// The usual mix, with more of what the drill is about.
    #[must_use]
    pub fn of(kind: DrillKind) -> Self {
        let usual = Self {
            reads: 50,
            sessions: 20,
            tokens: 15,
            uploads: 5,
            logins: 4,
            whoami: 6,
        };
        match kind {
            DrillKind::DbFailover => Self {
                reads: 30,
                tokens: 40,
                ..usual
            },
            DrillKind::CacheFailover => Self {
                reads: 25,
                sessions: 45,
                logins: 8,
                ..usual
            },
            _ => usual,
        }
    }

    pub(crate) fn weights(self) -> [u32; 6] {
        [
            self.reads,
            self.sessions,
            self.tokens,
            self.uploads,
            self.logins,
            self.whoami,
        ]
    }
}

/// A drill, complete. [`DrillPlan::new`] has the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillPlan {
    /// Which drill it is: decides the bars.
    pub kind: DrillKind,
    /// The environment's name, for the report.
    pub environment: String,
    /// Where to connect to. No name is looked up.
    pub address: SocketAddr,
    /// The `Host` header, with a port if it is not 80.
    pub host: String,
    /// 1 to [`MAXIMUM_RATE`], 50 by default.
    pub requests_per_second: u32,
    /// Load before the fault, at least 1 s: what is compared with. 10 s by default.
    pub before: Duration,
    /// Load in all, if everything is whole early enough; it is longer if not. 60 s by default.
    pub duration: Duration,
    /// Load after everything is whole again, 10 s by default.
    pub after: Duration,
    /// How long after the fault everything must be whole again, 120 s by default. `before`,
    /// `recovery_limit` and `after` together are at most [`MAXIMUM_DURATION`].
    pub recovery_limit: Duration,
    /// How long a fault may take to show after it was injected; 1 s by default, more where breaking
    /// is asked for by an API that acts later.
    pub onset: Duration,
    /// The limit of one request from the instant it is due, 1 to 60 s, 10 s by default.
    pub request_limit: Duration,
    /// The interval of the load balancer's health check, by which the loss of a zone is judged.
    pub health_check_interval: Duration,
    /// What is sent.
    pub mix: Mix,
    /// Decides the order of the requests: the same seed, the same order.
    pub seed: u64,
    /// Visitors with a session who take turns, 1 to 1000; more come when these all wait.
    pub visitors: u32,
    /// Customers who are registered before the load begins, 1 to 100.
    pub accounts: u32,
    /// What was running, for the report: `mck` → `0.1.0`, `release` → `a1b2c3`.
    pub versions: BTreeMap<String, String>,
}

impl DrillPlan {
    /// A drill of the usual length and rate.
    #[must_use]
    pub fn new(kind: DrillKind, environment: &str, address: SocketAddr, host: &str) -> Self {
        Self {
            kind,
            environment: environment.to_owned(),
            address,
            host: host.to_owned(),
            requests_per_second: 50,
            before: Duration::from_secs(10),
            duration: Duration::from_secs(60),
            after: Duration::from_secs(10),
            recovery_limit: Duration::from_secs(120),
            onset: Duration::from_secs(1),
            request_limit: Duration::from_secs(10),
            health_check_interval: Duration::from_secs(10),
            mix: Mix::of(kind),
            seed: 1,
            visitors: 20,
            accounts: 4,
            versions: BTreeMap::new(),
        }
    }

    /// The same drill with a load of `duration`, of which a sixth each, 1 to 15 s, is before the fault
    /// and after the recovery. The limit of the recovery is lowered where the load would be too long.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        let edge = (duration / 6).clamp(Duration::from_secs(1), Duration::from_secs(15));
        self.duration = duration;
        self.before = edge;
        self.after = edge;
        self.recovery_limit = self.recovery_limit.min(MAXIMUM_DURATION - 2 * edge);
        self
    }

    /// Checks the ranges that the fields name.
    ///
    /// # Errors
    ///
    /// [`DrillError::Plan`] with the first field that is out of its range.
    pub fn validate(&self) -> Result<(), DrillError> {
        let longest = self.before + self.recovery_limit + self.after;
        let weights = self.mix.weights();
        let second = Duration::from_secs(1);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let rules: [(&'static str, String, &'static str, bool); 9] = [
            (
                "requests_per_second",
                self.requests_per_second.to_string(),
                "1 to 500",
                (1..=MAXIMUM_RATE).contains(&self.requests_per_second),
            ),
            (
                "before",
                format!("{:?}", self.before),
                "at least 1 s",
                self.before >= second,
            ),
            (
                "duration",
                format!("{:?}", self.duration),
                "1 s to 15 min",
                (second..=MAXIMUM_DURATION).contains(&self.duration),
            ),
            (
                "before + recovery_limit + after",
                format!("{longest:?}"),
                "at most 15 min",
                longest <= MAXIMUM_DURATION,
            ),
            (
                "request_limit",
                format!("{:?}", self.request_limit),
                "1 to 60 s",
                (second..=Duration::from_secs(60)).contains(&self.request_limit),
            ),
            (
                "mix",
                format!("{weights:?}"),
                "0 to 1000 each, not all 0",
                weights.iter().any(|weight| *weight > 0) && weights.iter().all(|it| *it <= 1000),
            ),
            (
                "host",
                format!("{:?}", self.host),
                "a host name, with a port if it is not 80",
                !self.host.is_empty() && self.host.bytes().all(is_plain),
            ),
            (
                "visitors",
                self.visitors.to_string(),
                "1 to 1000",
                (1..=1000).contains(&self.visitors),
            ),
            (
                "accounts",
                self.accounts.to_string(),
                "1 to 100",
                (1..=100).contains(&self.accounts),
            ),
        ];
        match rules.into_iter().find(|(.., holds)| !holds) {
            Some((field, given, allowed, _)) => Err(DrillError::Plan {
                field,
                given,
                allowed,
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> DrillPlan {
        let address = "127.0.0.1:8080".parse().unwrap();
        DrillPlan::new(DrillKind::TaskLoss, "local", address, "shop.localhost:8080")
    }

    #[test]
    fn the_defaults_of_every_drill_are_within_their_ranges() {
        for kind in DrillKind::ALL {
            DrillPlan {
                kind,
                mix: Mix::of(kind),
                ..plan()
            }
            .validate()
            .unwrap();
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        let no_requests = Mix {
            reads: 0,
            sessions: 0,
            tokens: 0,
            uploads: 0,
            logins: 0,
            whoami: 0,
        };
        for (field, broken) in [
            (
                "requests_per_second",
                DrillPlan {
                    requests_per_second: 501,
                    ..plan()
                },
            ),
            (
                "requests_per_second",
                DrillPlan {
                    requests_per_second: 0,
                    ..plan()
                },
            ),
            (
                "duration",
                DrillPlan {
                    duration: Duration::from_secs(901),
                    ..plan()
                },
            ),
            (
                "before",
                DrillPlan {
                    before: Duration::ZERO,
                    ..plan()
                },
            ),
            (
                "before + recovery_limit + after",
                DrillPlan {
                    recovery_limit: Duration::from_secs(890),
                    ..plan()
                },
            ),
            (
                "request_limit",
                DrillPlan {
                    request_limit: Duration::from_secs(61),
                    ..plan()
                },
            ),
            (
                "mix",
                DrillPlan {
                    mix: no_requests,
                    ..plan()
                },
            ),
            (
                "host",
                DrillPlan {
                    host: "shop\r\nX-Evil: 1".to_owned(),
                    ..plan()
                },
            ),
            (
                "visitors",
                DrillPlan {
                    visitors: 0,
                    ..plan()
                },
            ),
            (
                "accounts",
                DrillPlan {
                    accounts: 101,
                    ..plan()
                },
            ),
        ] {
            match broken.validate() {
                Err(DrillError::Plan { field: found, .. }) => assert_eq!(found, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_longest_drill_is_still_within_the_limit() {
        for seconds in [1, 6, 60, 900] {
            plan()
                .lasting(Duration::from_secs(seconds))
                .validate()
                .unwrap();
        }
    }
}
