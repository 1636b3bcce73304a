//! Hardening of the servers, by the recommendations of the CIS Amazon Linux 2023 Benchmark 1.0.0.
//!
//! The table says of every recommendation what becomes of it, and why; from it come the lines of the
//! user data and the page `docs/hardening.md`. The Bastion's Ubuntu is treated by the same topics.

mod access;
mod document;
mod files;
mod logging;
mod network;
mod system;

pub use document::document;

use super::script::Script;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// App Servers: the ECS-optimised Amazon Linux 2023.
    AppServer,
    /// The Bastion: Ubuntu 24.04 LTS.
    Bastion,
    /// Jenkins: Amazon Linux 2023.
    Jenkins,
}

const EVERYWHERE: &[Role] = &[Role::AppServer, Role::Bastion, Role::Jenkins];
const AMAZON_LINUX: &[Role] = &[Role::AppServer, Role::Jenkins];
const APP_SERVER: &[Role] = &[Role::AppServer];
const BASTION: &[Role] = &[Role::Bastion];
const JENKINS: &[Role] = &[Role::Jenkins];
const NOT_APP_SERVER: &[Role] = &[Role::Bastion, Role::Jenkins];

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The recommendations' numbers: single ones and ranges, such as `3.3.1–3.3.3, 3.3.5`.
    pub recommendations: &'static str,
    /// What they are about.
    pub topic: &'static str,
    /// The servers that this row is about.
    pub roles: &'static [Role],
    /// What becomes of them.
    pub treatment: Treatment,
    /// Why, or how.
    pub reason: &'static str,
}

/// What becomes of a recommendation.
#[derive(Debug, Clone, Copy)]
pub enum Treatment {
    /// The user data makes it so.
    Applied(&'static [Change]),
    /// The image comes so, or nothing of the kind is on it.
    Shipped,
    /// It is left out.
    LeftOut,
}

/// A change that the user data makes.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// A kernel parameter and its value.
    Parameter(&'static str, &'static str),
    /// A kernel module that can't be loaded any more.
    Module(&'static str),
    /// A rule of the audit daemon.
    Audit(&'static str),
    /// A file: path, mode, content.
    File(&'static str, &'static str, &'static str),
    /// A command.
    Command(&'static str),
    /// It is done by another part of the user data.
    Elsewhere,
}

/// All rows, by the order of the benchmark.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    [
        system::SETTINGS,
        network::SETTINGS,
        access::SETTINGS,
        logging::SETTINGS,
        files::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

fn changes(role: Role) -> impl Iterator<Item = &'static Change> {
    settings()
        .filter(move |setting| setting.roles.contains(&role))
        .filter_map(|setting| match setting.treatment {
            Treatment::Applied(changes) => Some(changes),
            Treatment::Shipped | Treatment::LeftOut => None,
        })
        .flatten()
}

/// The lines that harden a server of this role.
pub(crate) fn script(role: Role) -> Script {
    let mut script = Script::part();
    let mut parameters = String::new();
    let mut modules = String::new();
    let mut audit = String::new();
    for change in changes(role) {
        match change {
            Change::Parameter(name, value) => {
                parameters.push_str(&format!("{name} = {value}\n"));
            }
            Change::Module(name) => modules.push_str(&format!("install {name} /bin/false\n")),
            Change::Audit(rule) => audit.push_str(&format!("{rule}\n")),
            Change::File(path, mode, content) => script.file(path, mode, content),
            Change::Command(command) => script.line(command),
            Change::Elsewhere => {}
        }
    }
    script.file("/etc/modprobe.d/60-mck.conf", "0644", &modules);
    script.file("/etc/sysctl.d/99-mck.conf", "0644", &parameters);
    script.line("sysctl --quiet --load /etc/sysctl.d/99-mck.conf");
    // What the image has in this file switches system-call rules off.
    script.file(
        "/etc/audit/rules.d/audit.rules",
        "0640",
        "-D\n-b 8192\n-f 1",
    );
    script.file("/etc/audit/rules.d/60-mck.rules", "0640", &audit);
    // System calls that Arm never had.
    script
        .line("[ \"$(uname -m)\" = x86_64 ] || sed -i '/-x86$/d' /etc/audit/rules.d/60-mck.rules");
    script.line("augenrules --load >/dev/null");
    script
}
