//! Components: what an environment consists of besides tasks, what each needs first, and which are
//! to be started now. The decision is a pure function.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The VPC.
    Network,
    /// The internet gateway's way out.
    Internet,
    /// The resolver.
    Resolver,
    /// A node of the load balancer.
    LoadBalancer,
    /// The Bastion or an App Server.
    Shell,
    /// An empty database to copy.
    DatabaseTemplate,
    /// A member of the database cluster.
    Database,
    /// A member of a Redis cluster, by the cluster's name.
    Redis(String),
    /// A Memcached node.
    Memcached,
    /// Accounts and schemas in the database.
    Schemas,
    /// The readers follow the writer, and the writer waits for them.
    Replication,
    /// The release of an app, by the app's name.
    Release(String),
    /// The images of an app, by the app's name.
    Image(String),
    /// The first installation of an app, by the app's name.
    Install(String),
    /// The upgrade of an app's data to its release, by the app's name.
    Upgrade(String),
}

impl Kind {
    /// Whether it is a process that goes on, rather than something done once.
    pub fn is_server(&self) -> bool {
        !matches!(
            self,
            Self::Network
                | Self::DatabaseTemplate
                | Self::Schemas
                | Self::Replication
                | Self::Release(_)
                | Self::Image(_)
                | Self::Install(_)
                | Self::Upgrade(_)
        )
    }
}

/// A component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name, such as `db-0`.
    pub name: String,
    /// What it is, in one sentence.
    pub description: String,
    /// What it is.
    pub kind: Kind,
    /// The names of those that must be ready first.
    pub requires: Vec<String>,
}

/// How a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Not there yet.
    Absent,
    /// Being worked on.
    Working {
        /// Since when.
        since: Instant,
    },
    /// As it should be.
    Ready,
    /// Not to be there now: its zone is lost, or another takes over from it.
    Held {
        /// Why.
        reason: String,
    },
    /// Failed, and tried again later.
    Failed {
        /// Failures in a row.
        attempts: u32,
        /// When it is tried again.
        retry_at: Instant,
        /// Why it failed.
        reason: String,
    },
}

/// The pause before the next try after so many failures in a row: doubling from 100 ms to 30 s.
pub fn back_off(attempts: u32) -> Duration {
    let doubled = 100_u64.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    Duration::from_millis(doubled.min(30_000))
}

/// The components to start now: those that are not there or may be tried again, and whose
/// requirements are ready.
pub fn startable<'a>(
    components: &'a [Component],
    conditions: &BTreeMap<String, Condition>,
    now: Instant,
) -> Vec<&'a Component> {
    components
        .iter()
        .filter(|component| match conditions.get(&component.name) {
            None | Some(Condition::Absent) => waits_for(component, conditions).is_empty(),
            Some(Condition::Failed { retry_at, .. }) => {
                *retry_at <= now && waits_for(component, conditions).is_empty()
            }
            Some(Condition::Working { .. } | Condition::Ready | Condition::Held { .. }) => false,
        })
        .collect()
}

/// The requirements of a component that are not ready.
pub fn waits_for<'a>(
    component: &'a Component,
    conditions: &BTreeMap<String, Condition>,
) -> Vec<&'a str> {
    component
        .requires
        .iter()
        .filter(|name| conditions.get(*name) != Some(&Condition::Ready))
        .map(String::as_str)
        .collect()
}

/// When the next component that failed is due, if any.
pub fn next_retry(conditions: &BTreeMap<String, Condition>) -> Option<Instant> {
    conditions
        .values()
        .filter_map(|condition| match condition {
            Condition::Failed { retry_at, .. } => Some(*retry_at),
            _ => None,
        })
        .min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn component(name: &str, requires: &[&str]) -> Component {
        Component {
            name: name.to_owned(),
            description: String::new(),
            kind: Kind::Network,
            requires: requires.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn what_waits_is_not_started_and_what_failed_is_tried_later() {
        let now = Instant::now();
        let components = [
            component("network", &[]),
            component("db", &["network"]),
            component("shop", &["db"]),
        ];
        let names = |conditions: &BTreeMap<String, Condition>, at| {
            let found = startable(&components, conditions, at);
            found
                .iter()
                .map(|component| component.name.clone())
                .collect::<Vec<_>>()
        };
        let mut conditions = BTreeMap::new();
        assert_eq!(names(&conditions, now), ["network"]);
        conditions.insert("network".to_owned(), Condition::Working { since: now });
        assert!(names(&conditions, now).is_empty());
        conditions.insert("network".to_owned(), Condition::Ready);
        assert_eq!(names(&conditions, now), ["db"]);
        let retry_at = now + Duration::from_secs(1);
        let failed = Condition::Failed {
            attempts: 1,
            retry_at,
            reason: String::new(),
        };
        conditions.insert("db".to_owned(), failed);
        assert!(names(&conditions, now).is_empty());
        assert_eq!(names(&conditions, retry_at), ["db"]);
        assert_eq!(next_retry(&conditions), Some(retry_at));
    }

    proptest! {
        #[test]
        fn pauses_grow_and_stay_within_half_a_minute(attempts in 1_u32..200) {
            prop_assert!(back_off(attempts) <= back_off(attempts + 1));
            prop_assert!(back_off(attempts) >= Duration::from_millis(100));
            prop_assert!(back_off(attempts) <= Duration::from_secs(30));
        }
    }
}
