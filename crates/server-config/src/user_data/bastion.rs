//! The Bastion: Ubuntu 24.04 LTS, a jump host that keeps itself up to date.

use super::{
    cloudwatch_agent,
    hardening::{self, Role},
    script::Script,
};
use crate::text::{UnsafeText, line, word};

/// The key that signs the CloudWatch agent for Ubuntu (CloudWatch user guide, "Verify the signature
/// of the CloudWatch agent package").
const AGENT_KEY: &str = "937616F3450B7D806CBD9725D58167303B789C72";

/// Security updates with a restart at night where one is needed. A jump host has nobody to ask.
const UNATTENDED_UPGRADES: &str = r#"APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
Unattended-Upgrade::Remove-Unused-Kernel-Packages "true";
Unattended-Upgrade::Remove-Unused-Dependencies "true";
Unattended-Upgrade::Automatic-Reboot "true";
Unattended-Upgrade::Automatic-Reboot-WithUsers "true";
Unattended-Upgrade::Automatic-Reboot-Time "03:30";
"#;

/// `fail2ban` reads the journal, where sshd of Ubuntu 24.04 writes. Who comes back is banned for
/// longer each time.
const FAIL2BAN: &str = "[DEFAULT]
backend = systemd
banaction = nftables-multiport
bantime = 1h
bantime.increment = true
bantime.maxtime = 1w
findtime = 10m
maxretry = 5

[sshd]
enabled = true
mode = aggressive
";

/// The Bastion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bastion<'a> {
    /// The log group of its system logs.
    pub log_group: &'a str,
    /// OpenSSH public keys that may log in as `ubuntu`.
    pub authorized_keys: &'a [String],
}

/// The cloud-config.
///
/// # Errors
/// [`UnsafeText`] when a name or key would change the meaning of the file.
pub fn render(bastion: &Bastion<'_>) -> Result<String, UnsafeText> {
    // The address comes a moment after the instance, and before it there is no way out.
    let mut text = "#cloud-config
bootcmd:
- for attempt in $(seq 60); do curl -sI -m 5 http://archive.ubuntu.com/ubuntu/ >/dev/null && break; sleep 5; done
package_update: true
package_upgrade: true
packages: [auditd, fail2ban, nftables, python3-systemd, unattended-upgrades]
disable_root: true
ssh_pwauth: false
ssh_deletekeys: true
ssh_genkeytypes: [ed25519]
"
    .to_owned();
    if !bastion.authorized_keys.is_empty() {
        text.push_str("ssh_authorized_keys:\n");
        for key in bastion.authorized_keys {
            let key = line("an authorized key", key)?.replace('\'', "''");
            text.push_str(&format!("- '{key}'\n"));
        }
    }
    text.push_str("write_files:\n");
    for (path, mode, content) in [
        (
            "/etc/apt/apt.conf.d/60-mck-unattended-upgrades",
            "0644",
            UNATTENDED_UPGRADES,
        ),
        ("/etc/fail2ban/jail.local", "0644", FAIL2BAN),
        (SETUP, "0700", &setup(bastion)?),
    ] {
        text.push_str(&write_file(path, mode, content));
    }
    // No shell at the end: a failing command must not hide the next.
    text.push_str(&format!("runcmd:\n- [{SETUP}]\n"));
    Ok(text)
}

const SETUP: &str = "/usr/local/sbin/set-up-bastion";

/// What a cloud-config can't say: the hardening and the CloudWatch agent.
fn setup(bastion: &Bastion<'_>) -> Result<String, UnsafeText> {
    let log_group = word("the log group", bastion.log_group)?;
    let mut script = Script::that_goes_on();
    script.append(&hardening::script(Role::Bastion));
    script.line("systemctl try-restart ssh.service");
    script.line("systemctl enable --now unattended-upgrades.service");
    script.line("systemctl enable fail2ban.service");
    script.line("systemctl restart fail2ban.service");
    install_agent(&mut script);
    cloudwatch_agent::start(
        &mut script,
        log_group,
        &[
            ("/var/log/auth.log", "auth"),
            ("/var/log/fail2ban.log", "fail2ban"),
            (
                "/var/log/unattended-upgrades/unattended-upgrades.log",
                "unattended-upgrades",
            ),
        ],
    );
    Ok(script.text())
}

/// Ubuntu has no package of the agent: AWS's own, if its signature is good.
fn install_agent(script: &mut Script) {
    script.line("cd \"$(mktemp -d)\" || exit 1");
    script.line("agent=https://amazoncloudwatch-agent.s3.amazonaws.com");
    script.line("deb=ubuntu/$(dpkg --print-architecture)/latest/amazon-cloudwatch-agent.deb");
    script.line("curl -fsS --retry 5 -o agent.gpg $agent/assets/amazon-cloudwatch-agent.gpg");
    script
        .line("curl -fsS --retry 5 -o agent.deb \"$agent/$deb\" -o agent.sig \"$agent/$deb.sig\"");
    script.line("export GNUPGHOME=$PWD");
    script.line("gpg --batch --quiet --import agent.gpg");
    script.line(&format!(
        "gpg --batch --status-fd 1 --verify agent.sig agent.deb 2>/dev/null | \
         awk '$2 == \"VALIDSIG\" && $NF == \"{AGENT_KEY}\" {{ found = 1 }} END {{ exit !found }}' && \
         dpkg --install agent.deb"
    ));
}

/// An entry of `write_files`: a block that YAML takes literally.
fn write_file(path: &str, mode: &str, content: &str) -> String {
    let mut text = format!("- path: {path}\n  permissions: '{mode}'\n  content: |\n");
    for line in content.lines() {
        if !line.is_empty() {
            text.push_str("    ");
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}
