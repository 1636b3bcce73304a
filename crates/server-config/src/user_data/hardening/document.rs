//! The page `docs/hardening.md`.

use std::fmt::Write;

use super::{Change, Role, Setting, Treatment, settings};

const HEAD: &str = "\
<!-- Made by `UPDATE_DOCS=1 cargo test -p mck-server-config --test user_data`. Do not edit. -->

# Hardening of the servers

What becomes of each recommendation of the CIS Amazon Linux 2023 Benchmark 1.0.0 (levels 1 and 2) on the
App Servers, the Bastion and Jenkins. The Bastion runs Ubuntu 24.04 LTS and is treated by the same topics.
The user data of the servers is made from the same table, so that this page can't say otherwise.

**yes**: the user data makes it so. **image**: the image comes so. **no**: left out, with the reason.
Numbers are the benchmark's; a line without one goes beyond it.

Two more things are not on the servers:

- *Network interfaces of tasks.* An instance type has few network interfaces, and a task needs one. With the
  account setting `awsvpcTrunking` (ECS developer guide, \"Increasing Amazon ECS Linux container instance network
  interfaces\") it gets several times as many. It is a setting of the account, not of a template:
  `mck apply` switches it on where App Servers need it, before they start (see [what is of the account](aws.md#what-is-of-the-account)).
- *A second factor.* Session Manager asks IAM, where a second factor can be demanded
  (`aws:MultiFactorAuthPresent`). Who opens SSH and wants one there installs `libpam-google-authenticator` on the
  Bastion and sets `AuthenticationMethods publickey,keyboard-interactive` in `/etc/ssh/sshd_config.d`; it is
  per person and by hand, so no template does it.

";

/// The page.
pub fn document() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| CIS | what | App Server | Bastion | Jenkins | why, how |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for setting in settings() {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            setting.recommendations,
            setting.topic,
            word(setting, Role::AppServer),
            word(setting, Role::Bastion),
            word(setting, Role::Jenkins),
            explanation(setting)
        );
    }
    text
}

fn word(setting: &Setting, role: Role) -> &'static str {
    if !setting.roles.contains(&role) {
        return "";
    }
    match setting.treatment {
        Treatment::Applied(_) => "yes",
        Treatment::Shipped => "image",
        Treatment::LeftOut => "no",
    }
}

fn explanation(setting: &Setting) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !setting.reason.is_empty() {
        parts.push(setting.reason.to_owned());
    }
    let Treatment::Applied(changes) = setting.treatment else {
        return parts.join(" ");
    };
    let mut modules = Vec::new();
    let mut parameters = Vec::new();
    let mut files = Vec::new();
    for change in changes {
        match change {
            Change::Module(name) => modules.push(format!("`{name}`")),
            Change::Parameter(name, value) => parameters.push(format!("`{name}={value}`")),
            Change::File(path, _, _) => files.push(format!("`{path}`")),
            Change::Audit(_) | Change::Command(_) | Change::Elsewhere => {}
        }
    }
    for (what, list) in [
        ("Modules", modules),
        ("Parameters", parameters),
        ("Files", files),
    ] {
        if !list.is_empty() {
            parts.push(format!("{what}: {}.", list.join(", ")));
        }
    }
    parts.join(" ")
}
