//! A reader of the database becomes the writer: the statements, in the order that loses no
//! acknowledged write.
//!
//! Semi-synchronous replication means that a reader has *received* a write before its client is
//! told, not that it has applied it. So a reader that is to be the writer first receives nothing
//! more, then applies all that it has, and only then forgets where it came from. All steps may be
//! taken again, since a supervisor can end between any two of them.

use std::time::{Duration, Instant};

use mck_blueprint::model::DatabaseCluster;
use mck_server_config::mariadb::{
    self, Output,
    gtid::Position,
    sql::{self, promote},
    status::{NODE_STATUS, REPLICA_STATUS, ThreadState},
};

use super::database::{self, DatabaseError, query};
use crate::{servers::Context, text::chain};

/// How long a reader may take to apply what it has, where the writer can be started again instead.
const APPLIED_WITHIN: Duration = Duration::from_secs(3);

/// The same, where the writer's zone is lost: nothing else has the acknowledged writes.
const APPLIED_WITHIN_WHEN_LOST: Duration = Duration::from_secs(600);

/// How long a living writer may take to let go, and its reader to follow up to there.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(5);

/// Why no reader became the writer.
#[derive(Debug, thiserror::Error)]
pub enum PromotionError {
    /// A member could not be talked to.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No reader can.
    #[error("no reader can be the writer: {0}")]
    NoReader(String),
    /// The reader has not applied in time what it has received.
    #[error("{reader} did not apply what it has received within {seconds} s")]
    Behind {
        /// The reader.
        reader: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

/// How far a reader is that receives nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The reader.
    pub reader: String,
    /// All that it has received.
    pub position: Position,
}

/// The reader that has received the most; of equal ones the first. All have received from one
/// writer in one order, so that of any two one has all that the other has.
pub fn most_advanced(readers: &[Received]) -> Option<&Received> {
    let mut best = readers.first()?;
    for reader in readers {
        if !best.position.reaches(&reader.position) {
            best = reader;
        }
    }
    Some(best)
}

/// Makes readers receive nothing more and tells which has the most.
///
/// # Errors
/// When none answers or can apply what it has.
pub fn choose(context: &Context, candidates: &[String]) -> Result<String, PromotionError> {
    let mut problems = Vec::new();
    let mut received = Vec::new();
    for reader in candidates {
        match stop_receiving(context, reader) {
            Ok(position) => received.push(Received {
                reader: reader.clone(),
                position,
            }),
            Err(reason) => problems.push(format!("{reader} {reason}")),
        }
    }
    let chosen = most_advanced(&received).map(|it| it.reader.clone());
    chosen.ok_or_else(|| PromotionError::NoReader(problems.join("; ")))
}

fn stop_receiving(context: &Context, reader: &str) -> Result<Position, String> {
    let statements = format!("{}{REPLICA_STATUS}", promote::STOP_RECEIVING);
    let printed = query(context, reader, &statements, Output::Fields);
    let printed = printed.map_err(|error| chain(&error))?;
    let status = mariadb::status::parse_replica_status(&printed);
    let status = status.map_err(|error| chain(&error))?;
    let status = status.ok_or_else(|| "follows nobody".to_owned())?;
    if status.applier != ThreadState::Yes {
        return Err(format!("applies nothing: {}", status.applier_error.1));
    }
    let position = status.gtid_io_position.parse::<Position>();
    position.map_err(|error| chain(&error))
}

/// Makes a reader the writer; it receives nothing more from then on. Well if it is the writer
/// already. `wait_for_reader` when there are other readers, which are told to follow it next.
///
/// # Errors
/// When it does not answer or does not apply in time what it has.
pub fn promote(
    context: &Context,
    writer: &str,
    wait_for_reader: bool,
    old_is_lost: bool,
) -> Result<(), PromotionError> {
    let statements = format!("{}{REPLICA_STATUS}", promote::STOP_RECEIVING);
    let printed = query(context, writer, &statements, Output::Fields)?;
    let status = mariadb::status::parse_replica_status(&printed).map_err(DatabaseError::from)?;
    if let Some(status) = status {
        let limit = if old_is_lost {
            APPLIED_WITHIN_WHEN_LOST
        } else {
            APPLIED_WITHIN
        };
        wait_until_applied(context, writer, &status.gtid_io_position, limit)?;
    }
    let become_writer = promote::become_writer(wait_for_reader);
    query(context, writer, &become_writer, Output::Rows)?;
    Ok(())
}

fn wait_until_applied(
    context: &Context,
    reader: &str,
    position: &str,
    limit: Duration,
) -> Result<(), PromotionError> {
    let deadline = Instant::now() + limit;
    let statement = promote::wait_until_applied(position, 1).map_err(DatabaseError::from)?;
    while Instant::now() < deadline {
        if query(context, reader, &statement, Output::Rows)?.trim() == "0" {
            return Ok(());
        }
    }
    Err(PromotionError::Behind {
        reader: reader.to_owned(),
        seconds: limit.as_secs(),
    })
}

/// Hands a living writer's place to a reader: no more writes, all of them received and applied by
/// the reader, then the reader is the writer. The old writer's clients are sent away, so that they
/// come back through the name. Well if it was handed over already.
///
/// # Errors
/// When a member does not answer or the reader does not get there in time.
pub fn hand_over(
    context: &Context,
    cluster: &DatabaseCluster,
    old: &str,
    new: &str,
) -> Result<(), PromotionError> {
    if database::node_status(context, new)?.read_only {
        let seconds = HANDED_OVER_WITHIN.as_secs();
        // Waits for commits under way, but not for a client that holds a table. In one connection,
        // since nobody can write from here until the reader is the writer.
        let statements = format!(
            "SET SESSION lock_wait_timeout={seconds};\n{}{}{NODE_STATUS}",
            sql::STOP_WRITES,
            end_connections(cluster)?
        );
        let printed = query(context, old, &statements, Output::Rows)?;
        let status = mariadb::status::parse_node_status(&printed).map_err(DatabaseError::from)?;
        let last = status.gtid_binlog_position;
        wait_until_applied(context, new, &last, HANDED_OVER_WITHIN)?;
    }
    promote(context, new, true, false)
}

/// Ends the connections of the apps to a member.
///
/// # Errors
/// When it does not answer.
pub fn send_clients_away(
    context: &Context,
    cluster: &DatabaseCluster,
    member: &str,
) -> Result<(), DatabaseError> {
    query(context, member, &end_connections(cluster)?, Output::Rows).map(drop)
}

fn end_connections(cluster: &DatabaseCluster) -> Result<String, DatabaseError> {
    let mut statements = String::new();
    for schema in &cluster.schemas {
        statements += &sql::end_connections(&schema.user)?;
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn received(reader: &str, position: &str) -> Received {
        Received {
            reader: reader.to_owned(),
            position: position.parse().unwrap(),
        }
    }

    #[test]
    fn the_most_advanced_reader_is_chosen() {
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
        let cases: [Case<'_>; 5] = [
            (&[], None),
            (&[("db-1", "")], Some("db-1")),
            (&[("db-1", "0-1-7"), ("db-2", "0-1-9")], Some("db-2")),
            (&[("db-1", "0-1-9"), ("db-2", "0-1-9")], Some("db-1")),
            (&[("db-1", "0-2-90"), ("db-2", "0-1-101")], Some("db-2")),
        ];
        for (readers, expected) in cases {
            let readers: Vec<_> = readers
                .iter()
                .map(|(name, position)| received(name, position))
                .collect();
            let chosen = most_advanced(&readers).map(|it| it.reader.as_str());
            assert_eq!(chosen, expected);
        }
    }

    proptest! {
        #[test]
        fn nobody_has_what_the_chosen_one_has_not(
            sequences in prop::collection::vec(1_u64..1_000, 1..5)
        ) {
            let readers: Vec<_> = sequences
                .iter()
                .map(|sequence| received("db", &format!("0-1-{sequence}")))
                .collect();
            let chosen = most_advanced(&readers).unwrap();
            prop_assert!(readers.iter().all(|it| chosen.position.reaches(&it.position)));
        }
    }
}
