//! Address translation inside gateways, as nftables.

use std::fmt::Write as _;

use super::{Attachment, Role, firewall::replace_table};

/// The ruleset inside an attachment's namespace, if it needs one: address translation.
pub fn gateway_ruleset(attachment: &Attachment) -> Option<String> {
    let address = attachment.address;
    let rule = match attachment.role {
        Role::NatGateway => format!("oifname \"eth0\" ip saddr != {address} snat ip to {address}"),
        Role::InternetGateway(_) => "oifname \"tap0\" masquerade".to_owned(),
        Role::Member(_) | Role::Resolver => return None,
    };
    let mut out = replace_table();
    out.push_str("\tchain postrouting {\n");
    out.push_str("\t\ttype nat hook postrouting priority srcnat; policy accept;\n");
    let _ = writeln!(out, "\t\t{rule}");
    out.push_str("\t}\n}\n");
    Some(out)
}
