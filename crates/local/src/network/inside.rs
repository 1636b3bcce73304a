//! Working inside a namespace.

use std::{
    fs::{self, File},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{Attachment, NetworkError, gateway_ruleset, sysctl::sysctls};
use crate::{command::Command, id::EnvironmentId};

/// Where named network namespaces are (`ip-netns(8)`).
pub(super) const NAMESPACES: &str = "/run/netns";

/// The file of a namespace.
pub fn namespace_path(namespace: &str) -> PathBuf {
    Path::new(NAMESPACES).join(namespace)
}

/// Does something inside a named namespace, in a thread of its own; programs started there and
/// sockets opened there belong to the namespace.
///
/// # Errors
/// When there is no such namespace or it can't be entered.
///
/// # Panics
/// When `work` does.
pub fn in_namespace<T: Send>(
    namespace: &str,
    work: impl FnOnce() -> T + Send,
) -> Result<T, NetworkError> {
    thread::scope(|scope| {
        let worker = scope.spawn(|| enter(namespace).map(|()| work()));
        worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Moves the calling thread into a namespace; it must not do anything for others afterwards.
fn enter(namespace: &str) -> Result<(), NetworkError> {
    let action = || format!("enter the network namespace {namespace}");
    let file = File::open(namespace_path(namespace)).map_err(NetworkError::system(action()))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(NetworkError::system(action()))
}

/// Does something for each item inside its namespace, on few threads at once; the results are in
/// the order of the items.
pub(super) fn for_each_namespace<I: Sync, T: Send>(
    items: &[I],
    namespace: impl Fn(&I) -> String + Sync,
    work: impl Fn(&I) -> Result<T, NetworkError> + Sync,
) -> Vec<Result<T, NetworkError>> {
    let next = AtomicUsize::new(0);
    let one_after_another = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return done;
            };
            done.push((index, enter(&namespace(item)).and_then(|()| work(item))));
        }
    };
    let threads = thread::available_parallelism()
        .map_or(2, usize::from)
        .min(8)
        * 2;
    let mut results = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(items.len()))
            .map(|_| scope.spawn(one_after_another))
            .collect();
        let join = |worker: thread::ScopedJoinHandle<'_, _>| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Makes a namespace complete from within: kernel settings, translation, address, routes. The
/// calling thread must be inside.
pub(super) fn configure(attachment: &Attachment) -> Result<(), NetworkError> {
    write_sysctls(Some(attachment))?;
    if let Some(ruleset) = gateway_ruleset(attachment) {
        nft(
            &ruleset,
            &format!("load the translation of {}", attachment.name),
        )?;
    }
    ip(
        super::batch::inside(attachment),
        &format!("configure {}", attachment.name),
    )
}

/// Writes the kernel settings of the calling thread's namespace.
pub(super) fn write_sysctls(attachment: Option<&Attachment>) -> Result<(), NetworkError> {
    for (path, value) in sysctls(attachment) {
        write_sysctl(path, value)?;
    }
    Ok(())
}

/// Writes one kernel setting of the calling thread's namespace. Without IPv6 in the kernel its
/// settings don't exist, and need not.
pub(super) fn write_sysctl(path: &str, value: &str) -> Result<(), NetworkError> {
    let file = Path::new("/proc/sys/net").join(path);
    match fs::write(&file, value) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.starts_with("ipv6/") => {
            Ok(())
        }
        result => result.map_err(NetworkError::system(format!("write {}", file.display()))),
    }
}

/// Runs lines of `ip` in the calling thread's namespace up to the first that fails; does nothing
/// for none.
pub(super) fn ip(lines: String, action: &str) -> Result<(), NetworkError> {
    run_batch(&["-batch", "-"], lines, action)
}

/// As [`ip`], but goes on after a line that fails.
pub(super) fn ip_all(lines: String, action: &str) -> Result<(), NetworkError> {
    run_batch(&["-force", "-batch", "-"], lines, action)
}

fn run_batch(arguments: &[&str], lines: String, action: &str) -> Result<(), NetworkError> {
    if lines.is_empty() {
        return Ok(());
    }
    let command = Command::new("ip").args(arguments).stdin(lines);
    command
        .run()
        .map(drop)
        .map_err(NetworkError::command(action))
}

/// Hands text to `nft` in the calling thread's namespace, as one transaction.
pub(super) fn nft(text: &str, action: &str) -> Result<(), NetworkError> {
    let command = Command::new("nft").args(["-f", "-"]).stdin(text);
    command
        .run()
        .map(drop)
        .map_err(NetworkError::command(action))
}

/// Does something in the router of an environment.
pub(super) fn in_router<T: Send>(
    environment: &EnvironmentId,
    work: impl FnOnce() -> Result<T, NetworkError> + Send,
) -> Result<T, NetworkError> {
    in_namespace(&environment.namespace(super::ROUTER), work)?
}
