//! What happens, as plain values.

use serde::Serialize;

use crate::{client::Event, failure::Reason};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Progress {
    /// A stack's turn has come.
    #[serde(rename_all = "kebab-case")]
    Begun {
        /// The stack's id, such as `data`.
        stack: String,
        /// What is done, such as `create`.
        what: &'static str,
    },
    /// A resource went on.
    #[serde(rename_all = "kebab-case")]
    Resource {
        /// The stack's id.
        stack: String,
        /// Its name in the template.
        logical_id: String,
        /// Its type.
        #[serde(rename = "type")]
        kind: String,
        /// Its status, such as `CREATE_IN_PROGRESS`.
        status: String,
        /// What AWS says; empty where nothing.
        reason: String,
        /// When, in RFC 3339.
        time: String,
    },
    /// A stack is as wanted.
    #[serde(rename_all = "kebab-case")]
    Done {
        /// The stack's id.
        stack: String,
        /// Whether anything was changed.
        changed: bool,
    },
    /// A stack failed.
    #[serde(rename_all = "kebab-case")]
    Failed {
        /// The stack's id.
        stack: String,
        /// Why.
        message: String,
        /// The first resource that failed.
        reason: Option<Reason>,
    },
    /// A stack was not touched, because another failed.
    #[serde(rename_all = "kebab-case")]
    Skipped {
        /// The stack's id.
        stack: String,
    },
}

impl Progress {
    pub(crate) fn of(stack: &str, event: &Event) -> Self {
        Self::Resource {
            stack: stack.to_owned(),
            logical_id: event.logical_id.clone(),
            kind: event.kind.clone(),
            status: event.status.clone(),
            reason: event.reason.clone(),
            time: event.time.clone(),
        }
    }
}

/// Who is told what happens. A receiver that is gone is no reason to stop.
#[derive(Debug, Clone)]
pub struct Reporter(std::sync::mpsc::Sender<Progress>);

impl Reporter {
    /// Tells a channel's other end.
    pub const fn new(sender: std::sync::mpsc::Sender<Progress>) -> Self {
        Self(sender)
    }

    pub(crate) fn tell(&self, progress: Progress) {
        let _ = self.0.send(progress);
    }
}
