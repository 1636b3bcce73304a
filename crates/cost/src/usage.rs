//! What visitors and operators do in a month, as far as it costs.

use serde::Serialize;

/// Assumptions about a month's use; amounts are a month's unless told otherwise.
///
/// The defaults are those of a small shop: some two page views a second in the mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Requests of visitors, those for images and scripts included.
    pub requests: f64,
    /// Data that visitors get, in GB.
    pub delivered_gb: f64,
    /// The share of requests and data that the CDN answers by itself, in percent.
    pub cached_percent: f64,
    /// Data through NAT gateways in both directions, in GB: images, packages, calls of vendors.
    pub nat_gb: f64,
    /// Data from one zone to another, in GB: load balancer to tasks, tasks to database and caches.
    pub cross_zone_gb: f64,
    /// Data through each kind of interface endpoint, in GB.
    pub endpoint_gb: f64,
    /// Data in the database, in GB.
    pub database_gb: f64,
    /// Reads and writes of the database's storage, in millions.
    pub database_io_millions: f64,
    /// Backups of the database beyond its own size, which is free, in GB.
    pub database_backup_gb: f64,
    /// Media in the shared file system, in GB.
    pub media_gb: f64,
    /// Media that tasks read from it, in GB.
    pub media_read_gb: f64,
    /// Media that tasks write to it, in GB.
    pub media_written_gb: f64,
    /// Data in Jenkins' file system, in GB.
    pub jenkins_gb: f64,
    /// Data in the message broker's queues on each node, in GB.
    pub broker_gb: f64,
    /// Files in the static bucket, in GB.
    pub static_gb: f64,
    /// Logs of apps, servers and data stores, in GB.
    pub log_gb: f64,
    /// VPC flow logs, in GB.
    pub flow_log_gb: f64,
    /// Images of releases in the registry, in GB.
    pub images_gb: f64,
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            requests: 10_000_000.0,
            delivered_gb: 500.0,
            cached_percent: 80.0,
            nat_gb: 100.0,
            cross_zone_gb: 250.0,
            endpoint_gb: 10.0,
            database_gb: 50.0,
            database_io_millions: 100.0,
            database_backup_gb: 50.0,
            media_gb: 50.0,
            media_read_gb: 100.0,
            media_written_gb: 5.0,
            jenkins_gb: 20.0,
            broker_gb: 5.0,
            static_gb: 5.0,
            log_gb: 20.0,
            flow_log_gb: 10.0,
            images_gb: 10.0,
        }
    }
}

/// One assumption, for help and reference pages.
#[derive(Debug, Clone, Copy)]
pub struct UsageKey {
    /// Its name on the command line, such as `nat-gb`.
    pub name: &'static str,
    /// What it is, with its unit.
    pub meaning: &'static str,
    field: fn(&mut Usage) -> &mut f64,
}

const fn key(
    name: &'static str,
    meaning: &'static str,
    field: fn(&mut Usage) -> &mut f64,
) -> UsageKey {
    UsageKey {
        name,
        meaning,
        field,
    }
}

const KEYS: [UsageKey; 18] = [
    key("requests", "requests of visitors", |it| &mut it.requests),
    key("delivered-gb", "GB that visitors get", |it| {
        &mut it.delivered_gb
    }),
    key(
        "cached-percent",
        "percent of that which the CDN answers",
        |it| &mut it.cached_percent,
    ),
    key("nat-gb", "GB through NAT gateways", |it| &mut it.nat_gb),
    key("cross-zone-gb", "GB from one zone to another", |it| {
        &mut it.cross_zone_gb
    }),
    key("endpoint-gb", "GB through each interface endpoint", |it| {
        &mut it.endpoint_gb
    }),
    key("database-gb", "GB in the database", |it| {
        &mut it.database_gb
    }),
    key(
        "database-io-millions",
        "millions of reads and writes of the database's storage",
        |it| &mut it.database_io_millions,
    ),
    key(
        "database-backup-gb",
        "GB of database backups beyond the free ones",
        |it| &mut it.database_backup_gb,
    ),
    key("media-gb", "GB of media", |it| &mut it.media_gb),
    key("media-read-gb", "GB of media that tasks read", |it| {
        &mut it.media_read_gb
    }),
    key("media-written-gb", "GB of media that tasks write", |it| {
        &mut it.media_written_gb
    }),
    key("jenkins-gb", "GB of Jenkins' home", |it| &mut it.jenkins_gb),
    key("broker-gb", "GB of queues on each broker node", |it| {
        &mut it.broker_gb
    }),
    key("static-gb", "GB in the static bucket", |it| {
        &mut it.static_gb
    }),
    key("log-gb", "GB of logs", |it| &mut it.log_gb),
    key("flow-log-gb", "GB of VPC flow logs", |it| {
        &mut it.flow_log_gb
    }),
    key("images-gb", "GB of images in the registry", |it| {
        &mut it.images_gb
    }),
];

/// An assumption that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// Not `key=value`.
    #[error("`{0}` is not an assumption such as `nat-gb=200`")]
    NotAPair(String),
    /// No key of that name.
    #[error("there is no assumption `{name}`; {}", meant(.closest, .known))]
    UnknownKey {
        /// The name.
        name: String,
        /// The key that was meant, if one is close.
        closest: Option<&'static str>,
        /// All keys.
        known: Vec<&'static str>,
    },
    /// Not a number, below zero, or more than a share can be.
    #[error("`{name}` takes a number from 0 {}, not `{value}`", up_to(.name))]
    NotANumber {
        /// The key.
        name: &'static str,
        /// The value.
        value: String,
    },
}

fn meant(closest: &Option<&'static str>, known: &[&'static str]) -> String {
    match closest {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are {}", known.join(", ")),
    }
}

fn up_to(name: &str) -> &'static str {
    if is_share(name) { "to 100" } else { "up" }
}

fn is_share(name: &str) -> bool {
    name.ends_with("-percent")
}

impl Usage {
    /// All assumptions, in the order in which they are shown.
    pub const fn keys() -> &'static [UsageKey] {
        &KEYS
    }

    /// The value of an assumption.
    pub fn get(&self, key: &UsageKey) -> f64 {
        *(key.field)(&mut self.clone())
    }

    /// Changes one assumption, given as `key=value` with a number from 0 up.
    ///
    /// # Errors
    /// Where it is no such pair, the key is not known, or the value is not such a number.
    pub fn set(&mut self, pair: &str) -> Result<(), UsageError> {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| UsageError::NotAPair(pair.to_owned()))?;
        let key = KEYS
            .iter()
            .find(|key| key.name == name)
            .ok_or_else(|| unknown(name))?;
        let number = value.replace('_', "").parse::<f64>().ok();
        let most = if is_share(key.name) { 100.0 } else { f64::MAX };
        match number {
            Some(number) if (0.0..=most).contains(&number) => {
                *(key.field)(self) = number;
                Ok(())
            }
            _ => Err(UsageError::NotANumber {
                name: key.name,
                value: value.to_owned(),
            }),
        }
    }
}

fn unknown(name: &str) -> UsageError {
    let known: Vec<&'static str> = KEYS.iter().map(|key| key.name).collect();
    let closest = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), *known))
        .filter(|(edits, known)| edits * 3 <= known.len())
        .min();
    UsageError::UnknownKey {
        name: name.to_owned(),
        closest: closest.map(|(_, known)| known),
        known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_key_and_every_key_its_own_field() {
        let mut usage = Usage::default();
        for (number, key) in KEYS.iter().enumerate() {
            usage.set(&format!("{}={number}", key.name)).unwrap();
        }
        for (number, key) in KEYS.iter().enumerate() {
            assert_eq!(
                usage.get(key).to_string(),
                number.to_string(),
                "{}",
                key.name
            );
        }
        let fields = serde_json::to_value(&usage).unwrap();
        let fields: Vec<&String> = fields.as_object().unwrap().keys().collect();
        assert_eq!(fields, KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_not_an_assumption_is_refused_with_what_is() {
        let told = [
            "nat-gb",
            "nat-bg=1",
            "planets=9",
            "nat-gb=-1",
            "nat-gb=NaN",
            "cached-percent=101",
        ]
        .map(|pair| Usage::default().set(pair).unwrap_err().to_string());
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn numbers_may_have_separators() {
        let mut usage = Usage::default();
        usage.set("requests=25_000_000").unwrap();
        assert!((usage.requests - 25_000_000.0).abs() < f64::EPSILON);
    }
}
