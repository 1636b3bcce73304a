//! Section 5: logging and auditing.

use super::{
    AMAZON_LINUX, BASTION,
    Change::{Audit, Command, Elsewhere, File},
    EVERYWHERE, Setting,
    Treatment::{Applied, LeftOut, Shipped},
};

/// The rows.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        recommendations: "5.1.1.1–5.1.1.5, 5.1.1.7, 5.1.2.5",
        topic: "journald or rsyslog, one of them",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "Amazon Linux has journald alone; Ubuntu's rsyslog writes auth.log beside it.",
    },
    Setting {
        recommendations: "5.1.1.6, 5.1.2.1.1–5.1.2.1.3",
        topic: "Logs leave the server",
        roles: EVERYWHERE,
        treatment: Applied(&[Elsewhere]),
        reason: "By the CloudWatch agent, to the server role's log group.",
    },
    Setting {
        recommendations: "5.1.2.1.4, 5.1.2.2, 5.1.2.7, 5.1.3, 5.3",
        topic: "The journal takes nothing from outside, its files are closed, logs rotate",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "",
    },
    Setting {
        recommendations: "5.1.2.3, 5.1.2.4, 5.1.2.6",
        topic: "The journal is kept on disk, compressed, within bounds",
        roles: EVERYWHERE,
        treatment: Applied(&[
            File(
                "/etc/systemd/journald.conf.d/60-mck.conf",
                "0644",
                "[Journal]\nStorage=persistent\nCompress=yes\nSystemMaxUse=500M\nMaxRetentionSec=30day",
            ),
            Command("systemctl restart systemd-journald.service"),
        ]),
        reason: "",
    },
    Setting {
        recommendations: "5.2.1.1, 5.2.1.4",
        topic: "The audit daemon runs",
        roles: EVERYWHERE,
        treatment: Applied(&[Command("systemctl enable --now auditd.service")]),
        reason: "Amazon Linux has it; Ubuntu gets its package.",
    },
    Setting {
        recommendations: "5.2.1.2, 5.2.1.3",
        topic: "Auditing from the kernel's command line on",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "It would need a restart of every new server; before the rules are loaded nothing \
                 runs but the image's own start.",
    },
    Setting {
        recommendations: "5.2.2.1",
        topic: "Size of the audit log",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Command(
                "sed -i -E 's/^max_log_file = .*/max_log_file = 32/; s/^max_log_file_action = .*/\
                 max_log_file_action = ROTATE/' /etc/audit/auditd.conf",
            ),
            Command("systemctl kill --signal=HUP auditd.service"),
        ]),
        reason: "Five files of 32 MiB.",
    },
    Setting {
        recommendations: "5.2.2.2, 5.2.2.3",
        topic: "Audit logs are never deleted; the system stops when they fill the disk",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "An attacker could stop the store by filling a disk; the log group keeps what rotates \
                 away.",
    },
    Setting {
        recommendations: "5.2.3.1–5.2.3.5",
        topic: "Audited: rights, actions as another user, time, network names",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Audit("-w /etc/sudoers -p wa -k scope"),
            Audit("-w /etc/sudoers.d -p wa -k scope"),
            Audit(
                "-a always,exit -F arch=b64 -C euid!=uid -F auid!=unset -S execve -k user_emulation",
            ),
            Audit("-w /var/log/sudo.log -p wa -k sudo_log"),
            Audit(
                "-a always,exit -F arch=b64 -S adjtimex,settimeofday,clock_settime -F auid!=unset -k time-change",
            ),
            Audit("-w /etc/localtime -p wa -k time-change"),
            Audit(
                "-a always,exit -F arch=b64 -S sethostname,setdomainname -F auid!=unset -k system-locale",
            ),
            Audit("-w /etc/hosts -p wa -k system-locale"),
            Audit("-w /etc/issue -p wa -k system-locale"),
        ]),
        reason: "Rules on system calls count for logged-in people only, so that containers pay little \
                 for them.",
    },
    Setting {
        recommendations: "5.2.3.6, 5.2.3.10, 5.2.3.13",
        topic: "Audited: every privileged program, mount and deletion",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "Sessions of people are recorded by Session Manager and sudo; these rules are the \
                 dearest and say it again.",
    },
    Setting {
        recommendations: "5.2.3.7–5.2.3.9",
        topic: "Audited: refused access, accounts, permissions",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Audit(
                "-a always,exit -F arch=b64 -S openat,truncate,ftruncate -F exit=-EACCES -F auid>=1000 -F auid!=unset -k access",
            ),
            Audit(
                "-a always,exit -F arch=b64 -S openat,truncate,ftruncate -F exit=-EPERM -F auid>=1000 -F auid!=unset -k access",
            ),
            Audit(
                "-a always,exit -F arch=b64 -S creat,open -F exit=-EACCES -F auid>=1000 -F auid!=unset -k access-x86",
            ),
            Audit(
                "-a always,exit -F arch=b64 -S creat,open -F exit=-EPERM -F auid>=1000 -F auid!=unset -k access-x86",
            ),
            Audit("-w /etc/group -p wa -k identity"),
            Audit("-w /etc/passwd -p wa -k identity"),
            Audit("-w /etc/gshadow -p wa -k identity"),
            Audit("-w /etc/shadow -p wa -k identity"),
            Audit("-w /etc/security/opasswd -p wa -k identity"),
            Audit(
                "-a always,exit -F arch=b64 -S fchmod,fchmodat,fchown,fchownat -F auid>=1000 -F auid!=unset -k perm_mod",
            ),
            Audit(
                "-a always,exit -F arch=b64 -S chmod,chown,lchown -F auid>=1000 -F auid!=unset -k perm_mod-x86",
            ),
            Audit(
                "-a always,exit -F arch=b64 -S setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr -F auid>=1000 -F auid!=unset -k perm_mod",
            ),
        ]),
        reason: "",
    },
    Setting {
        recommendations: "5.2.3.11, 5.2.3.12, 5.2.3.15–5.2.3.19",
        topic: "Audited: sessions, logins, labels and lists, kernel modules",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Audit("-w /var/run/utmp -p wa -k session"),
            Audit("-w /var/log/wtmp -p wa -k session"),
            Audit("-w /var/log/btmp -p wa -k session"),
            Audit("-w /var/log/lastlog -p wa -k logins"),
            Audit(
                "-a always,exit -F path=/usr/bin/chcon -F perm=x -F auid>=1000 -F auid!=unset -k perm_chng",
            ),
            Audit(
                "-a always,exit -F path=/usr/bin/setfacl -F perm=x -F auid>=1000 -F auid!=unset -k perm_chng",
            ),
            Audit(
                "-a always,exit -F path=/usr/sbin/usermod -F perm=x -F auid>=1000 -F auid!=unset -k usermod",
            ),
            Audit(
                "-a always,exit -F arch=b64 -S init_module,finit_module,delete_module -F auid!=unset -k kernel_modules",
            ),
        ]),
        reason: "",
    },
    Setting {
        recommendations: "5.2.3.14",
        topic: "Audited: the mandatory access control",
        roles: AMAZON_LINUX,
        treatment: Applied(&[Audit("-w /etc/selinux -p wa -k MAC-policy")]),
        reason: "",
    },
    Setting {
        recommendations: "5.2.3.14",
        topic: "Audited: the mandatory access control",
        roles: BASTION,
        treatment: Applied(&[Audit("-w /etc/apparmor.d -p wa -k MAC-policy")]),
        reason: "",
    },
    Setting {
        recommendations: "5.2.3.20, 5.2.3.21",
        topic: "The rules can't be changed until a restart",
        roles: EVERYWHERE,
        treatment: Applied(&[Audit("-e 2")]),
        reason: "",
    },
    Setting {
        recommendations: "5.2.4.1–5.2.4.10",
        topic: "Audit files and tools are root's",
        roles: EVERYWHERE,
        treatment: Applied(&[Command("chmod -R go-rwx /etc/audit")]),
        reason: "Logs and tools come so with their package.",
    },
];
