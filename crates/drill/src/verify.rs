//! After the load: is all there that was acknowledged?

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::customer::Customer;
use crate::http::{Client, Cookies, Request, Response};
use crate::ledger::Entries;
use crate::outcome::Failure;
use crate::report::{Kept, Writes};
use crate::shop::{expect_status, is_picture, session_of};
use crate::stop::StopFlag;
use crate::visitor::Visitor;

const PAGE_SIZE: u64 = 1000;
const MAXIMUM_EXAMPLES: usize = 20;
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);
/// A database that lost rows may give their numbers again: the list begins well before the first.
const MARGIN: u64 = 1000;

/// What a load leaves to be looked up.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    pub(crate) client: Client,
    pub(crate) entries: Entries,
    pub(crate) visitors: Vec<Visitor>,
    pub(crate) customers: Vec<Customer>,
    /// The number of the row that was written before the load.
    pub(crate) first_id: u64,
}

/// What of it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) writes: Writes,
    pub(crate) sessions: Kept,
    pub(crate) uploads: Kept,
}

/// Looks everything up, and asks again where the store does not answer yet, until `deadline`. What
/// could not be looked up by then is counted as not verified: neither kept nor lost.
pub(crate) fn verify(acknowledged: Acknowledged, deadline: Instant) -> Verified {
    let Acknowledged {
        client,
        entries,
        visitors,
        customers,
        first_id,
    } = acknowledged;
    let mut verified = Verified::default();
    verified.sessions.acknowledged = entries.lost_sessions.len() as u64;
    verified.sessions.lost = entries.lost_sessions.len() as u64;
    verified.sessions.examples = entries
        .lost_sessions
        .iter()
        .take(MAXIMUM_EXAMPLES)
        .cloned()
        .collect();
    let verifier = Verifier { client, deadline };
    verified.writes = verifier.check_tokens(&entries, first_id);
    verifier.check_sessions(
        entries.retired.into_iter().chain(visitors),
        &mut verified.sessions,
    );
    verifier.check_logins(customers, &mut verified.sessions);
    for upload in &entries.uploads {
        let found = verifier.until_known(|deadline| {
            let answer = verifier.get(&upload.path, &mut Cookies::default(), deadline);
            match answer {
                Ok(answer) if answer.status == 200 => Some(is_picture(&answer, upload).is_ok()),
                Ok(answer) if answer.status == 404 => Some(false),
                _ => None,
            }
        });
        note(&mut verified.uploads, found, || upload.path.clone());
    }
    verified
}

struct Verifier {
    client: Client,
    deadline: Instant,
}

impl Verifier {
    fn check_tokens(&self, entries: &Entries, first_id: u64) -> Writes {
        let stored = self.list_tokens(first_id.saturating_sub(MARGIN));
        let mut kept = Kept::default();
        for token in &entries.tokens {
            let found = stored.as_ref().map(|stored| stored.contains(token));
            note(&mut kept, found, || token.clone());
        }
        let is_stored = |token: &&String| {
            stored
                .as_ref()
                .is_some_and(|stored| stored.contains(*token))
        };
        Writes {
            kept,
            duplicates: entries.duplicates,
            unanswered: entries.unanswered.len() as u64,
            unanswered_but_stored: entries.unanswered.iter().filter(is_stored).count() as u64,
        }
    }

    /// All tokens after a number, or nothing if they could not be listed to the end.
    fn list_tokens(&self, after_id: u64) -> Option<BTreeSet<String>> {
        let mut tokens = BTreeSet::new();
        let mut next = Some(after_id);
        while let Some(after) = next {
            let path = format!("/api/tokens?after_id={after}&limit={PAGE_SIZE}");
            let page = self.until_known(|deadline| {
                let answer = self.get(&path, &mut Cookies::default(), deadline).ok()?;
                expect_status(&answer, 200).ok()?;
                answer.json()
            })?;
            for row in page.get("tokens")?.as_array()? {
                tokens.insert(row.get("token")?.as_str()?.to_owned());
            }
            let following = page
                .get("next_after_id")
                .and_then(serde_json::Value::as_u64);
            // A list that does not advance would never end.
            next = following.filter(|following| *following > after);
        }
        Some(tokens)
    }

    fn check_sessions(&self, visitors: impl Iterator<Item = Visitor>, sessions: &mut Kept) {
        for mut visitor in visitors.filter(Visitor::has_stored) {
            let mut loss = None;
            let found = self.until_known(|deadline| {
                let answer = self
                    .get("/api/session", &mut visitor.cookies, deadline)
                    .ok()?;
                loss = visitor.find_loss(&session_of(&answer).ok()?);
                Some(loss.is_none())
            });
            note(sessions, found, || loss.unwrap_or_default());
        }
    }

    fn check_logins(&self, customers: Vec<Customer>, sessions: &mut Kept) {
        for mut customer in customers {
            if !customer.is_logged_in() {
                continue;
            }
            let found = self.until_known(|deadline| {
                let answer = customer.send_next(&self.client, deadline);
                match answer.and_then(|answer| customer.take_answer(&answer)) {
                    Ok(()) => Some(true),
                    Err(_) if customer.is_logged_in() => None,
                    Err(_) => Some(false),
                }
            });
            note(sessions, found, || customer.take_loss().unwrap_or_default());
        }
    }

    fn get(
        &self,
        path: &str,
        cookies: &mut Cookies,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        self.client.send(&Request::get(path), cookies, deadline)
    }

    /// Asks until there is an answer, or the time is over.
    fn until_known<T>(&self, mut ask: impl FnMut(Instant) -> Option<T>) -> Option<T> {
        let never = StopFlag::new();
        while Instant::now() < self.deadline {
            let limit = self.deadline.min(Instant::now() + REQUEST_LIMIT);
            let answer = ask(limit);
            if answer.is_some() {
                return answer;
            }
            never.wait_until(self.deadline.min(Instant::now() + PAUSE));
        }
        None
    }
}

fn note(kept: &mut Kept, found: Option<bool>, example: impl FnOnce() -> String) {
    kept.acknowledged += 1;
    match found {
        Some(true) => {}
        Some(false) => {
            kept.lost += 1;
            if kept.examples.len() < MAXIMUM_EXAMPLES {
                kept.examples.push(example());
            }
        }
        None => kept.unverified += 1,
    }
}
