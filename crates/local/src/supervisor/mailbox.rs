//! How threads report to the one that decides.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
};

use rustix::event::{EventfdFlags, eventfd};

use super::{
    control::Scaled,
    deployment::Reply,
    work::{Done, WorkError},
};
use crate::{backup::BackupError, origin::Origin};

/// Something to decide on.
#[derive(Debug)]
pub enum Message {
    /// A component's work ended.
    Component {
        /// The component.
        name: String,
        /// How.
        result: Result<Done, WorkError>,
    },
    /// A task's containers were started.
    TaskStarted {
        /// The task.
        id: String,
        /// Its containers' first processes.
        result: Result<Vec<(String, u32)>, WorkError>,
    },
    /// A task is gone.
    TaskStopped {
        /// The task.
        id: String,
        /// What could not be undone.
        result: Result<(), WorkError>,
    },
    /// A hook's or job's command ended.
    OneOffEnded {
        /// The task.
        id: String,
        /// Its exit code; none when it was stopped for taking too long.
        result: Result<Option<i32>, WorkError>,
    },
    /// A client brings a version of the environment.
    Apply {
        /// The version.
        origin: Box<Origin>,
        /// Where the answer goes.
        reply: SyncSender<Result<Vec<String>, String>>,
    },
    /// A client wants to run a command in a task of its own.
    Lease {
        /// The app.
        app: String,
        /// Where the answer goes.
        reply: SyncSender<Result<super::one_off::Lease, String>>,
    },
    /// A client's own task has ended.
    Return {
        /// The task.
        id: String,
    },
    /// A client asks for a deployment.
    Deploy {
        /// The app.
        app: String,
        /// The release's id; without one a release is made of the source.
        release: Option<String>,
        /// Who asks.
        by: String,
        /// Where the answer goes.
        reply: Reply,
    },
    /// A client asks to go back to the deployment before.
    RollBack {
        /// The app.
        app: String,
        /// Who asks.
        by: String,
        /// Where the answer goes.
        reply: Reply,
    },
    /// A client asks to stop the deployment in progress.
    StopDeployment {
        /// The app.
        app: String,
        /// Who asks.
        by: String,
        /// Where the answer goes.
        reply: Reply,
    },
    /// A client asks for another number of tasks or App Servers.
    Scale {
        /// Of what.
        what: Scaled,
        /// The number.
        count: u32,
        /// Who asks.
        by: String,
        /// Where the answer goes.
        reply: SyncSender<Result<(), String>>,
    },
    /// A container's own health check ended.
    Checked {
        /// The container.
        container: String,
        /// Whether it passed.
        passed: bool,
    },
    /// A backup ended.
    BackedUp {
        /// The id of a new snapshot.
        result: Result<Option<String>, BackupError>,
    },
    /// A step of a change of the database's writer was taken.
    Failover(super::failover::Step),
    /// A replica was looked for to take over from a Redis cluster's primary.
    ReplicaChosen(super::redis_failover::Choice),
    /// A client asks for another writer of the database.
    FailOver {
        /// Where the answer goes.
        reply: super::failover::Reply,
    },
    /// A client breaks something, or makes it whole again.
    Fault {
        /// What.
        fault: super::faults::Fault,
        /// Where the answer goes.
        reply: super::faults::Reply,
    },
    /// The supervisor shall end; what it made goes on.
    Quit,
}

/// Messages to the thread that decides, with a descriptor that wakes it.
#[derive(Debug)]
pub struct Mailbox {
    receiver: Receiver<Message>,
    sender: Sender,
}

/// The sending end.
#[derive(Debug, Clone)]
pub struct Sender {
    sender: mpsc::Sender<Message>,
    wake: Arc<OwnedFd>,
}

impl Mailbox {
    /// An empty one.
    ///
    /// # Errors
    /// When the system gives no descriptor.
    pub fn new() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        Ok(Self {
            receiver,
            sender: Sender { sender, wake },
        })
    }

    /// A sending end for a thread.
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Readable when there is a message.
    pub fn wake(&self) -> &OwnedFd {
        &self.sender.wake
    }

    /// All messages that are there.
    pub fn take(&self) -> Vec<Message> {
        // Only empties the counter; an empty one is no error.
        let _ = rustix::io::read(&*self.sender.wake, &mut [0_u8; 8]);
        self.receiver.try_iter().collect()
    }
}

impl Sender {
    /// Sends a message. One that nobody will read, since the supervisor ends, is dropped.
    pub fn send(&self, message: Message) {
        if self.sender.send(message).is_ok() {
            // A full counter wakes as well.
            let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
        }
    }
}
