//! The VPC on one machine: network namespaces, routed point to point through one router.
//!
//! Each part of an environment — server, task, NAT gateway, resolver — is an [`Attachment`]: a
//! named namespace joined to the `router` namespace by a veth pair. Its `eth0` has its address as
//! a /32 and sends everything to 169.254.1.1, the router's end, in the manner of Calico; so every
//! packet, within a subnet too, passes the router's nftables chain, where the access graph is.
//! Nothing of it is visible in the host's own namespace, and two environments share nothing.
//!
//! The flow is: [`NetworkPlan`] (what is wanted, pure) and [`Observed`] (what there is) give
//! [`Changes`] ([`difference`], pure), which [`apply`] carries out. What is handed to `ip` and
//! `nft` comes from the pure functions of [`batch`] and [`firewall`].

mod apply;
mod attachment;
pub mod batch;
mod changes;
mod error;
pub mod firewall;
mod inside;
mod internet;
mod live;
mod observe;
mod parse;
mod plan;
mod route;
mod set_change;
mod sysctl;
mod teardown;
mod translation;

pub use apply::{apply, attach, detach, hold_changes};
pub use attachment::{Attachment, Role};
pub use changes::{Changes, difference};
pub use error::{NetworkError, PlanError};
pub use firewall::{Firewall, Members};
pub use inside::{in_namespace, namespace_path};
pub use internet::{
    INTERNET_DNS, internet_command, internet_processes, start_internet, stop_internet,
};
pub use live::{change_sets, isolate, rejoin};
pub use observe::{Inner, NamespaceState, Observed, Router, observe};
pub use plan::{NetworkPlan, ROUTER};
pub use route::{MAIN, PolicyRule, RouteTarget, RouterRoute};
pub use set_change::{SetChange, set_changes};
pub use sysctl::sysctls;
pub use teardown::{list, teardown};
pub use translation::gateway_ruleset;
