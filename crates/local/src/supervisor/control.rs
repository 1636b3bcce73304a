//! The supervisor's socket: a request is one line of JSON, an answer one or more.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub use super::one_off::Lease;
use super::{
    deployment::{Begun, Reply},
    faults::Fault,
    mailbox::{Message, Sender},
    snapshot::{Publisher, Snapshot},
};
use crate::{layout::Layout, origin::Origin};

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Request {
    /// Take on a version of the environment.
    Apply {
        /// The version.
        origin: Origin,
    },
    /// How is the environment now?
    Snapshot,
    /// How is it, now and whenever it changes, until the client goes?
    Follow,
    /// A place for a task that the client runs itself, until the client goes.
    Lease {
        /// The app.
        app: String,
    },
    /// Replace an app's tasks by those of a release: the one of that id, or one made of the source.
    Deploy {
        /// The app.
        app: String,
        /// The release's id.
        release: Option<String>,
        /// Who asks.
        by: String,
    },
    /// Go back to the deployment before.
    RollBack {
        /// The app.
        app: String,
        /// Who asks.
        by: String,
    },
    /// Stop the deployment in progress and go back.
    StopDeployment {
        /// The app.
        app: String,
        /// Who asks.
        by: String,
    },
    /// Have another number of tasks or App Servers.
    Scale {
        /// Of what.
        what: Scaled,
        /// The number.
        count: u32,
        /// Who asks.
        by: String,
    },
    /// Make a reader of the database the writer; answered when it is.
    FailOver,
    /// Break something, or make it whole again.
    Fault {
        /// What.
        fault: Fault,
    },
    /// End; what was made goes on.
    Quit,
}

/// What is scaled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Scaled {
    /// The tasks of an app.
    App(String),
    /// The App Servers of a cluster.
    Cluster(String),
}

/// What the supervisor answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Answer {
    /// The version was taken on.
    Applied {
        /// Paths in the blueprint that changed.
        changes: Vec<String>,
    },
    /// How the environment is.
    Snapshot {
        /// That.
        snapshot: Box<Snapshot>,
    },
    /// A place for a task.
    Lease {
        /// That.
        lease: Box<Lease>,
    },
    /// What was done with a request for a deployment.
    Begun {
        /// That.
        begun: Begun,
    },
    /// It will be done.
    Accepted,
    /// It can't be done.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Listens on the environment's socket and answers in threads.
///
/// # Errors
/// When the socket can't be made.
pub fn serve(layout: &Layout, sender: Sender, publisher: &Arc<Publisher>) -> io::Result<()> {
    let path = layout.socket();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let publisher = Arc::clone(publisher);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (sender, publisher) = (sender.clone(), Arc::clone(&publisher));
            thread::spawn(move || {
                // A client that goes in the middle is no one's failure.
                let _ = answer(&stream, &sender, &publisher);
            });
        }
    });
    Ok(())
}

fn answer(stream: &UnixStream, sender: &Sender, publisher: &Publisher) -> io::Result<()> {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    reader.read_line(&mut line)?;
    let request: Request = match serde_json::from_str(&line) {
        Ok(request) => request,
        Err(error) => {
            let reason = format!("the request can't be read: {error}");
            return write(stream, &Answer::Refused { reason });
        }
    };
    match request {
        Request::Apply { origin } => {
            let (reply, result) = mpsc::sync_channel(1);
            sender.send(Message::Apply {
                origin: Box::new(origin),
                reply,
            });
            let answer = match result.recv() {
                Ok(Ok(changes)) => Answer::Applied { changes },
                Ok(Err(reason)) => Answer::Refused { reason },
                Err(_) => ending(),
            };
            write(stream, &answer)
        }
        Request::Snapshot => {
            let snapshot = Box::new(publisher.current().1);
            write(stream, &Answer::Snapshot { snapshot })
        }
        Request::Follow => follow(stream, publisher),
        Request::Lease { app } => {
            let (reply, result) = mpsc::sync_channel(1);
            sender.send(Message::Lease { app, reply });
            match result.recv() {
                Ok(Ok(lease)) => {
                    let id = lease.id.clone();
                    let written = write(
                        stream,
                        &Answer::Lease {
                            lease: Box::new(lease),
                        },
                    );
                    // The end of the stream is the end of the client, however it ended.
                    let _ = reader.read_line(&mut String::new());
                    sender.send(Message::Return { id });
                    written
                }
                Ok(Err(reason)) => write(stream, &Answer::Refused { reason }),
                Err(_) => write(stream, &ending()),
            }
        }
        Request::Deploy { app, release, by } => answer_begun(stream, |reply| {
            sender.send(Message::Deploy {
                app,
                release,
                by,
                reply,
            });
        }),
        Request::RollBack { app, by } => answer_begun(stream, |reply| {
            sender.send(Message::RollBack { app, by, reply });
        }),
        Request::StopDeployment { app, by } => answer_begun(stream, |reply| {
            sender.send(Message::StopDeployment { app, by, reply });
        }),
        Request::Scale { what, count, by } => {
            let (reply, result) = mpsc::sync_channel(1);
            sender.send(Message::Scale {
                what,
                count,
                by,
                reply,
            });
            let answer = match result.recv() {
                Ok(Ok(())) => Answer::Accepted,
                Ok(Err(reason)) => Answer::Refused { reason },
                Err(_) => ending(),
            };
            write(stream, &answer)
        }
        Request::FailOver => answer_done(stream, |reply| sender.send(Message::FailOver { reply })),
        Request::Fault { fault } => {
            answer_done(stream, |reply| sender.send(Message::Fault { fault, reply }))
        }
        Request::Quit => {
            write(stream, &Answer::Accepted)?;
            sender.send(Message::Quit);
            Ok(())
        }
    }
}

/// Sends a request for a deployment on and answers what came of it.
fn answer_begun(stream: &UnixStream, send: impl FnOnce(Reply)) -> io::Result<()> {
    let (reply, result) = mpsc::sync_channel(1);
    send(reply);
    let answer = match result.recv() {
        Ok(Ok(begun)) => Answer::Begun { begun },
        Ok(Err(reason)) => Answer::Refused { reason },
        Err(_) => ending(),
    };
    write(stream, &answer)
}

/// Sends a request on and answers whether it was done.
fn answer_done(
    stream: &UnixStream,
    send: impl FnOnce(mpsc::SyncSender<Result<(), String>>),
) -> io::Result<()> {
    let (reply, result) = mpsc::sync_channel(1);
    send(reply);
    let answer = match result.recv() {
        Ok(Ok(())) => Answer::Accepted,
        Ok(Err(reason)) => Answer::Refused { reason },
        Err(_) => ending(),
    };
    write(stream, &answer)
}

fn ending() -> Answer {
    Answer::Refused {
        reason: "the supervisor is ending".to_owned(),
    }
}

fn follow(stream: &UnixStream, publisher: &Publisher) -> io::Result<()> {
    let (mut seen, mut snapshot) = publisher.current();
    loop {
        write(
            stream,
            &Answer::Snapshot {
                snapshot: Box::new(snapshot),
            },
        )?;
        // Written again now and then, so that a client that has gone is noticed.
        (seen, snapshot) = publisher.after(seen, Duration::from_secs(5));
    }
}

fn write(mut stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    stream.write_all(&line)
}
