//! The database's writer changes: when its process ends, when its zone or server is lost, or when a
//! person asks.
//!
//! What is promised: a write that was acknowledged is not lost by the end of the writer. The record
//! names the readers that hold every acknowledged write (`synced`): the writer waits for them, and
//! they have had all since. Only such a reader becomes the writer. Before anything that ends this —
//! a reader's process ended, its replication broke — is answered by letting the writer go on
//! without it, the reader is taken off that list, so that no supervisor that comes after trusts it.
//!
//! While no reader follows, the writer goes on alone and says so in the events: "writes are in one
//! zone only". A store that takes no orders is worth less than one with a single copy; who wants
//! neither has two readers. It is switched at the moment the reader's process ends; a reader that
//! hangs is waited for, until `SEMI_SYNC_TIMEOUT` at most, after which MariaDB itself goes on alone;
//! the next check (`member_checks`) notices, so the window in which such a reader is still trusted
//! is that between two checks. The same is so while there is no supervisor.
//!
//! A failover is recorded from before its first step until the names point at the new writer. A
//! supervisor that is killed meanwhile is followed by one that goes on: each step can be taken
//! again. Without a reader to trust, the writer's process is started again where it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::SyncSender,
    thread,
    time::{Duration, Instant},
};

use super::{
    Supervisor,
    component::{Component, Condition, Kind},
    components::names,
    database::{DatabaseError, Replicating},
    mailbox::Message,
    member_checks::MemberChecks,
    promotion::{self, PromotionError},
    record::{Cause, Failover},
    redis_failover::Gone,
};
use crate::{container::ContainerState, events::Level, text::chain, wait};

/// The pause before another try, where the writer's zone is lost and nothing else can be done.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What a failover is waited for with.
pub type Reply = SyncSender<Result<(), String>>;

/// A step of a failover that was taken in a thread.
#[derive(Debug)]
pub enum Step {
    /// The reader to promote was looked for.
    Chosen(Result<String, PromotionError>),
    /// A reader was promoted.
    Promoted {
        /// The reader.
        to: String,
        /// How it went.
        result: Result<(), PromotionError>,
    },
    /// Members were asked how they are.
    Checked(Result<(), DatabaseError>),
}

/// What is known of failovers in memory only.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When the failover began.
    began: Option<Instant>,
    /// Who waits for it.
    replies: Vec<Reply>,
    /// Who asks for one and waits for the end of a backup, which keeps the writer from following.
    waiting: Vec<Reply>,
    /// Whether the chosen reader's process ended meanwhile, and with it what it had not applied.
    chosen_ended: bool,
    /// Whether replication changed while it was being worked on.
    replicate_again: bool,
    /// What the members said of themselves.
    pub(super) members: MemberChecks,
    /// Since when durable Redis clusters are without their primary.
    pub(super) redis_down: BTreeMap<String, Instant>,
}

/// What is done when the writer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// A reader becomes the writer.
    Promote,
    /// It is started again where it was.
    RestartInPlace,
    /// Nothing can be done until its zone is back.
    Wait,
}

/// What to do when the writer is gone, with so many readers that hold every acknowledged write.
pub fn respond(cause: Cause, synced_readers: usize) -> Response {
    match (cause, synced_readers) {
        (_, 1..) => Response::Promote,
        (Cause::Lost, 0) => Response::Wait,
        (Cause::Ended | Cause::Asked, 0) => Response::RestartInPlace,
    }
}

impl Supervisor {
    pub(super) fn writer_name(&self) -> String {
        super::writer(self.blueprint(), &self.record).to_owned()
    }

    pub(super) fn is_running(&self, name: &str) -> bool {
        matches!(
            self.workshop.runtime.state(name),
            ContainerState::Running { .. }
        )
    }

    /// Readers that hold every acknowledged write and run.
    fn candidates(&self) -> Vec<String> {
        let writer = self.writer_name();
        let members = self.blueprint().database.members.iter();
        members
            .map(|member| member.name.clone())
            .filter(|name| *name != writer && self.record.synced.contains(name))
            .filter(|name| !self.is_lost(name) && self.is_running(name))
            .collect()
    }

    /// Readers that can be told to follow.
    pub(super) fn running_readers(&self) -> Vec<String> {
        let writer = self.writer_name();
        let members = self.blueprint().database.members.iter();
        members
            .map(|member| member.name.clone())
            .filter(|name| *name != writer && !self.is_lost(name))
            .filter(|name| self.conditions.get(name) == Some(&Condition::Ready))
            .collect()
    }

    /// A member's process ended. Whether another takes over from it; else it is to be started again.
    pub(super) fn member_ended(&mut self, name: &str) -> bool {
        if name != self.writer_name() {
            self.reader_gone(name);
            return false;
        }
        self.writer_gone(Cause::Ended)
    }

    /// The writer is gone. Whether a reader takes over or nothing can be done now; else it is to be
    /// started again.
    pub(super) fn writer_gone(&mut self, cause: Cause) -> bool {
        if self.record.failover.is_some() {
            return true;
        }
        let candidates = self.candidates();
        match respond(cause, candidates.len()) {
            Response::Promote if self.begin_failover(cause, None) => {
                self.start_choosing(candidates, Duration::ZERO);
                true
            }
            Response::Wait => true,
            Response::Promote | Response::RestartInPlace => {
                self.forget_synced();
                false
            }
        }
    }

    /// A server could not be started: others take over what it was, where they can.
    pub(super) fn not_started(&mut self, component: &Component) {
        match &component.kind {
            Kind::Database if component.name == self.writer_name() => {
                self.writer_gone(Cause::Ended);
            }
            Kind::Redis(cluster) if self.is_primary(cluster, &component.name) => {
                self.primary_gone(cluster, Gone::NotBack);
            }
            _ => {}
        }
    }

    /// Records a failover; false where it can't be.
    fn begin_failover(&mut self, cause: Cause, to: Option<String>) -> bool {
        let from = self.writer_name();
        self.record.failover = Some(Failover {
            from: from.clone(),
            to,
            cause,
        });
        if !self.save() {
            self.record.failover = None;
            return false;
        }
        self.watch.began = Some(Instant::now());
        self.watch.chosen_ended = false;
        if cause != Cause::Asked {
            self.hold(&from, "a reader takes over from it");
            self.note(
                &from,
                Level::Warning,
                "The writer is gone: a reader takes over.",
            );
        }
        true
    }

    fn start_choosing(&self, candidates: Vec<String>, pause: Duration) {
        let Some(failover) = self.record.failover.clone() else {
            return;
        };
        let (workshop, sender) = (self.workshop.clone(), self.mailbox.sender());
        thread::spawn(move || {
            wait::pause(pause);
            // Whatever is left of it must not take a write that the new writer does not know.
            let _ =
                workshop
                    .runtime
                    .signal_and_wait(&failover.from, "SIGKILL", Duration::from_secs(5));
            let chosen = promotion::choose(&workshop.context, &candidates);
            sender.send(Message::Failover(Step::Chosen(chosen)));
        });
    }

    fn start_promoting(&self, to: String) {
        let Some(failover) = self.record.failover.clone() else {
            return;
        };
        let others = self.blueprint().database.members.iter().any(|member| {
            member.name != to && member.name != failover.from && self.is_running(&member.name)
        });
        let (workshop, sender) = (self.workshop.clone(), self.mailbox.sender());
        thread::spawn(move || {
            let context = &workshop.context;
            let result = match failover.cause {
                Cause::Asked => {
                    let cluster = &context.blueprint.database;
                    promotion::hand_over(context, cluster, &failover.from, &to)
                }
                cause => promotion::promote(context, &to, others, cause == Cause::Lost),
            };
            sender.send(Message::Failover(Step::Promoted { to, result }));
        });
    }

    /// Goes on with a failover.
    pub(super) fn failover_step(&mut self, step: Step) {
        match step {
            Step::Chosen(Ok(to)) => {
                if let Some(failover) = &mut self.record.failover {
                    failover.to = Some(to.clone());
                    self.save();
                    self.start_promoting(to);
                }
            }
            Step::Chosen(Err(error)) => self.failover_failed(None, chain(&error)),
            Step::Promoted {
                to,
                result: Err(error),
            } => {
                self.failover_failed(Some(&to), chain(&error));
            }
            Step::Promoted { to, result: Ok(()) } if self.watch.chosen_ended => {
                let reason = format!("{to} ended in the middle");
                self.failover_failed(Some(&to), reason);
            }
            Step::Promoted { to, result: Ok(()) } => self.failover_done(&to),
            Step::Checked(result) => self.members_checked(result),
        }
    }

    /// The reader is the writer: the names point at it, the others follow it.
    fn failover_done(&mut self, to: &str) {
        let Some(failover) = self.record.failover.take() else {
            return;
        };
        self.record.writer = Some(to.to_owned());
        self.record.synced.clear();
        // What is not written down now is done again by the next supervisor, which changes nothing.
        self.save();
        self.publish_endpoints();
        self.components = super::components_of(&self.workshop, &self.record);
        self.release_hold(&failover.from);
        let took = self
            .watch
            .began
            .take()
            .map(|began| began.elapsed().as_millis());
        let took = took.map_or_else(String::new, |took| format!(", after {took} ms"));
        self.note(
            to,
            Level::Info,
            format!("Is the writer now, instead of {}{took}.", failover.from),
        );
        if failover.cause == Cause::Asked {
            self.send_clients_away(failover.from);
        }
        self.run_replication();
        self.answer_failover(&Ok(()));
    }

    /// Those that came back to the old writer before the names pointed elsewhere come again.
    fn send_clients_away(&self, member: String) {
        let workshop = self.workshop.clone();
        thread::spawn(move || {
            let cluster = &workshop.context.blueprint.database;
            // A member that does not answer has no clients.
            let _ = promotion::send_clients_away(&workshop.context, cluster, &member);
        });
    }

    fn answer_failover(&mut self, answer: &Result<(), String>) {
        for reply in std::mem::take(&mut self.watch.replies) {
            self.answer(&reply, answer.clone());
        }
    }

    /// No reader became the writer. One that was told half of it is trusted no more.
    fn failover_failed(&mut self, to: Option<&str>, reason: String) {
        let Some(failover) = self.record.failover.clone() else {
            return;
        };
        self.note(
            &failover.from,
            Level::Warning,
            format!("No reader took over: {reason}"),
        );
        let lost = failover.cause == Cause::Lost;
        let candidates = self.candidates();
        if lost && !candidates.is_empty() {
            // Nobody else has the acknowledged writes.
            return self.start_choosing(candidates, TRY_AGAIN_AFTER);
        }
        let asked_and_ended = failover.cause == Cause::Asked && !self.is_running(&failover.from);
        self.record.failover = None;
        match to {
            // It is asked again how far it is.
            Some(_) if asked_and_ended => {}
            Some(to) => drop(self.record.synced.remove(to)),
            None => self.record.synced.clear(),
        }
        self.save();
        self.answer_failover(&Err(reason));
        if failover.cause == Cause::Asked && !asked_and_ended {
            // Makes the writer write again, and all others follow it.
            return self.run_replication();
        }
        let cause = if lost { Cause::Lost } else { Cause::Ended };
        if !self.writer_gone(cause) {
            self.restart_at_once(&failover.from, "no reader could take over".to_owned());
        }
    }

    /// Nobody is trusted any more.
    fn forget_synced(&mut self) {
        if !self.record.synced.is_empty() {
            self.record.synced.clear();
            self.save();
        }
    }

    /// Starts a server again without a pause, the first time.
    pub(super) fn restart_at_once(&mut self, name: &str, reason: String) {
        self.component_failed(name, reason);
        if let Some(Condition::Failed {
            attempts: 1,
            retry_at,
            ..
        }) = self.conditions.get_mut(name)
        {
            *retry_at = Instant::now();
        }
    }

    /// Goes on with what an earlier supervisor was in the midst of. To be called before anything is
    /// started.
    pub(super) fn resume_failover(&mut self) {
        let (synced, _): (BTreeSet<_>, BTreeSet<_>) = self
            .record
            .synced
            .iter()
            .cloned()
            .partition(|name| self.is_running(name));
        self.record.synced = synced;
        let Some(mut failover) = self.record.failover.clone() else {
            self.save();
            return;
        };
        self.watch.began = Some(Instant::now());
        if failover.cause == Cause::Asked && !self.is_running(&failover.from) {
            failover.cause = Cause::Ended;
        }
        // The process that was chosen must be the one that is there.
        failover.to = failover.to.filter(|to| self.record.synced.contains(to));
        self.record.failover = Some(failover.clone());
        self.save();
        if failover.cause != Cause::Asked {
            self.hold(&failover.from, "a reader takes over from it");
        }
        let candidates = self.candidates();
        match failover.to {
            Some(to) => self.start_promoting(to),
            None if failover.cause == Cause::Asked => {
                self.failover_failed(None, "the reader that was chosen has ended".to_owned());
            }
            None => self.start_choosing(candidates, Duration::ZERO),
        }
    }

    /// A person asks for another writer.
    pub(super) fn fail_over(&mut self, reply: Reply) {
        if self.backups.is_working() {
            self.watch.waiting.push(reply);
            return;
        }
        match self.hand_over() {
            Ok(()) => self.watch.replies.push(reply),
            Err(reason) => {
                // A client that has gone does not need the answer.
                let _ = reply.send(Err(reason));
            }
        }
    }

    /// Begins what was asked for during a backup.
    pub(super) fn look_at_waiting(&mut self) {
        if !self.backups.is_working() {
            for reply in std::mem::take(&mut self.watch.waiting) {
                self.fail_over(reply);
            }
        }
    }

    /// Whether the writer is changing or has no reader that follows.
    pub(super) fn is_changing_writer(&self) -> bool {
        self.record.failover.is_some()
            || matches!(
                self.conditions.get(names::REPLICATION),
                Some(Condition::Working { .. } | Condition::Absent)
            )
    }

    fn hand_over(&mut self) -> Result<(), String> {
        if self.blueprint().database.members.len() < 2 {
            return Err("the database has no reader".to_owned());
        }
        if self.record.failover.is_some() {
            return Err("a failover is under way".to_owned());
        }
        let ready = |name: &str| self.conditions.get(name) == Some(&Condition::Ready);
        let writer = self.writer_name();
        if !ready(&writer) {
            return Err(format!("the writer, {writer}, is not ready"));
        }
        let working = matches!(
            self.conditions.get(names::REPLICATION),
            Some(Condition::Working { .. })
        );
        let candidate = self
            .candidates()
            .into_iter()
            .find(|name| ready(name) && !working);
        let to = candidate.ok_or("no reader holds all writes at the moment")?;
        if !self.begin_failover(Cause::Asked, Some(to.clone())) {
            return Err("the state can't be written".to_owned());
        }
        self.note(&writer, Level::Info, format!("Hands over to {to}."));
        self.start_promoting(to);
        Ok(())
    }

    /// A reader's process is gone, and with it what it had not applied.
    pub(super) fn reader_gone(&mut self, name: &str) {
        if self
            .record
            .failover
            .as_ref()
            .is_some_and(|it| it.to.as_deref() == Some(name))
        {
            self.watch.chosen_ended = true;
        }
        self.distrust(name);
    }

    pub(super) fn distrust(&mut self, name: &str) {
        if self.record.synced.remove(name) {
            self.save();
            if self.record.synced.is_empty() && self.record.failover.is_none() {
                let message = "Writes are in one zone only until a reader follows again.";
                self.note(names::REPLICATION, Level::Warning, message);
            }
            if self.record.failover.is_none() {
                self.publish_endpoints();
                self.run_replication();
            }
        }
    }

    /// Looks after replication at once, with the readers that run.
    pub(super) fn run_replication(&mut self) {
        let component = self
            .components
            .iter()
            .find(|it| it.kind == Kind::Replication)
            .cloned();
        let Some(component) = component else { return };
        if matches!(
            self.conditions.get(&component.name),
            Some(Condition::Working { .. })
        ) {
            self.watch.replicate_again = true;
        } else {
            let since = Instant::now();
            self.conditions
                .insert(component.name.clone(), Condition::Working { since });
            self.start_work(component);
        }
    }

    /// Who follows the writer is known again.
    pub(super) fn replication_done(&mut self, component: &Component, outcome: Replicating) {
        let absent = |it: &mut Self| {
            it.conditions
                .insert(component.name.clone(), Condition::Absent);
        };
        if outcome.writer != self.writer_name() || self.record.failover.is_some() {
            return absent(self);
        }
        let running = self.running_readers();
        let (synced, gone): (Vec<String>, Vec<String>) = outcome
            .synced
            .into_iter()
            .partition(|name| running.contains(name));
        self.take_synced(synced);
        if std::mem::take(&mut self.watch.replicate_again) || !gone.is_empty() {
            absent(self);
            return self.run_replication();
        }
        self.watch.members.put_off();
        if !outcome.problems.is_empty() {
            return self.component_failed(&component.name, outcome.problems.join("; "));
        }
        let there = self
            .blueprint()
            .database
            .members
            .iter()
            .filter(|it| !self.is_lost(&it.name));
        if self.record.synced.len() + 1 >= there.count() {
            self.component_ready(component);
        } else {
            absent(self);
        }
    }

    fn take_synced(&mut self, synced: Vec<String>) {
        let before = std::mem::replace(&mut self.record.synced, synced.into_iter().collect());
        if before != self.record.synced {
            self.save();
        }
        self.publish_endpoints();
        if before == self.record.synced || self.record.synced.is_empty() {
            return;
        }
        let readers: Vec<String> = self.record.synced.iter().cloned().collect();
        let writer = self.writer_name();
        self.note(
            names::REPLICATION,
            Level::Info,
            format!(
                "Each commit on {writer} waits for {}.",
                readers.join(" or ")
            ),
        );
    }

    /// Replication could not be looked after.
    pub(super) fn replication_failed(&mut self, error: &DatabaseError) {
        let name = names::REPLICATION;
        self.watch.replicate_again = false;
        if self.record.failover.is_some() || !self.is_running(&self.writer_name()) {
            // The end of the writer's process is what there is to answer.
            self.conditions.insert(name.to_owned(), Condition::Absent);
            return;
        }
        self.component_failed(name, chain(error));
        if let DatabaseError::NotFollowing { reader, .. } = error {
            self.distrust(reader);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_reader_takes_over_and_a_lost_writer_is_not_started() {
        let cases = [
            (Cause::Ended, 0, Response::RestartInPlace),
            (Cause::Ended, 1, Response::Promote),
            (Cause::Asked, 0, Response::RestartInPlace),
            (Cause::Asked, 2, Response::Promote),
            (Cause::Lost, 0, Response::Wait),
            (Cause::Lost, 1, Response::Promote),
        ];
        for (cause, readers, expected) in cases {
            assert_eq!(respond(cause, readers), expected, "{cause:?} {readers}");
        }
    }
}
