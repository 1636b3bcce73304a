//! Follows a stack until nothing is in progress any more.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    client::{Client, Described, Event},
    error::AwsError,
    failure::{Reason, first_reason},
    progress::{Progress, Reporter},
    status::{Phase, is_success},
};

/// CloudFormation itself gives most resources up before.
const DEADLINE: Duration = Duration::from_secs(6 * 3600);
/// The first wait between two looks; each is longer than the last.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// How long an operation that was asked for may take to show: until then the stack has its old
/// status.
const BEGINNING: Duration = Duration::from_secs(20);
/// The longest wait between two looks.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Waits that grow.
pub(crate) struct Waits {
    next: Duration,
    end: Instant,
}

impl Waits {
    /// Waits until a deadline, from now.
    pub(crate) fn until(deadline: Duration) -> Self {
        Self {
            next: FIRST_WAIT,
            end: Instant::now() + deadline,
        }
    }

    /// Waits once more; false where the deadline has passed.
    pub(crate) async fn wait(&mut self) -> bool {
        if Instant::now() >= self.end {
            return false;
        }
        sleep(self.next).await;
        self.next = (self.next * 3 / 2).min(LONGEST_WAIT);
        true
    }
}

/// Which events are the operation's.
#[derive(Debug, Clone)]
pub(crate) enum Since {
    /// Those after the one of that id; all where there was none.
    Event(Option<String>),
    /// Those from the stack's own last beginning.
    OperationStart,
}

impl Since {
    /// Events before the operation end the reading.
    fn is_enough(&self, event: &Event) -> bool {
        match self {
            Self::Event(id) => id.as_deref() == Some(event.id.as_str()),
            Self::OperationStart => is_start(event),
        }
    }
}

/// Whether an operation begins with this event.
pub(crate) fn is_start(event: &Event) -> bool {
    event.is_of_stack
        && matches!(
            event.status.as_str(),
            "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS"
        )
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// The stack's status; `DELETE_COMPLETE` where it is gone.
    pub(crate) status: String,
    /// Why, where it failed.
    pub(crate) reason: Option<Reason>,
}

impl Ended {
    /// Whether it ended as it was meant to.
    pub(crate) fn is_success(&self) -> bool {
        is_success(&self.status)
    }
}

/// The operation on a stack that is followed.
pub(crate) struct Following<'a> {
    pub(crate) client: &'a Client,
    pub(crate) reporter: &'a Reporter,
    /// The stack's id for people, such as `data`.
    pub(crate) label: &'a str,
    /// Its full name.
    pub(crate) name: &'a str,
    /// Its ARN, by which it is found even when it is gone.
    pub(crate) arn: &'a str,
}

impl Following<'_> {
    /// Reports each event once, until the stack is not in progress any more.
    pub(crate) async fn follow(&self, since: Since) -> Result<Ended, AwsError> {
        let mut waits = Waits::until(DEADLINE);
        let mut since = since;
        let mut seen: Vec<Event> = Vec::new();
        let is_under_way = matches!(since, Since::OperationStart);
        let latest = Instant::now() + BEGINNING;
        loop {
            // First the state, then the events: the last event is not missed.
            let there = self.client.describe(self.arn).await?;
            let fresh = self.fresh(&since, &seen).await?;
            if let Some(newest) = fresh.last() {
                since = Since::Event(Some(newest.id.clone()));
            }
            for event in &fresh {
                self.reporter.tell(Progress::of(self.label, event));
            }
            seen.extend(fresh);
            let has_begun = is_under_way
                || there.is_none()
                || seen.iter().any(|event| event.is_of_stack)
                || Instant::now() > latest;
            let status = there.map_or_else(|| "DELETE_COMPLETE".to_owned(), |it| it.status);
            if has_begun && Phase::of(&status) != Phase::InProgress {
                let failed = !is_success(&status);
                let reason = failed.then(|| first_reason(self.name, &seen)).flatten();
                return Ok(Ended { status, reason });
            }
            if !waits.wait().await {
                return Err(AwsError::Deadline {
                    what: "the operation",
                    stack: self.name.to_owned(),
                    seconds: DEADLINE.as_secs(),
                });
            }
        }
    }

    /// Events that were not seen yet, in the order in which they happened.
    async fn fresh(&self, since: &Since, seen: &[Event]) -> Result<Vec<Event>, AwsError> {
        let is_enough = |event: &Event| since.is_enough(event);
        let mut events = self.client.events(self.arn, &is_enough).await?;
        if matches!(since, Since::Event(_)) && events.last().is_some_and(is_enough) {
            events.pop();
        }
        events.retain(|event| seen.iter().all(|known| known.id != event.id));
        events.reverse();
        Ok(events)
    }
}

/// Who began what is in progress, and when.
pub(crate) struct Beginning {
    /// The token of its request; empty where there is none, such as from the console.
    pub(crate) by: String,
    /// In RFC 3339; empty where it is not known.
    since: String,
}

impl Beginning {
    pub(crate) fn busy(self, stack: &str, status: &str) -> AwsError {
        AwsError::Busy {
            stack: stack.to_owned(),
            status: status.to_owned(),
            since: self.since,
            by: self.by,
        }
    }
}

/// Who began what is in progress, and when.
pub(crate) async fn beginning(client: &Client, there: &Described) -> Result<Beginning, AwsError> {
    let events = client.events(&there.id, &is_start).await?;
    let start = events.into_iter().find(is_start);
    let (by, since) = start.map(|it| (it.token, it.time)).unwrap_or_default();
    Ok(Beginning { by, since })
}

/// The id of the stack's newest event.
pub(crate) async fn newest(client: &Client, arn: &str) -> Result<Option<String>, AwsError> {
    let events = client.events(arn, &|_| true).await?;
    Ok(events.into_iter().next().map(|event| event.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stacks_own_beginning_starts_an_operation() {
        let event = |is_of_stack: bool, status: &str| Event {
            id: "1".to_owned(),
            logical_id: "shop".to_owned(),
            kind: String::new(),
            status: status.to_owned(),
            reason: String::new(),
            token: String::new(),
            time: String::new(),
            is_of_stack,
        };
        assert!(is_start(&event(true, "UPDATE_IN_PROGRESS")));
        assert!(!is_start(&event(true, "UPDATE_ROLLBACK_IN_PROGRESS")));
        assert!(!is_start(&event(true, "REVIEW_IN_PROGRESS")));
        assert!(!is_start(&event(false, "CREATE_IN_PROGRESS")));
    }
}
