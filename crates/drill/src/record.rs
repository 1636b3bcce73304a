//! What is kept of each request.

use std::fmt;

use crate::outcome::Failure;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RequestKind {
    Home,
    Category,
    Product,
    RandomProduct,
    SessionWrite,
    SessionRead,
    TokenWrite,
    Upload,
    UploadRead,
    LoginForm,
    Login,
    Account,
    WhoAmI,
}

impl RequestKind {
    /// Whether it may be sent again without asking (RFC 9110, section 9.2.2): the `GET`s.
    pub(crate) fn is_idempotent(self) -> bool {
        !matches!(
            self,
            Self::SessionWrite | Self::TokenWrite | Self::Upload | Self::Login
        )
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Home => "home page",
            Self::Category => "category page",
            Self::Product => "product page",
            Self::RandomProduct => "uncached product page",
            Self::SessionWrite => "session write",
            Self::SessionRead => "session read",
            Self::TokenWrite => "database write",
            Self::Upload => "upload",
            Self::UploadRead => "upload read",
            Self::LoginForm => "login form",
            Self::Login => "login",
            Self::Account => "account page",
            Self::WhoAmI => "whoami",
        })
    }
}

/// Which task answered, and with which release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answerer {
    pub(crate) task: Option<String>,
    pub(crate) revision: Option<String>,
}

/// One request. Times are microseconds since the load began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: RequestKind,
    /// When it was due, from which its latency counts: a user who waits for a stuck server waits also
    /// for the requests before theirs.
    pub(crate) due: u64,
    pub(crate) sent: u64,
    pub(crate) finished: u64,
    pub(crate) outcome: Result<(), Failure>,
    pub(crate) answerer: Option<Box<Answerer>>,
}

impl Record {
    pub(crate) fn latency(&self) -> u64 {
        self.finished.saturating_sub(self.due)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.outcome.is_err()
    }
}
