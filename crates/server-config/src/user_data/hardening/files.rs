//! Section 6: system maintenance.

use super::{
    Change::Command,
    EVERYWHERE, Setting,
    Treatment::{Applied, LeftOut, Shipped},
};

/// The rows.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        recommendations: "6.1.1–6.1.9",
        topic: "Permissions of the account files",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Command("chmod 0644 /etc/passwd /etc/group"),
            Command("chmod o-rwx,g-wx /etc/shadow /etc/gshadow"),
            Command(
                "find /etc -maxdepth 1 \\( -name 'shadow-' -o -name 'gshadow-' \\) -exec chmod o-rwx,g-wx {} +",
            ),
        ]),
        reason: "",
    },
    Setting {
        recommendations: "6.1.10–6.1.13",
        topic: "Searches for files with odd owners or permissions",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "They review a system that grew; a new server is its image.",
    },
    Setting {
        recommendations: "6.2.1–6.2.11",
        topic: "Accounts and home folders are sound",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "The images have root, the system's accounts and one user.",
    },
];
