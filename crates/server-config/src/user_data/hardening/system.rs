//! Sections 1 and 2: file systems, software, processes, services.

use super::{
    AMAZON_LINUX, APP_SERVER, BASTION,
    Change::{Command, Elsewhere, File, Module, Parameter},
    EVERYWHERE, NOT_APP_SERVER, Setting,
    Treatment::{Applied, LeftOut, Shipped},
};

/// The rows.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        recommendations: "1.1.1.1",
        topic: "squashfs can't be mounted",
        roles: AMAZON_LINUX,
        treatment: Applied(&[Module("squashfs")]),
        reason: "Nothing on it uses the file system.",
    },
    Setting {
        recommendations: "1.1.1.1",
        topic: "squashfs can't be mounted",
        roles: BASTION,
        treatment: LeftOut,
        reason: "Ubuntu's snaps are squashfs images; the SSM agent is one.",
    },
    Setting {
        recommendations: "1.1.1.2–1.1.1.7, 1.1.9",
        topic: "Unneeded file systems and USB storage can't be mounted",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Module("udf"),
            Module("cramfs"),
            Module("freevxfs"),
            Module("jffs2"),
            Module("hfs"),
            Module("hfsplus"),
            Module("usb-storage"),
        ]),
        reason: "Less code that a file from outside can reach.",
    },
    Setting {
        recommendations: "1.1.2.1–1.1.2.4",
        topic: "/tmp apart, nodev, noexec, nosuid",
        roles: APP_SERVER,
        treatment: Applied(&[
            File(
                "/etc/systemd/system/tmp.mount.d/60-mck.conf",
                "0644",
                "[Mount]\nOptions=mode=1777,strictatime,nosuid,nodev,noexec,size=50%%",
            ),
            Command("mount -o remount,noexec,nosuid,nodev /tmp"),
        ]),
        reason: "The image has a temporary file system there; only noexec is added.",
    },
    Setting {
        recommendations: "1.1.2.1–1.1.2.4",
        topic: "/tmp apart, nodev, noexec, nosuid",
        roles: NOT_APP_SERVER,
        treatment: LeftOut,
        reason: "Builds and package scripts run programs there.",
    },
    Setting {
        recommendations: "1.1.3.1–1.1.7.3",
        topic: "/var, /var/tmp, /var/log, /var/log/audit and /home on partitions of their own",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "The images have one volume, encrypted; logs rotate by size and leave the server.",
    },
    Setting {
        recommendations: "1.1.8.1–1.1.8.4",
        topic: "/dev/shm nodev, noexec, nosuid",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Command(
                "grep -q ' /dev/shm ' /etc/fstab || echo 'tmpfs /dev/shm tmpfs \
                 nodev,nosuid,noexec 0 0' >>/etc/fstab",
            ),
            Command("mount -o remount,nodev,nosuid,noexec /dev/shm"),
        ]),
        reason: "Containers have a /dev/shm of their own and are not concerned.",
    },
    Setting {
        recommendations: "1.2.1–1.2.3",
        topic: "Package sources and their keys",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "Every source is signed and checked; Jenkins' key is compared by its fingerprint.",
    },
    Setting {
        recommendations: "1.2.4",
        topic: "Signed repository metadata",
        roles: AMAZON_LINUX,
        treatment: LeftOut,
        reason: "Amazon Linux does not sign it; its packages are signed.",
    },
    Setting {
        recommendations: "1.2.4",
        topic: "Signed repository metadata",
        roles: BASTION,
        treatment: Shipped,
        reason: "apt takes no other.",
    },
    Setting {
        recommendations: "1.3.1–1.3.3",
        topic: "AIDE watches the files",
        roles: EVERYWHERE,
        treatment: LeftOut,
        reason: "Servers are replaced, not repaired: the image is the reference. A database on the \
                 same disk would prove little and cost input and output.",
    },
    Setting {
        recommendations: "1.4.1",
        topic: "Boot loader's configuration is root's alone",
        roles: EVERYWHERE,
        treatment: Applied(&[Command(
            "find /boot/grub /boot/grub2 -maxdepth 1 -name '*.cfg' -exec chmod go-rwx {} + \
             2>/dev/null || true",
        )]),
        reason: "It may name what is loaded before any of this.",
    },
    Setting {
        recommendations: "1.5.1, 1.5.2",
        topic: "Random address layout, no tracing of foreign processes",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Parameter("kernel.randomize_va_space", "2"),
            Parameter("kernel.yama.ptrace_scope", "1"),
        ]),
        reason: "Harder to take a process over, and to read another's memory.",
    },
    Setting {
        recommendations: "1.5.3, 1.5.4",
        topic: "No core dumps",
        roles: EVERYWHERE,
        treatment: Applied(&[
            File(
                "/etc/systemd/coredump.conf.d/60-mck.conf",
                "0644",
                "[Coredump]\nStorage=none\nProcessSizeMax=0",
            ),
            File(
                "/etc/security/limits.d/60-mck.conf",
                "0644",
                "* hard core 0",
            ),
            Parameter("fs.suid_dumpable", "0"),
        ]),
        reason: "A dump of PHP's memory holds customers' data.",
    },
    Setting {
        recommendations: "—",
        topic: "Kernel addresses, messages and performance counters are root's alone; no unprivileged \
                BPF; links in shared folders protected",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Parameter("kernel.kptr_restrict", "2"),
            Parameter("kernel.dmesg_restrict", "1"),
            Parameter("kernel.perf_event_paranoid", "3"),
            Parameter("kernel.unprivileged_bpf_disabled", "1"),
            Parameter("net.core.bpf_jit_harden", "2"),
            Parameter("fs.protected_fifos", "2"),
            Parameter("fs.protected_regular", "2"),
            Parameter("fs.protected_hardlinks", "1"),
            Parameter("fs.protected_symlinks", "1"),
        ]),
        reason: "Beyond the benchmark: what most ways out of a container need first.",
    },
    Setting {
        recommendations: "1.6.1.1–1.6.1.4, 1.6.1.6–1.6.1.8",
        topic: "SELinux (Ubuntu: AppArmor) is there and not switched off",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "Amazon Linux 2023 is permissive, Ubuntu's AppArmor enforces its profiles.",
    },
    Setting {
        recommendations: "1.6.1.5",
        topic: "SELinux enforcing",
        roles: AMAZON_LINUX,
        treatment: LeftOut,
        reason: "The ECS-optimised image is made and tested permissive; containers are confined by \
                 namespaces, dropped capabilities and read-only roots.",
    },
    Setting {
        recommendations: "1.6.1.5",
        topic: "AppArmor enforcing",
        roles: BASTION,
        treatment: Shipped,
        reason: "",
    },
    Setting {
        recommendations: "1.7.1–1.7.6",
        topic: "Banners that name no version",
        roles: EVERYWHERE,
        treatment: Applied(&[
            File(
                "/etc/issue",
                "0644",
                "Authorized use only. Activity is recorded.",
            ),
            File(
                "/etc/issue.net",
                "0644",
                "Authorized use only. Activity is recorded.",
            ),
            File(
                "/etc/motd",
                "0644",
                "Authorized use only. Activity is recorded.",
            ),
        ]),
        reason: "",
    },
    Setting {
        recommendations: "1.8",
        topic: "Security updates are installed",
        roles: EVERYWHERE,
        treatment: Applied(&[Elsewhere]),
        reason: "Amazon Linux: `security-updates.timer`, every night from the newest release, \
                 without kernel, container runtime and ECS agent, which come with the next image. \
                 Ubuntu: unattended-upgrades with a restart at night where one is needed.",
    },
    Setting {
        recommendations: "1.9",
        topic: "No legacy cryptography",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "Amazon Linux's policy is DEFAULT; Ubuntu 24.04 has no TLS below 1.2.",
    },
    Setting {
        recommendations: "2.1.1, 2.1.2",
        topic: "The clock",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "chrony with Amazon Time Sync at 169.254.169.123.",
    },
    Setting {
        recommendations: "2.2.1–2.2.15, 2.2.18",
        topic: "No servers that are not needed",
        roles: EVERYWHERE,
        treatment: Shipped,
        reason: "None of them runs on the images.",
    },
    Setting {
        recommendations: "2.3.1–2.3.3",
        topic: "No telnet, LDAP and FTP clients",
        roles: AMAZON_LINUX,
        treatment: Shipped,
        reason: "None of them is on the images.",
    },
    Setting {
        recommendations: "2.3.1–2.3.3",
        topic: "No telnet, LDAP and FTP clients",
        roles: BASTION,
        treatment: LeftOut,
        reason: "Some are of Ubuntu's standard packages; its security group lets none of their \
                 protocols out.",
    },
    Setting {
        recommendations: "2.2.16, 2.2.17, 2.4",
        topic: "No NFS server, no port mapper",
        roles: EVERYWHERE,
        treatment: Applied(&[
            Command("systemctl stop rpcbind.socket rpcbind.service 2>/dev/null || true"),
            Command("systemctl mask nfs-server.service rpcbind.service rpcbind.socket"),
        ]),
        reason: "EFS needs the NFS client, and NFS 4 no port mapper.",
    },
];
