//! Members of the database are asked how they are, again and again: whether readers still follow,
//! and whether each answers at all. A member that runs and does not answer, such as a process that
//! is stopped or waits for itself, keeps its clients waiting for ever; so it is killed, and its end
//! is answered as any other: for the writer, a reader takes over. Dead, it can't come back to life
//! and take writes beside the new writer.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    Supervisor,
    component::{Condition, Kind},
    components::names,
    database::{self, DatabaseError},
    failover::Step,
    mailbox::Message,
};
use crate::events::Level;

/// How often members are asked: well within the time that a commit waits for a reader.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// How many times in a row a member may be silent. A silent one is asked again at once.
const SILENT_TIMES: u8 = 3;

/// What members said of themselves.
#[derive(Debug, Default)]
pub(super) struct MemberChecks {
    /// When they were asked last.
    asked: Option<Instant>,
    /// Whether their answers are waited for.
    waiting: bool,
    /// Who did not answer, and how many times in a row.
    silent: Option<(String, u8)>,
}

impl MemberChecks {
    /// They need not be asked for a while.
    pub(super) fn put_off(&mut self) {
        self.asked = Some(Instant::now());
    }

    /// Whether they are to be asked now.
    fn is_due(&self) -> bool {
        let over = self.asked.is_none_or(|at| at.elapsed() >= CHECK_EVERY);
        !self.waiting && (over || self.silent.is_some())
    }

    /// Takes an answer on; gives the member that has been silent for too long.
    fn take(&mut self, silent: Option<String>) -> Option<String> {
        self.waiting = false;
        let before = self.silent.take();
        let member = silent?;
        let times = match before {
            Some((name, times)) if name == member => times + 1,
            _ => 1,
        };
        if times >= SILENT_TIMES {
            return Some(member);
        }
        self.silent = Some((member, times));
        None
    }
}

impl Supervisor {
    /// Asks the members that are due.
    pub(super) fn look_at_members(&mut self) {
        if !self.watch.members.is_due() {
            return;
        }
        let ready: Vec<String> = self
            .components
            .iter()
            .filter(|it| it.kind == Kind::Database && !self.is_lost(&it.name))
            .filter(|it| self.conditions.get(&it.name) == Some(&Condition::Ready))
            .map(|it| it.name.clone())
            .collect();
        let writer = self.writer_name();
        let settled = self.record.failover.is_none()
            && self.conditions.get(names::REPLICATION) == Some(&Condition::Ready);
        let following: Vec<String> = if settled && ready.contains(&writer) {
            self.record.synced.iter().cloned().collect()
        } else {
            Vec::new()
        };
        self.watch.members.put_off();
        self.watch.members.waiting = true;
        let (workshop, sender) = (self.workshop.clone(), self.mailbox.sender());
        thread::spawn(move || {
            let context = &workshop.context;
            let members = &context.blueprint.database.members;
            let readers: Vec<_> = members
                .iter()
                .filter(|it| following.contains(&it.name))
                .collect();
            let others = ready.iter().filter(|name| {
                readers.is_empty() || (**name != writer && !following.contains(name))
            });
            let mut result = Ok(());
            for member in others {
                result = result.and(database::node_status(context, member).map(drop));
            }
            if let Some(writer) = members.iter().find(|it| it.name == writer)
                && !readers.is_empty()
            {
                result =
                    result.and_then(|()| database::check_replication(context, writer, &readers));
            }
            sender.send(Message::Failover(Step::Checked(result)));
        });
    }

    pub(super) fn members_checked(&mut self, result: Result<(), DatabaseError>) {
        let silent = match &result {
            Err(DatabaseError::Silent { member, .. }) => Some(member.clone()),
            _ => None,
        };
        if let Some(member) = self.watch.members.take(silent) {
            return self.end_silent(&member);
        }
        let ready = self.conditions.get(names::REPLICATION) == Some(&Condition::Ready);
        match result {
            Err(DatabaseError::NotFollowing {
                reader,
                writer,
                reason,
            }) if ready && writer == self.writer_name() && self.is_running(&writer) => {
                self.note(
                    &reader,
                    Level::Warning,
                    format!("Does not follow {writer}: {reason}"),
                );
                self.distrust(&reader);
            }
            // A member that can't answer has ended or is about to.
            _ => {}
        }
    }

    fn end_silent(&mut self, member: &str) {
        if self.conditions.get(member) != Some(&Condition::Ready) || !self.is_running(member) {
            return;
        }
        self.note(
            member,
            Level::Warning,
            format!("Runs and has not answered {SILENT_TIMES} times: it is killed."),
        );
        self.workshop.runtime.signal(member, "SIGKILL");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_member_silent_again_and_again_is_given_up() {
        let mut checks = MemberChecks::default();
        let mut answers = |answers: &[Option<&str>]| {
            let taken = answers
                .iter()
                .map(|silent| checks.take(silent.map(str::to_owned)));
            taken.collect::<Vec<_>>()
        };
        assert_eq!(
            answers(&[Some("db-0"), Some("db-0"), None]),
            [None, None, None]
        );
        assert_eq!(
            answers(&[Some("db-0"), Some("db-1"), Some("db-0"), Some("db-0")]),
            [None, None, None, None]
        );
        assert_eq!(answers(&[Some("db-0")]), [Some("db-0".to_owned())]);
        assert_eq!(answers(&[Some("db-0")]), [None]);
    }

    #[test]
    fn a_silent_member_is_asked_again_at_once() {
        let mut checks = MemberChecks::default();
        assert!(checks.is_due());
        checks.put_off();
        assert!(!checks.is_due());
        checks.take(Some("db-0".to_owned()));
        assert!(checks.is_due());
        checks.waiting = true;
        assert!(!checks.is_due());
    }
}
