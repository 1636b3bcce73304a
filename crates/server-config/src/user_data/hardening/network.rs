//! Section 3: network.

use super::{
    AMAZON_LINUX, BASTION,
    Change::{Module, Parameter},
    EVERYWHERE, Setting,
    Treatment::{Applied, LeftOut, Shipped},
};

/// The rows.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        recommendations: "3.1.1",
        topic: "Whether there is IPv6 is decided",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "`network.ipv6` decides; without it the subnets have no IPv6 addresses.",
    },
    Setting {
        recommendations: "3.1.2–3.1.5",
        topic: "No DCCP, SCTP, RDS, TIPC",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Module("dccp"),
            Module("sctp"),
            Module("rds"),
            Module("tipc"),
        ]),
        reason: "Protocols that nobody speaks here.",
    },
    Setting {
        recommendations: "3.2.1",
        topic: "No IP forwarding",
        roles: BASTION,
        treatment: Applied(&[
            Parameter("net.ipv4.ip_forward", "0"),
            Parameter("net.ipv6.conf.all.forwarding", "0"),
        ]),
        reason: "A jump host forwards connections, not packets.",
    },
    Setting {
        recommendations: "3.2.1",
        topic: "No IP forwarding",
        roles: AMAZON_LINUX,
        treatment: LeftOut,
        reason: "Docker's bridges need it.",
    },
    Setting {
        recommendations: "3.2.2, 3.3.1–3.3.3",
        topic: "No redirects sent or heeded, no source routes",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Parameter("net.ipv4.conf.all.send_redirects", "0"),
            Parameter("net.ipv4.conf.default.send_redirects", "0"),
            Parameter("net.ipv4.conf.all.accept_source_route", "0"),
            Parameter("net.ipv4.conf.default.accept_source_route", "0"),
            Parameter("net.ipv6.conf.all.accept_source_route", "0"),
            Parameter("net.ipv6.conf.default.accept_source_route", "0"),
            Parameter("net.ipv4.conf.all.accept_redirects", "0"),
            Parameter("net.ipv4.conf.default.accept_redirects", "0"),
            Parameter("net.ipv6.conf.all.accept_redirects", "0"),
            Parameter("net.ipv6.conf.default.accept_redirects", "0"),
            Parameter("net.ipv4.conf.all.secure_redirects", "0"),
            Parameter("net.ipv4.conf.default.secure_redirects", "0"),
        ]),
        reason: "A VPC has one router.",
    },
    Setting {
        recommendations: "3.3.4–3.3.6, 3.3.8",
        topic: "Impossible packets are logged, broadcasts and bogus errors ignored, SYN cookies",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Parameter("net.ipv4.conf.all.log_martians", "1"),
            Parameter("net.ipv4.conf.default.log_martians", "1"),
            Parameter("net.ipv4.icmp_echo_ignore_broadcasts", "1"),
            Parameter("net.ipv4.icmp_ignore_bogus_error_responses", "1"),
            Parameter("net.ipv4.tcp_syncookies", "1"),
        ]),
        reason: "",
    },
    Setting {
        recommendations: "3.3.7",
        topic: "Strict reverse path filter",
        roles: BASTION,
        treatment: Applied(&[
            Parameter("net.ipv4.conf.all.rp_filter", "1"),
            Parameter("net.ipv4.conf.default.rp_filter", "1"),
        ]),
        reason: "It has one interface.",
    },
    Setting {
        recommendations: "3.3.7",
        topic: "Strict reverse path filter",
        roles: AMAZON_LINUX,
        treatment: LeftOut,
        reason: "The image's loose filter stays: tasks have interfaces of their own beside the \
                 agent's bridge, so a packet may come where the answer does not go.",
    },
    Setting {
        recommendations: "3.3.9",
        topic: "No router advertisements",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "A VPC gives the IPv6 route so, and lets no other than its router advertise.",
    },
    Setting {
        recommendations: "3.4.1.1–3.4.2.7",
        topic: "A firewall on the server",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "Security groups do it, at every interface and by names; Docker and the ECS agent \
                 keep rules of their own that a second firewall would break.",
    },
];
