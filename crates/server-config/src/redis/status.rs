//! What an instance says about its replication.

use std::collections::HashMap;
use std::net::IpAddr;
use std::str::FromStr;

/// The section `replication` of `INFO`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicationStatus {
    /// Takes writes.
    Primary {
        /// Bytes written to the stream of replication.
        offset: u64,
        /// Those who copy it.
        replicas: Vec<ReplicaStatus>,
    },
    /// Copies a primary.
    Replica {
        /// Name or address of the primary.
        primary: String,
        /// Its port.
        port: u16,
        /// Whether the connection to it stands.
        connected: bool,
        /// Whether the first copy is under way.
        copying: bool,
        /// Bytes of the stream of replication that it has: of two replicas the one with more is the
        /// one to promote.
        offset: u64,
    },
}

/// A replica as its primary sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// Its announced address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Whether it has a copy and follows.
    pub online: bool,
    /// Bytes that it has acknowledged.
    pub offset: u64,
    /// Seconds since it did so.
    pub lag_seconds: u64,
}

/// An answer that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// A field is missing.
    #[error("the status has no field {0:?}")]
    NoField(&'static str),
    /// A value is not what its field holds.
    #[error("the status has {value:?} as {field:?}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// What was there.
        value: String,
    },
}

/// Reads the answer to [`super::INFO_REPLICATION`].
///
/// # Errors
/// [`StatusError`] when it is something else.
pub fn parse_info_replication(info: &str) -> Result<ReplicationStatus, StatusError> {
    let fields: HashMap<&str, &str> = info
        .lines()
        .filter_map(|line| line.trim_end().split_once(':'))
        .collect();
    match text(&fields, "role")? {
        "master" => Ok(ReplicationStatus::Primary {
            offset: parsed(&fields, "master_repl_offset")?,
            replicas: replicas(info)?,
        }),
        "slave" => Ok(ReplicationStatus::Replica {
            primary: text(&fields, "master_host")?.to_owned(),
            port: parsed(&fields, "master_port")?,
            connected: text(&fields, "master_link_status")? == "up",
            copying: text(&fields, "master_sync_in_progress")? == "1",
            offset: parsed(&fields, "slave_repl_offset")?,
        }),
        role => Err(StatusError::Value {
            field: "role",
            value: role.to_owned(),
        }),
    }
}

/// Lines such as `slave0:ip=172.31.7.20,port=6379,state=online,offset=42,lag=0`.
fn replicas(info: &str) -> Result<Vec<ReplicaStatus>, StatusError> {
    info.lines()
        .filter_map(|line| line.trim_end().strip_prefix("slave")?.split_once(':'))
        .filter(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
        .map(|(_, list)| {
            let fields: HashMap<&str, &str> = list
                .split(',')
                .filter_map(|field| field.split_once('='))
                .collect();
            Ok(ReplicaStatus {
                address: parsed(&fields, "ip")?,
                port: parsed(&fields, "port")?,
                online: text(&fields, "state")? == "online",
                offset: parsed(&fields, "offset")?,
                lag_seconds: parsed(&fields, "lag")?,
            })
        })
        .collect()
}

fn text<'a>(fields: &HashMap<&str, &'a str>, field: &'static str) -> Result<&'a str, StatusError> {
    fields
        .get(field)
        .copied()
        .ok_or(StatusError::NoField(field))
}

fn parsed<T: FromStr>(fields: &HashMap<&str, &str>, field: &'static str) -> Result<T, StatusError> {
    let value = text(fields, field)?;
    value.parse().map_err(|_| StatusError::Value {
        field,
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_error_is_no_status() {
        let error = parse_info_replication("NOAUTH Authentication required.\n").unwrap_err();
        assert_eq!(error, StatusError::NoField("role"));
    }

    proptest! {
        #[test]
        fn no_input_panics(text in "(role:(master|slave)\n)?(slave0:)?[a-z=,:0-9\n]{0,60}") {
            let _ = parse_info_replication(&text);
        }
    }
}
