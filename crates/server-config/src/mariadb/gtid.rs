//! Global transaction ids: which transactions a server, a snapshot or a binary log has.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// A transaction's id: `domain-server-sequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gtid {
    /// The replication domain; 0 in a cluster with one writer.
    pub domain: u32,
    /// Number of the server that wrote it first.
    pub server: u32,
    /// Its place in the domain, from 1, ever rising.
    pub sequence: u64,
}

impl fmt::Display for Gtid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            server,
            sequence,
        } = self;
        write!(formatter, "{domain}-{server}-{sequence}")
    }
}

/// A text that is no GTID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a GTID such as `0-1-42`")]
pub struct NotAGtid(String);

impl FromStr for Gtid {
    type Err = NotAGtid;

    fn from_str(text: &str) -> Result<Self, NotAGtid> {
        let parse = || {
            let mut parts = text.split('-');
            let gtid = Self {
                domain: parts.next()?.parse().ok()?,
                server: parts.next()?.parse().ok()?,
                sequence: parts.next()?.parse().ok()?,
            };
            parts.next().is_none().then_some(gtid)
        };
        parse().ok_or_else(|| NotAGtid(text.to_owned()))
    }
}

/// A point in the history of writes: the last transaction of each domain. Written `0-1-42,1-1-7`;
/// empty before the first transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position(BTreeMap<u32, Gtid>);

impl Position {
    /// Moves on to a transaction.
    pub fn set(&mut self, gtid: Gtid) {
        self.0.insert(gtid.domain, gtid);
    }

    /// The last transaction of each domain.
    pub fn iter(&self) -> impl Iterator<Item = &Gtid> {
        self.0.values()
    }

    /// The last transaction of a domain.
    pub fn last(&self, domain: u32) -> Option<&Gtid> {
        self.0.get(&domain)
    }

    /// Whether it is before the first transaction.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is at or after the other one in each domain.
    pub fn reaches(&self, other: &Self) -> bool {
        other.iter().all(|theirs| {
            self.last(theirs.domain)
                .is_some_and(|ours| ours.sequence >= theirs.sequence)
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, gtid) in self.0.values().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{gtid}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = NotAGtid;

    fn from_str(text: &str) -> Result<Self, NotAGtid> {
        let mut position = Self::default();
        for part in text.split(',').map(str::trim) {
            if !part.is_empty() {
                position.set(part.parse()?);
            }
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Position {
        text.parse().unwrap()
    }

    #[test]
    fn positions_are_compared_by_domain() {
        assert!(at("0-1-5").reaches(&at("")));
        assert!(at("0-2-5,1-1-1").reaches(&at("0-1-5")));
        assert!(!at("0-2-5").reaches(&at("0-1-5,1-1-1")));
        assert!(!at("0-2-4").reaches(&at("0-1-5")));
        for bad in ["0-1", "0-1-2-3", "a-b-c", "'"] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_position_comes_back_as_it_was_written(
            gtids in prop::collection::vec((0_u32..4, any::<u32>(), any::<u64>()), 0..5)
        ) {
            let mut position = Position::default();
            for (domain, server, sequence) in gtids {
                position.set(Gtid { domain, server, sequence });
            }
            prop_assert_eq!(at(&position.to_string()), position);
        }
    }
}
