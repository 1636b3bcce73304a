//! What there is of an environment's network.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    net::Ipv4Addr,
    thread,
};

use ipnet::Ipv4Net;

use super::{
    NetworkError, PolicyRule, ROUTER, RouterRoute,
    inside::{NAMESPACES, for_each_namespace, in_router, namespace_path},
    parse,
};
use crate::{command::Command, id::EnvironmentId};

/// What there is of an environment's network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Namespaces by the name of their part, the router among them.
    pub namespaces: BTreeMap<String, NamespaceState>,
    /// The router, if it is there.
    pub router: Option<Router>,
}

/// What there is under a namespace's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamespaceState {
    /// A file that is no namespace: what a crash between two steps leaves.
    Broken,
    /// A namespace.
    Whole(Inner),
}

/// What is seen inside a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inner {
    /// Whether there is an `eth0`.
    pub interface: bool,
    /// Its own addresses.
    pub addresses: BTreeSet<Ipv4Addr>,
    /// Ranges that it reaches over a gateway, with the gateway's address.
    pub routes: BTreeSet<(Ipv4Net, Ipv4Addr)>,
}

/// What is seen in the router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Router {
    /// Interfaces but the loopback, and whether each is connected: up at both ends and with the
    /// gateway's address.
    pub interfaces: BTreeMap<String, bool>,
    /// Routes that an administrator made.
    pub routes: BTreeSet<RouterRoute>,
    /// Policy rules but the kernel's own.
    pub rules: BTreeSet<PolicyRule>,
    /// The sets of our nftables table by name.
    pub sets: BTreeMap<String, BTreeSet<String>>,
    /// The comments of the rules of its chain in order; none for a rule without.
    pub comments: Vec<String>,
}

/// Looks at what there is of an environment's network; changes nothing.
///
/// # Errors
/// When `/run/netns` can't be read, a namespace can't be entered, or `ip` or `nft` fail.
pub fn observe(environment: &EnvironmentId) -> Result<Observed, NetworkError> {
    let parts = list_parts(environment)?;
    let (broken, whole): (Vec<_>, Vec<_>) = parts
        .into_iter()
        .partition(|part| !is_namespace(&environment.namespace(part)));
    thread::scope(|scope| {
        let router = whole
            .iter()
            .any(|part| part == ROUTER)
            .then(|| scope.spawn(|| in_router(environment, observe_router)));
        let inner = for_each_namespace(
            &whole,
            |part| environment.namespace(part),
            |_| observe_inner(),
        );
        let mut namespaces: BTreeMap<String, NamespaceState> = broken
            .into_iter()
            .map(|part| (part, NamespaceState::Broken))
            .collect();
        for (part, inner) in whole.iter().zip(inner) {
            namespaces.insert(part.clone(), NamespaceState::Whole(inner?));
        }
        let router = match router {
            Some(observer) => Some(
                observer
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
            ),
            None => None,
        };
        Ok(Observed { namespaces, router })
    })
}

/// The parts of an environment that have a namespace's file, whatever is in it.
pub(super) fn list_parts(environment: &EnvironmentId) -> Result<Vec<String>, NetworkError> {
    let failed = || NetworkError::system(format!("read {NAMESPACES}"));
    let entries = match fs::read_dir(NAMESPACES) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed())?,
    };
    let prefix = environment.namespace_prefix();
    let mut parts = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed())?.file_name();
        if let Some(part) = name.to_str().and_then(|name| name.strip_prefix(&prefix)) {
            parts.push(part.to_owned());
        }
    }
    parts.sort();
    Ok(parts)
}

/// Whether a namespace's file is a namespace (`NSFS_MAGIC` of `linux/magic.h`).
pub(super) fn is_namespace(namespace: &str) -> bool {
    const NSFS_MAGIC: rustix::fs::FsWord = 0x6e73_6673;
    rustix::fs::statfs(namespace_path(namespace)).is_ok_and(|status| status.f_type == NSFS_MAGIC)
}

/// What the calling thread sees in its own namespace. Read from the kernel's files, since starting
/// a program in each namespace would take longer than all else.
fn observe_inner() -> Result<Inner, NetworkError> {
    let read = |name: &str| {
        let path = format!("/proc/thread-self/net/{name}");
        fs::read_to_string(&path).map_err(NetworkError::system(format!("read {path}")))
    };
    Ok(parse::inner(
        &read("dev")?,
        &read("fib_trie")?,
        &read("route")?,
    ))
}

fn observe_router() -> Result<Router, NetworkError> {
    let routes = print("ip", &["-json", "-4", "route", "show", "table", "all"])?;
    let rules = print("ip", &["-json", "-4", "rule", "show"])?;
    let ruleset = print("nft", &["-j", "list", "ruleset"])?;
    let interfaces = observe_interfaces()?;
    parse::router(interfaces, &routes, &rules, &ruleset)
}

/// The interfaces of the calling thread's namespace, as in [`Router::interfaces`].
pub(super) fn observe_interfaces() -> Result<BTreeMap<String, bool>, NetworkError> {
    parse::interfaces(&print("ip", &["-json", "address", "show"])?)
}

fn print(program: &'static str, arguments: &[&str]) -> Result<Vec<u8>, NetworkError> {
    let output = Command::new(program).args(arguments).run();
    let action = || format!("look at the router with {program}");
    output
        .map(|output| output.stdout)
        .map_err(NetworkError::command(action()))
}
