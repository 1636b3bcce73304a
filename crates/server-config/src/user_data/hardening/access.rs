//! Section 4: access, authentication and authorization.

use super::{
    AMAZON_LINUX, APP_SERVER, BASTION,
    Change::{Command, Elsewhere, File},
    EVERYWHERE, JENKINS, Setting,
    Treatment::{Applied, LeftOut, Shipped},
};

/// What every SSH server here says; the first value that sshd reads counts.
const SSHD: &str = "PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
HostbasedAuthentication no
IgnoreRhosts yes
PermitUserEnvironment no
UsePAM yes
LogLevel VERBOSE
Banner /etc/issue.net
MaxAuthTries 4
MaxSessions 10
MaxStartups 10:30:60
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
X11Forwarding no
AllowAgentForwarding no
PermitTunnel no";

/// The rows.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        recommendations: "4.1.1–4.1.9",
        topic: "cron and at are root's alone",
        roles: EVERYWHERE,
        treatment: Applied(&[
            File("/etc/cron.allow", "0600", "root"),
            File("/etc/at.allow", "0600", "root"),
            Command("rm -f /etc/cron.deny /etc/at.deny"),
            Command("find /etc -maxdepth 1 -name 'cron*' -exec chmod go-rwx {} +"),
        ]),
        reason: "Amazon Linux has no cron; should someone install it, it starts closed. Jobs of apps \
                 are tasks, not crontabs.",
    },
    Setting {
        recommendations: "4.2.1–4.2.20",
        topic: "SSH is shut: no server runs",
        roles: JENKINS,
        treatment: Applied(&[
            Command("systemctl disable --now sshd.service"),
            Command("systemctl mask sshd.service"),
        ]),
        reason: "The door is Session Manager, which asks IAM and records who came.",
    },
    Setting {
        recommendations: "4.2.1–4.2.20",
        topic: "SSH is shut: no server runs, unless `bastion.authorized-keys` names keys",
        roles: APP_SERVER,
        treatment: Applied(&[
            File("/etc/ssh/sshd_config.d/10-mck.conf", "0600", SSHD),
            File(
                "/etc/ssh/sshd_config.d/11-mck.conf",
                "0600",
                "AllowUsers ec2-user\nAllowTcpForwarding no",
            ),
            Elsewhere,
        ]),
        reason: "The door is Session Manager, which asks IAM and records who came; with keys, SSH \
                 through the Bastion is a second one.",
    },
    Setting {
        recommendations: "4.2.1–4.2.12, 4.2.14–4.2.20",
        topic: "sshd: keys only, no root, one account, few tries, idle sessions end",
        roles: BASTION,
        treatment: Applied(&[
            File("/etc/ssh/sshd_config.d/10-mck.conf", "0600", SSHD),
            File(
                "/etc/ssh/sshd_config.d/11-mck.conf",
                "0600",
                "AllowUsers ubuntu\nAllowTcpForwarding local",
            ),
            Command("chmod 0600 /etc/ssh/sshd_config"),
        ]),
        reason: "Without `bastion.allow-ssh-from` the security group lets nobody come near it.",
    },
    Setting {
        recommendations: "4.2.13",
        topic: "No TCP forwarding",
        roles: BASTION,
        treatment: LeftOut,
        reason: "A jump host is for it; its security group says how far it reaches.",
    },
    Setting {
        recommendations: "—",
        topic: "fail2ban before SSH",
        roles: BASTION,
        treatment: Applied(&[Elsewhere]),
        reason: "Five failures in 10 minutes are an hour's ban, then longer. It runs though SSH may be \
                 closed: ranges are opened later without a new server.",
    },
    Setting {
        recommendations: "4.3.1–4.3.5",
        topic: "sudo in a terminal of its own, logged, with a short memory",
        roles: EVERYWHERE,
        treatment: Applied(&[File(
            "/etc/sudoers.d/60-mck",
            "0440",
            "Defaults use_pty\nDefaults logfile=\"/var/log/sudo.log\"\nDefaults timestamp_timeout=15",
        )]),
        reason: "",
    },
    Setting {
        recommendations: "4.3.6",
        topic: "su for nobody but root",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Command("getent group sugroup >/dev/null || groupadd --system sugroup"),
            Command(
                "grep -q group=sugroup /etc/pam.d/su || sed -i '/^auth.*pam_rootok.so/a auth required \
                 pam_wheel.so use_uid group=sugroup' /etc/pam.d/su",
            ),
        ]),
        reason: "The group stays empty.",
    },
    Setting {
        recommendations: "4.4.1, 4.4.2, 4.5.2–4.5.4",
        topic: "Lock-out, history and hashes of passwords",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "No account has a password and no service takes one, so the image's PAM stack stays.",
    },
    Setting {
        recommendations: "4.5.1",
        topic: "Good passwords",
        roles: EVERYWHERE,
        treatment: Applied(&[File(
            "/etc/security/pwquality.conf.d/60-mck.conf",
            "0644",
            "minlen = 14\nminclass = 4",
        )]),
        reason: "For the one that someone might set by hand.",
    },
    Setting {
        recommendations: "4.6.1.1–4.6.1.5",
        topic: "Passwords age",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "There are none; ageing would lock the accounts of key holders and of Session Manager \
                 out of sudo after a year.",
    },
    Setting {
        recommendations: "4.6.2, 4.6.4",
        topic: "System accounts can't log in; root's group is 0",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "",
    },
    Setting {
        recommendations: "4.6.3, 4.6.5",
        topic: "Idle shells end after 15 minutes; new files are not for others",
        roles: EVERYWHERE,
        treatment: Applied(&[
            File(
                "/etc/profile.d/60-mck.sh",
                "0644",
                "umask 027\n[ -n \"${TMOUT:-}\" ] || { TMOUT=900; readonly TMOUT; export TMOUT; }",
            ),
            Command("sed -i -E 's/^(UMASK\\s+).*/\\1027/' /etc/login.defs"),
        ]),
        reason: "",
    },
    Setting {
        recommendations: "4.6.6",
        topic: "Root has a password",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "Root is locked: there is no console to type one on.",
    },
    Setting {
        recommendations: "—",
        topic: "Session Manager, IMDSv2 with a hop limit of 1, encrypted volumes",
        roles: AMAZON_LINUX,
        treatment: Applied(&[Elsewhere]),
        reason: "By the launch template and the instance's role.",
    },
];
