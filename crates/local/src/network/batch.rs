//! What is handed to `ip -batch -`.

use std::fmt::Write as _;

use super::{Attachment, PolicyRule, RouterRoute, attachment::GATEWAY};
use crate::id::EnvironmentId;

/// Removes and makes namespaces; run in the host's namespace.
pub fn namespaces(environment: &EnvironmentId, remove: &[String], add: &[String]) -> String {
    let mut out = String::new();
    for part in remove {
        let _ = writeln!(out, "netns delete {}", environment.namespace(part));
    }
    for part in add {
        let _ = writeln!(out, "netns add {}", environment.namespace(part));
    }
    out
}

/// Removes interfaces; run in the namespace that has them.
pub fn remove_links(interfaces: &[String]) -> String {
    let line = |interface: &String| format!("link delete {interface}\n");
    interfaces.iter().map(line).collect()
}

/// Makes veth pairs whose other end is `eth0` of the attachment; run in the router. The ends stay
/// down, so that nothing passes yet.
pub fn links(environment: &EnvironmentId, add: &[Attachment]) -> String {
    let mut out = String::new();
    for attachment in add {
        let _ = writeln!(
            out,
            "link add {} index {} type veth peer name eth0 netns {}",
            attachment.interface(),
            attachment.interface_index(),
            environment.namespace(&attachment.name),
        );
    }
    out
}

/// Gives a namespace its address and its way to the router; run inside. May be run again.
pub fn inside(attachment: &Attachment) -> String {
    format!(
        "link set lo up\n\
         address replace {}/32 dev eth0\n\
         link set eth0 up\n\
         route replace {GATEWAY} dev eth0 scope link\n\
         route replace {} via {GATEWAY} dev eth0\n",
        attachment.address,
        attachment.reaches(),
    )
}

/// Connects the router's ends, last: an end that is up has a complete namespace behind it. Run in
/// the router; may be run again.
pub fn connect(attachments: &[Attachment]) -> String {
    let mut out = String::new();
    for attachment in attachments {
        let interface = attachment.interface();
        let _ = writeln!(out, "address replace {GATEWAY}/32 dev {interface}");
        let _ = writeln!(out, "link set {interface} up alias {}", attachment.name);
    }
    out
}

/// Changes routes and policy rules; run in the router.
pub fn routing<'a>(
    removed_routes: impl IntoIterator<Item = &'a RouterRoute>,
    added_routes: impl IntoIterator<Item = &'a RouterRoute>,
    removed_rules: impl IntoIterator<Item = &'a PolicyRule>,
    added_rules: impl IntoIterator<Item = &'a PolicyRule>,
) -> String {
    let mut out = String::new();
    for rule in removed_rules {
        let _ = writeln!(out, "rule delete {rule}");
    }
    for route in removed_routes {
        let _ = writeln!(out, "route delete {route}");
    }
    for route in added_routes {
        let _ = writeln!(out, "route replace {route}");
    }
    for rule in added_rules {
        let _ = writeln!(out, "rule add {rule}");
    }
    out
}
