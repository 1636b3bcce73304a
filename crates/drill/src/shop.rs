//! What visitors of a storefront do, one request at a time (`examples/storefront/README.md`, "Drill
//! API"). A failed request is never sent again.

use std::time::Instant;

use crate::customer::Customer;
use crate::http::{Body, Client, Cookies, Request, Response};
use crate::ledger::{Ledger, Upload};
use crate::outcome::Failure;
use crate::plan::Mix;
use crate::pool::Pool;
use crate::random;
use crate::record::{Answerer, RequestKind};
use crate::visitor::{Visitor, is_surely_undone};

/// A storefront and its visitors.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) client: Client,
    pub(crate) mix: Mix,
    pub(crate) seed: u64,
    /// Begins each token and value, so that those of two drills differ.
    pub(crate) run: String,
    pub(crate) categories: Vec<String>,
    pub(crate) products: Vec<String>,
    pub(crate) visitors: Pool<Visitor>,
    pub(crate) customers: Pool<Customer>,
    pub(crate) ledger: Ledger,
}

/// A request that has ended.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) kind: RequestKind,
    pub(crate) outcome: Result<(), Failure>,
    pub(crate) answerer: Option<Box<Answerer>>,
}

/// What the seed decides about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    Read,
    Session,
    Token,
    Upload,
    Login,
    WhoAmI,
}

/// The errand of the request number `index`, by the weights of the mix.
pub(crate) fn errand(mix: Mix, seed: u64, index: u64) -> Errand {
    use Errand::{Login, Read, Session, Token, Upload, WhoAmI};
    let weights = mix.weights();
    let total: u32 = weights.iter().sum();
    let mut choice = random::number(seed, index) % u64::from(total.max(1));
    for (errand, weight) in [Read, Session, Token, Upload, Login, WhoAmI]
        .into_iter()
        .zip(weights)
    {
        if choice < u64::from(weight) {
            return errand;
        }
        choice -= u64::from(weight);
    }
    Read
}

impl Shop {
    /// Sends the request number `index` and notes what was acknowledged or lost.
    pub(crate) fn perform(&self, index: u64, deadline: Instant) -> Performed {
        // Another sequence than that of the errands, so that the two choices are independent.
        let choice = random::number(!self.seed, index);
        match errand(self.mix, self.seed, index) {
            Errand::Read => self.read(choice, deadline),
            Errand::Session => self.use_session(index, choice, deadline),
            Errand::Token => self.write_token(index, deadline),
            Errand::Upload => self.upload_or_fetch(index, choice, deadline),
            Errand::Login => self.log_in(deadline),
            Errand::WhoAmI => self.ask_who(deadline),
        }
    }

    fn read(&self, choice: u64, deadline: Instant) -> Performed {
        let pick = |paths: &[String]| {
            let count = paths.len().max(1) as u64;
            paths
                .get(usize::try_from((choice >> 8) % count).unwrap_or(0))
                .cloned()
        };
        let home = || (RequestKind::Home, "/".to_owned());
        let (kind, path) = match choice % 4 {
            0 => (RequestKind::RandomProduct, "/catalog/random".to_owned()),
            1 => pick(&self.categories).map_or_else(home, |path| (RequestKind::Category, path)),
            2 => pick(&self.products).map_or_else(home, |path| (RequestKind::Product, path)),
            _ => home(),
        };
        let mut visitor = self.visitors.take().unwrap_or_default();
        let answer = self
            .client
            .send(&Request::get(path), &mut visitor.cookies, deadline);
        self.visitors.put(visitor);
        finish(kind, answer, |response| {
            expect_status(response, 200)?;
            // The end of the page: one that was cut off in the middle is not served.
            expect(response.text().trim_end().ends_with("</html>"))
        })
    }

    fn use_session(&self, index: u64, choice: u64, deadline: Instant) -> Performed {
        let visitor = self.visitors.take().unwrap_or_default();
        if visitor.has_stored() && choice.is_multiple_of(2) {
            self.read_session(visitor, deadline)
        } else {
            self.write_session(visitor, index, deadline)
        }
    }

    fn write_session(&self, mut visitor: Visitor, index: u64, deadline: Instant) -> Performed {
        let key = visitor.key_to_write();
        let value = format!("{}-{index}", self.run);
        let fields = vec![("key", key), ("value", value.clone())];
        let request = Request::post("/api/session", fields);
        let answer = self.client.send(&request, &mut visitor.cookies, deadline);
        let performed = finish(RequestKind::SessionWrite, answer, |response| {
            expect_status(response, 200)?;
            expect(field(response, "value").is_some_and(|stored| stored == value.as_str()))
        });
        visitor.note_write(value, performed.outcome);
        if visitor.is_full() {
            self.ledger.lock().retired.push(visitor);
            self.visitors.put(Visitor::default());
        } else {
            self.visitors.put(visitor);
        }
        performed
    }

    fn read_session(&self, mut visitor: Visitor, deadline: Instant) -> Performed {
        let request = Request::get("/api/session");
        let answer = self.client.send(&request, &mut visitor.cookies, deadline);
        let mut loss = None;
        let performed = finish(RequestKind::SessionRead, answer, |response| {
            loss = visitor.find_loss(&session_of(response)?);
            expect(loss.is_none())
        });
        match loss {
            // Counted once, whatever else of it is lost.
            Some(loss) => {
                self.ledger.lock().lost_sessions.push(loss);
                self.visitors.put(Visitor::default());
            }
            None => self.visitors.put(visitor),
        }
        performed
    }

    fn write_token(&self, index: u64, deadline: Instant) -> Performed {
        let token = format!("{}-{index}", self.run);
        let request = Request::post("/api/token", vec![("token", token.clone())]);
        let answer = self
            .client
            .send(&request, &mut Cookies::default(), deadline);
        let is_duplicate = answer.as_ref().is_ok_and(|response| response.status == 409);
        let performed = finish(RequestKind::TokenWrite, answer, |response| {
            // A token of ours that is there already was sent once by us, and twice by somebody who
            // repeated it on the way. It is stored.
            expect_status(response, if is_duplicate { 409 } else { 201 })?;
            expect(field(response, "token").is_some_and(|stored| stored == token.as_str()))
        });
        let mut entries = self.ledger.lock();
        match performed.outcome {
            Ok(()) => {
                entries.tokens.push(token);
                entries.duplicates += u64::from(is_duplicate);
            }
            Err(failure) if is_surely_undone(failure) => {}
            Err(_) => entries.unanswered.push(token),
        }
        drop(entries);
        performed
    }

    fn upload_or_fetch(&self, index: u64, choice: u64, deadline: Instant) -> Performed {
        let known = {
            let entries = self.ledger.lock();
            let count = entries.uploads.len().max(1) as u64;
            let picked = usize::try_from((choice >> 8) % count).unwrap_or(0);
            entries.uploads.get(picked).cloned()
        };
        match known {
            Some(upload) if choice.is_multiple_of(2) => {
                let answer = self.fetch(&upload, deadline);
                finish(RequestKind::UploadRead, answer, |response| {
                    is_picture(response, &upload)
                })
            }
            _ => self.upload(index, deadline),
        }
    }

    fn upload(&self, index: u64, deadline: Instant) -> Performed {
        // The name of an upload follows from its content: two drills shall not find each other's.
        let seed = random::number(self.seed, index) ^ hash(&self.run);
        let picture = crate::png::picture(seed);
        let size = picture.len() as u64;
        let request = Request {
            path: "/api/media".to_owned(),
            body: Body::Bytes("image/png", picture),
        };
        let answer = self
            .client
            .send(&request, &mut Cookies::default(), deadline);
        let mut path = None;
        let performed = finish(RequestKind::Upload, answer, |response| {
            expect_status(response, 201)?;
            path = field(response, "url").and_then(|url| url.as_str().and_then(local_path));
            let bytes = field(response, "bytes").and_then(|bytes| bytes.as_u64());
            expect(path.is_some() && bytes == Some(size))
        });
        if let (Ok(()), Some(path)) = (performed.outcome, path) {
            self.ledger.lock().uploads.push(Upload { path, seed });
        }
        performed
    }

    pub(crate) fn fetch(&self, upload: &Upload, deadline: Instant) -> Result<Response, Failure> {
        let request = Request::get(upload.path.clone());
        self.client
            .send(&request, &mut Cookies::default(), deadline)
    }

    fn log_in(&self, deadline: Instant) -> Performed {
        let Some(mut customer) = self.customers.take() else {
            // All customers wait for an answer: a stranger opens the form.
            let request = Request::get(crate::customer::LOGIN_PATH);
            let answer = self
                .client
                .send(&request, &mut Cookies::default(), deadline);
            return finish(RequestKind::LoginForm, answer, |it| expect_status(it, 200));
        };
        let kind = customer.next_kind();
        let answer = customer.send_next(&self.client, deadline);
        let outcome = answer.and_then(|response| customer.take_answer(&response));
        if let Some(loss) = customer.take_loss() {
            self.ledger.lock().lost_sessions.push(loss);
        }
        self.customers.put(customer);
        Performed {
            kind,
            outcome,
            answerer: None,
        }
    }

    fn ask_who(&self, deadline: Instant) -> Performed {
        let request = Request::get("/api/whoami");
        let answer = self
            .client
            .send(&request, &mut Cookies::default(), deadline);
        let mut answerer = Answerer::default();
        let performed = finish(RequestKind::WhoAmI, answer, |response| {
            expect_status(response, 200)?;
            let who = response.json().ok_or(Failure::WrongContent)?;
            let text = |name: &str| who.get(name).and_then(|it| it.as_str()).map(str::to_owned);
            answerer = Answerer {
                task: text("task_id").or_else(|| text("hostname")),
                revision: text("revision"),
            };
            expect(answerer.task.is_some())
        });
        Performed {
            answerer: performed.outcome.is_ok().then(|| Box::new(answerer)),
            ..performed
        }
    }
}

/// The session in the answer to `GET /api/session`.
pub(crate) fn session_of(response: &Response) -> Result<serde_json::Value, Failure> {
    expect_status(response, 200)?;
    field(response, "session").ok_or(Failure::WrongContent)
}

/// Whether the answer is the picture that was uploaded.
pub(crate) fn is_picture(response: &Response, upload: &Upload) -> Result<(), Failure> {
    expect_status(response, 200)?;
    expect(response.body == crate::png::picture(upload.seed))
}

pub(crate) fn expect_status(response: &Response, status: u16) -> Result<(), Failure> {
    if response.status == status {
        Ok(())
    } else {
        Err(Failure::Status(response.status))
    }
}

pub(crate) fn expect(is_right: bool) -> Result<(), Failure> {
    if is_right {
        Ok(())
    } else {
        Err(Failure::WrongContent)
    }
}

pub(crate) fn field(response: &Response, name: &str) -> Option<serde_json::Value> {
    response.json()?.get(name).cloned()
}

/// The path of an address on this host, if it can stand in a request line.
fn local_path(url: &str) -> Option<String> {
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    (url.starts_with('/') && is_plain).then(|| url.to_owned())
}

fn finish(
    kind: RequestKind,
    answer: Result<Response, Failure>,
    check: impl FnOnce(&Response) -> Result<(), Failure>,
) -> Performed {
    Performed {
        kind,
        outcome: answer.and_then(|response| check(&response)),
        answerer: None,
    }
}

fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0, |sum, byte| random::number(sum, u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::DrillKind;

    #[test]
    fn the_errands_follow_the_weights() {
        let mix = Mix::of(DrillKind::TaskLoss);
        let mut counts = [0_u32; 6];
        for index in 0..100_000 {
            counts[errand(mix, 7, index) as usize] += 1;
        }
        for (count, weight) in counts.iter().zip(mix.weights()) {
            assert!(count.abs_diff(weight * 1000) < 500, "{counts:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_errands_and_another_seed_others() {
        let mix = Mix::of(DrillKind::ZoneLoss);
        let errands = |seed| {
            (0..100)
                .map(|index| errand(mix, seed, index))
                .collect::<Vec<_>>()
        };
        assert_eq!(errands(1), errands(1));
        assert_ne!(errands(1), errands(2));
    }

    #[test]
    fn a_weight_of_nothing_is_never_chosen() {
        let mix = Mix {
            reads: 0,
            sessions: 0,
            tokens: 3,
            uploads: 0,
            logins: 1,
            whoami: 0,
        };
        assert!(
            (0..10_000)
                .all(|index| { matches!(errand(mix, 3, index), Errand::Token | Errand::Login) })
        );
    }

    #[test]
    fn only_a_plain_path_of_this_host_is_fetched() {
        assert_eq!(local_path("/media/a.bin").as_deref(), Some("/media/a.bin"));
        assert_eq!(local_path("https://elsewhere/a"), None);
        assert_eq!(local_path("/a HTTP/1.1\r\nX: 1"), None);
    }
}
