//! Security updates of a running Amazon Linux 2023.

use super::script::Script;

/// Packages that are only replaced with their server: an update of them would end the tasks that run
/// on it, or take effect only after a restart, which an App Server never has.
const REPLACED_WITH_THE_SERVER: &str = "kernel*,docker*,containerd*,runc*,ecs-init*,jenkins*";

/// A timer that installs security updates every night. An image of Amazon Linux 2023 is locked to
/// its release (Amazon Linux 2023 user guide, "Deterministic upgrades"), so `dnf-automatic` alone
/// would find nothing: the newest release is named, and from it only what an advisory is about.
pub(super) fn timer(script: &mut Script) {
    script.file(
        "/etc/systemd/system/security-updates.service",
        "0644",
        &format!(
            "[Unit]
Description=Security updates from the newest release of Amazon Linux 2023
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
Nice=10
IOSchedulingClass=idle
ExecStart=/usr/bin/dnf --assumeyes --security --releasever=latest --exclude={REPLACED_WITH_THE_SERVER} upgrade
"
        ),
    );
    // Servers of a cluster must not all be busy at once.
    script.file(
        "/etc/systemd/system/security-updates.timer",
        "0644",
        "[Unit]
Description=Security updates every night

[Timer]
OnCalendar=*-*-* 02:00:00 UTC
RandomizedDelaySec=3h
Persistent=true

[Install]
WantedBy=timers.target
",
    );
    script.line("systemctl daemon-reload");
    script.line("systemctl enable --now security-updates.timer");
}
