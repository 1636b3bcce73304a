//! Snapshots as they come, until somebody has seen enough.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use mck_local::{
    client::{self, ClientError},
    layout::Layout,
    supervisor::snapshot::Snapshot,
};

use crate::{failure::Failure, interrupt::Interrupt};

/// How often a display moves and Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(80);

/// Hands each snapshot to `see`, and the newest again at every tick, until `see` says that it has
/// seen enough or Ctrl-C is pressed.
///
/// # Errors
/// When the supervisor does not run, or ends.
pub fn watch(
    layout: &Layout,
    interrupt: &Interrupt,
    see: &mut dyn FnMut(&Snapshot) -> bool,
) -> Result<(), Failure> {
    let following = client::follow(layout)?;
    let (sender, receiver) = mpsc::channel::<Result<Snapshot, ClientError>>();
    // It ends with this process, or when the receiver is gone and the next snapshot comes.
    thread::spawn(move || {
        for snapshot in following {
            let broken = snapshot.is_err();
            if sender.send(snapshot).is_err() || broken {
                break;
            }
        }
    });
    let mut newest = None;
    loop {
        if interrupt.pressed() {
            return Ok(());
        }
        match receiver.recv_timeout(TICK) {
            Ok(snapshot) => newest = Some(snapshot?),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(ClientError::NotRunning(layout.id().clone()).into());
            }
        }
        if newest.as_ref().is_some_and(&mut *see) {
            return Ok(());
        }
    }
}
