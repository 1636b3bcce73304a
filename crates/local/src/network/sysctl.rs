//! Kernel settings of a namespace.

use super::{Attachment, Role};

/// A file below `/proc/sys/net` and what to write to it.
type Setting = (&'static str, &'static str);

/// In every namespace: no IPv6, for which there are no rules; servers may listen on ports below
/// 1024 without being root, as in a container of ECS.
const EVERYWHERE: &[Setting] = &[
    ("ipv6/conf/all/disable_ipv6", "1"),
    ("ipv6/conf/default/disable_ipv6", "1"),
    ("ipv4/ip_unprivileged_port_start", "0"),
];

/// Where packets of others pass. They must not be told of a shorter way: there is none.
const FORWARDING: &[Setting] = &[
    ("ipv4/ip_forward", "1"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
];

/// What a gateway needs beside, on its `eth0`, which is there before the defaults are written:
/// reverse-path filtering off (RFC 3704), since it sees sources that it does not route to.
const GATEWAY: &[Setting] = &[
    ("ipv4/conf/eth0/send_redirects", "0"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv4/conf/eth0/rp_filter", "0"),
];

/// Reverse-path filtering, strict, on interfaces made from now on: the source check of an
/// EC2 network interface, which sends from no address but its own.
const OWN_SOURCE: &[Setting] = &[
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "1"),
];

/// The settings of an attachment's namespace, or of the router for none, as paths below
/// `/proc/sys/net` and values.
pub fn sysctls(attachment: Option<&Attachment>) -> Vec<Setting> {
    let role = match attachment.map(|attachment| &attachment.role) {
        None => [FORWARDING, OWN_SOURCE].concat(),
        Some(Role::NatGateway | Role::InternetGateway(_)) => [FORWARDING, GATEWAY].concat(),
        Some(Role::Member(_) | Role::Resolver) => Vec::new(),
    };
    [EVERYWHERE, &role].concat()
}
