//! Watching processes end, by descriptors, so that nothing is asked again and again.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::container::runtime::descriptor_of;

/// Processes by the name of what they are the first process of.
#[derive(Debug, Default)]
pub struct Processes {
    watched: BTreeMap<String, OwnedFd>,
}

impl Processes {
    /// Watches a process; one that has ended already is reported by the next wait.
    pub fn watch(&mut self, name: &str, pid: u32) {
        let descriptor = descriptor_of(pid)
            // Gone already: a descriptor that is always ready reports it as ended.
            .or_else(|| eventfd(1, EventfdFlags::CLOEXEC).ok());
        if let Some(descriptor) = descriptor {
            self.watched.insert(name.to_owned(), descriptor);
        }
    }

    /// Watches no more.
    pub fn forget(&mut self, name: &str) {
        self.watched.remove(name);
    }

    /// Waits until a process ends, `wake` is written to, or the time is over. Gives the names of
    /// those that ended, and watches them no more.
    pub fn wait(&mut self, wake: BorrowedFd<'_>, limit: Duration) -> Vec<String> {
        let mut polled: Vec<PollFd<'_>> = std::iter::once(wake)
            .chain(self.watched.values().map(AsFd::as_fd))
            .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
            .collect();
        let timeout = Timespec {
            tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        // An interrupted wait is looked at again by the caller's loop.
        let _ = poll(&mut polled, Some(&timeout));
        let ended: Vec<String> = self
            .watched
            .keys()
            .zip(&polled[1..])
            .filter(|(_, polled)| !polled.revents().is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        for name in &ended {
            self.watched.remove(name);
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_and_a_wake_up_are_seen_at_once() {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap();
        let mut processes = Processes::default();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        processes.watch("sleep", child.id());
        let none = processes.wait(wake.as_fd(), Duration::from_millis(1));
        assert!(none.is_empty());
        child.kill().unwrap();
        let ended = processes.wait(wake.as_fd(), Duration::from_secs(10));
        assert_eq!(ended, ["sleep"]);
        child.wait().unwrap();
        processes.watch("gone", child.id());
        assert_eq!(
            processes.wait(wake.as_fd(), Duration::from_secs(10)),
            ["gone"]
        );
        rustix::io::write(&wake, &1_u64.to_ne_bytes()).unwrap();
        assert!(
            processes
                .wait(wake.as_fd(), Duration::from_secs(10))
                .is_empty()
        );
    }
}
