//! Stopping and removing an environment. Needs no supervisor and works on whatever is left of a
//! run that broke off.

use std::{collections::BTreeMap, fs, io, path::Path, thread, time::Duration};

use rustix::{
    fs::{FlockOperation, flock},
    process::{Pid, Signal, kill_process},
};

use super::{ClientError, CommandLock, socket::ask};
use crate::{
    container::{Runtime, launch::LaunchPlan},
    layout::Layout,
    network,
    supervisor::{self, control::Request, record::Record},
    text::chain,
    wait,
};

/// Stops everything that runs and keeps all data. `tell` hears what is being done.
///
/// # Errors
/// When another command is at work, or parts can't be stopped; the rest is.
pub fn stop(
    layout: &Layout,
    launcher: &Path,
    tell: &mut dyn FnMut(&str),
) -> Result<(), ClientError> {
    if !layout.top().exists() {
        return Err(ClientError::NothingApplied(layout.id().clone()));
    }
    let _lock = CommandLock::take(layout)?;
    stop_all(layout, launcher, Ending::AsPlanned, tell)
}

/// Stops everything and removes all of it, data included. What does not exist is removed already.
///
/// # Errors
/// When another command is at work, or parts can't be removed; the rest is.
pub fn destroy(
    layout: &Layout,
    launcher: &Path,
    tell: &mut dyn FnMut(&str),
) -> Result<(), ClientError> {
    if !layout.top().exists() {
        // Namespaces could be left though the folder was removed by hand.
        return Ok(network::teardown(layout.id())?);
    }
    let _lock = CommandLock::take(layout)?;
    stop_all(layout, launcher, Ending::Killed, tell)?;
    tell("removes data, releases, secrets and logs");
    let top = layout.top();
    fs::remove_dir_all(top).map_err(|source| ClientError::File {
        path: top.to_owned(),
        source,
    })?;
    // Only an empty one goes: others may have environments beside.
    let _ = fs::remove_dir(layout.state_folder());
    Ok(())
}

/// How long the kernel may take to end a container whose processes are killed.
const KILLED_WITHIN: Duration = Duration::from_secs(10);

/// How containers end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Asked to, in order, each with the time that it may take.
    AsPlanned,
    /// At once: nobody wants their answers or data any more.
    Killed,
}

fn stop_all(
    layout: &Layout,
    launcher: &Path,
    ending: Ending,
    tell: &mut dyn FnMut(&str),
) -> Result<(), ClientError> {
    tell("ends the supervisor");
    end_supervisor(layout)?;
    let mut problems = Vec::new();
    // Without an OCI runtime nothing can run; bundles are removed all the same.
    let runtime = supervisor::runtime(layout, None, launcher);
    if let Some(runtime) = &runtime {
        problems.extend(stop_containers(runtime, ending, tell));
    }
    tell("removes the network");
    problems.extend(
        network::teardown(layout.id())
            .err()
            .map(|error| chain(&error)),
    );
    if let Some(runtime) = &runtime {
        let group = Path::new(layout.id().as_str());
        let removed = wait::until(Duration::from_secs(5), || {
            // What belongs to no bundle: left by a launcher that was killed in the middle.
            for pid in runtime.cgroups.processes(group) {
                let pid = Pid::from_raw(pid.cast_signed());
                pid.map(|pid| kill_process(pid, Signal::KILL));
            }
            runtime.cgroups.remove(group).ok()
        });
        if removed.is_none() {
            problems.push(format!(
                "the control group {} still has processes",
                group.display()
            ));
        }
    }
    if !problems.is_empty() {
        return Err(ClientError::Leftovers { problems });
    }
    supervisor::database::remove_workshop(layout.id()).map_err(|source| ClientError::File {
        path: layout.top().to_owned(),
        source,
    })?;
    forget_tasks(layout)?;
    remove(&layout.run())
}

/// Tasks are gone for good; the record keeps what outlives them.
fn forget_tasks(layout: &Layout) -> Result<(), ClientError> {
    let path = layout.state();
    let at = |source| ClientError::File {
        path: path.clone(),
        source,
    };
    if !path.exists() {
        return Ok(());
    }
    // A damaged record must not keep an environment from being stopped.
    let mut record = Record::load(&path).unwrap_or_default();
    record.tasks.clear();
    // Members stop in any order, so that a reader may lack the last writes.
    record.synced.clear();
    record.save(&path).map_err(at)
}

fn remove(folder: &Path) -> Result<(), ClientError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(ClientError::File {
            path: folder.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

pub(super) fn end_supervisor(layout: &Layout) -> Result<(), ClientError> {
    // One that does not run needs not end.
    let _ = ask(layout, &Request::Quit).and_then(|mut connection| connection.answer());
    let path = layout.supervisor_lock();
    let Ok(lock) = fs::File::open(&path) else {
        return Ok(());
    };
    let free = || flock(&lock, FlockOperation::NonBlockingLockExclusive).ok();
    if wait::until(Duration::from_secs(5), free).is_some() {
        return Ok(());
    }
    let pid = fs::read_to_string(&path)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    if let Some(pid) = pid.and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
    match wait::until(Duration::from_secs(5), free) {
        Some(()) => Ok(()),
        None => Err(ClientError::Leftovers {
            problems: vec!["the supervisor does not end".to_owned()],
        }),
    }
}

/// Stops containers in the order that was planned, those of the same place at once.
fn stop_containers(runtime: &Runtime, ending: Ending, tell: &mut dyn FnMut(&str)) -> Vec<String> {
    let stop = |id: &str| match ending {
        Ending::AsPlanned => runtime.stop_as_planned(id),
        Ending::Killed => runtime.stop(id, "SIGKILL", KILLED_WITHIN),
    };
    let mut orders: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    for id in runtime.list() {
        runtime.wait_for_launcher(&id, Duration::from_secs(10));
        let order = LaunchPlan::load(&runtime.bundle(&id)).map_or(u8::MAX, |plan| plan.stop_order);
        orders.entry(order).or_default().push(id);
    }
    let mut problems = Vec::new();
    for ids in orders.values() {
        tell(&format!("stops {}", ids.join(", ")));
        thread::scope(|scope| {
            let stops: Vec<_> = ids.iter().map(|id| scope.spawn(|| stop(id))).collect();
            for stop in stops {
                match stop.join() {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => problems.push(chain(&error)),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
    }
    problems
}
