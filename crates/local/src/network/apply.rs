//! Making a network as it is wanted.

use std::{
    collections::BTreeSet,
    fs,
    io::ErrorKind,
    sync::{PoisonError, RwLock, RwLockWriteGuard},
    thread,
    time::Duration,
};

use super::{
    Attachment, Changes, NetworkError, NetworkPlan, Role, RouterRoute, SetChange, batch,
    difference,
    firewall::group_set,
    inside::{
        configure, for_each_namespace, in_namespace, in_router, ip, ip_all, namespace_path, nft,
        write_sysctl, write_sysctls,
    },
    observe::{is_namespace, observe, observe_interfaces},
    set_changes,
};
use crate::{id::EnvironmentId, wait};

/// How long Linux may take to connect veth pairs; most often it takes less than a millisecond.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);

/// Tasks come and go at the same time; a whole network is made while none does. It would take one
/// that is half-made for damage, and another one could go from under its hands.
static WHOLE: RwLock<()> = RwLock::new(());

/// Waits until nothing of a network is being changed, and lets nothing be while it is held: a
/// process that ends must not leave a program behind that goes on making what others remove.
pub fn hold_changes() -> RwLockWriteGuard<'static, ()> {
    WHOLE.write().unwrap_or_else(PoisonError::into_inner)
}

/// Makes an environment's network as planned and tells what had to be done: adds what is missing,
/// repairs what is half-made, removes what is not wanted, leaves the rest alone.
///
/// # Errors
/// When something can't be done; what this call added is then removed again.
pub fn apply(plan: &NetworkPlan) -> Result<Changes, NetworkError> {
    let _whole = hold_changes();
    let changes = difference(plan, &observe(&plan.environment)?);
    if changes.is_empty() {
        return Ok(changes);
    }
    match carry_out(plan, &changes) {
        Ok(()) => Ok(changes),
        Err(error) => {
            let mut errors = vec![error];
            errors.extend(undo(&plan.environment, &changes));
            NetworkError::collect(errors).map(|()| changes)
        }
    }
}

/// Joins a task to a running network and lets it into its security group; all is well if it
/// already is.
///
/// # Errors
/// When the network is not there or something can't be done; nothing of the attachment is left
/// then.
pub fn attach(environment: &EnvironmentId, attachment: &Attachment) -> Result<(), NetworkError> {
    let _whole = WHOLE.read().unwrap_or_else(PoisonError::into_inner);
    if is_attached(environment, attachment)? {
        return in_router(environment, || join_group(attachment, true));
    }
    in_router(environment, || remove_interfaces(&[attachment.interface()]))?;
    remove_namespace(environment, &attachment.name)?;
    make(environment, attachment).inspect_err(|_| {
        // The first error is the one to report; the next `apply` removes what stays.
        let _ = take_off(environment, attachment);
    })
}

/// Takes a task off the network: out of its group, its interface and its namespace away. All is
/// well if it is off already.
///
/// # Errors
/// When the network is not there or something can't be removed.
pub fn detach(environment: &EnvironmentId, attachment: &Attachment) -> Result<(), NetworkError> {
    let _whole = WHOLE.read().unwrap_or_else(PoisonError::into_inner);
    take_off(environment, attachment)
}

fn take_off(environment: &EnvironmentId, attachment: &Attachment) -> Result<(), NetworkError> {
    in_router(environment, || {
        join_group(attachment, false)?;
        remove_interfaces(&[attachment.interface()])
    })?;
    remove_namespace(environment, &attachment.name)
}

/// Removes a namespace's name, and with the last process in it the namespace.
pub(super) fn remove_namespace(
    environment: &EnvironmentId,
    part: &str,
) -> Result<(), NetworkError> {
    let namespace = environment.namespace(part);
    if is_namespace(&namespace) {
        let lines = batch::namespaces(environment, &[part.to_owned()], &[]);
        return ip(lines, &format!("remove the network namespace {namespace}"));
    }
    match fs::remove_file(namespace_path(&namespace)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.map_err(NetworkError::system(format!("remove {namespace}"))),
    }
}

fn carry_out(plan: &NetworkPlan, changes: &Changes) -> Result<(), NetworkError> {
    let environment = &plan.environment;
    for part in &changes.broken_namespaces {
        remove_namespace(environment, part)?;
    }
    let (removed, added) = (&changes.removed_namespaces, &changes.added_namespaces);
    let lines = batch::namespaces(environment, removed, added);
    ip(lines, "make the network namespaces")?;
    let namespace = |part: &String| environment.namespace(part);
    let remove = |_: &String| remove_interfaces(&["eth0".to_owned()]);
    let stale = for_each_namespace(&changes.stale_interfaces, namespace, remove);
    NetworkError::collect(stale.into_iter().filter_map(Result::err).collect())?;
    in_router(environment, || {
        // Also in a router that is there already: one that was cut short may have them not yet.
        write_sysctls(None)?;
        ip("link set lo up\n".to_owned(), "start the router")?;
        remove_interfaces(&changes.removed_links)?;
        let lines = batch::links(environment, &changes.added_links);
        ip(lines, "make the router's interfaces")
    })?;
    thread::scope(|scope| {
        // The rules are there before anything is connected.
        let rules = scope.spawn(|| match changes.ruleset {
            true => in_router(environment, || {
                nft(&plan.ruleset(), "load the router's rules")
            }),
            false => Ok(()),
        });
        let insides = for_each_namespace(
            &changes.configured,
            |attachment| environment.namespace(&attachment.name),
            configure,
        );
        let rules = rules
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        NetworkError::collect(
            insides
                .into_iter()
                .chain([rules])
                .filter_map(Result::err)
                .collect(),
        )
    })?;
    in_router(environment, || {
        let lines = batch::routing(
            &changes.removed_routes,
            &changes.added_routes,
            &changes.removed_rules,
            &changes.added_rules,
        );
        connect(&changes.configured, &lines)
    })
}

/// Removes what `carry_out` may have added, in reverse; returns what could not be removed.
fn undo(environment: &EnvironmentId, changes: &Changes) -> Vec<NetworkError> {
    let mut errors = Vec::new();
    if !changes.adds_router() {
        let added: Vec<String> = changes
            .added_links
            .iter()
            .rev()
            .map(Attachment::interface)
            .collect();
        errors.extend(in_router(environment, || remove_interfaces(&added)).err());
    }
    for part in changes.added_namespaces.iter().rev() {
        errors.extend(remove_namespace(environment, part).err());
    }
    errors
}

/// Sets the router's ends up and changes its routes. The calling thread must be in the router.
fn connect(attachments: &[Attachment], routing: &str) -> Result<(), NetworkError> {
    for attachment in attachments
        .iter()
        .filter(|attachment| attachment.forwards())
    {
        let interface = attachment.interface();
        write_sysctl(&format!("ipv4/conf/{interface}/rp_filter"), "0")?;
    }
    let lines = batch::connect(attachments) + routing;
    ip(lines, "connect the router's interfaces")?;
    wait_until_connected(attachments)
}

/// Waits until packets can pass: Linux connects veth pairs in the background, and drops what is
/// sent before, for which the sender waits a second.
fn wait_until_connected(attachments: &[Attachment]) -> Result<(), NetworkError> {
    let mut waiting: BTreeSet<String> = attachments.iter().map(Attachment::interface).collect();
    let mut look = || -> Result<bool, NetworkError> {
        let connected = observe_interfaces()?;
        waiting.retain(|interface| connected.get(interface) != Some(&true));
        Ok(waiting.is_empty())
    };
    let done = wait::until(CONNECTED_WITHIN, || match look() {
        Ok(false) => None,
        result => Some(result.map(drop)),
    });
    done.unwrap_or_else(|| {
        Err(NetworkError::NotConnected {
            interfaces: waiting.into_iter().collect(),
        })
    })
}

fn make(environment: &EnvironmentId, attachment: &Attachment) -> Result<(), NetworkError> {
    let (part, one) = (&attachment.name, std::slice::from_ref(attachment));
    let mut lines = batch::namespaces(environment, &[], std::slice::from_ref(part));
    lines += &batch::links(environment, one);
    in_router(environment, || {
        ip(lines, &format!("make the network namespace of {part}"))
    })?;
    in_namespace(&environment.namespace(part), || configure(attachment))??;
    let route = RouterRoute::to(attachment);
    let lines = batch::routing([], [&route], [], []);
    in_router(environment, || {
        connect(one, &lines)?;
        join_group(attachment, true)
    })
}

/// Whether all of an attachment is there, but for its group.
fn is_attached(environment: &EnvironmentId, attachment: &Attachment) -> Result<bool, NetworkError> {
    if !is_namespace(&environment.namespace(&attachment.name)) {
        return Ok(false);
    }
    Ok(observe(environment)?.has(attachment))
}

/// Changes whether an address is in its group. The calling thread must be in the router.
fn join_group(attachment: &Attachment, present: bool) -> Result<(), NetworkError> {
    let Role::Member(group) = &attachment.role else {
        return Ok(());
    };
    let change = SetChange {
        set: group_set(group),
        address: attachment.address,
        present,
    };
    nft(
        &set_changes([&change]),
        &format!("change the members of {group}"),
    )
}

/// Removes interfaces of the calling thread's namespace. Those of a namespace that was removed go
/// by themselves at any moment, so that one may be gone before its turn.
fn remove_interfaces(interfaces: &[String]) -> Result<(), NetworkError> {
    let present = present_interfaces(interfaces)?;
    match ip_all(batch::remove_links(&present), "remove interfaces") {
        Err(error) if !present_interfaces(&present)?.is_empty() => Err(error),
        _ => Ok(()),
    }
}

/// Those of the interfaces that the calling thread's namespace has.
fn present_interfaces(interfaces: &[String]) -> Result<Vec<String>, NetworkError> {
    let path = "/proc/thread-self/net/dev";
    let table = fs::read_to_string(path).map_err(NetworkError::system(format!("read {path}")))?;
    let there = |interface: &&String| {
        table
            .lines()
            .filter_map(|line| line.trim_start().split_once(':'))
            .any(|(name, _)| name == interface.as_str())
    };
    Ok(interfaces.iter().filter(there).cloned().collect())
}
