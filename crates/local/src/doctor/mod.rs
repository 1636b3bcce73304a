//! What the local target needs of this machine, whether it is there, and how to mend what is not.
//!
//! [`requirements`] is a pure table of programs, PHP extensions and files for a blueprint.
//! [`Doctor::glance`] looks whether they are there and starts no process, so that every `mck up`
//! can afford it; [`Doctor::examine`] also asks programs for their versions and tries the kernel's
//! features in throw-away namespaces. [`install`] fetches what is missing with apt.

mod install;
mod kernel;
mod machine;
mod port;
mod requirements;
mod storage;

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use mck_blueprint::Blueprint;
use mck_environment::settings::Local;
use serde::Serialize;

pub use install::{InstallError, InstallProgress, install};
pub use machine::Machine;
pub use port::look as port;
pub use requirements::{Need, Requirement, requirements};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// Who runs the program.
    Privilege,
    /// Features of the Linux kernel.
    Kernel,
    /// Control groups.
    ControlGroups,
    /// The folder of all environments can be written to.
    StateFolder,
    /// The room in that folder.
    Space,
    /// A port of the host.
    Port,
    /// A program.
    Program,
    /// A PHP extension.
    PhpExtension,
    /// Files of a package.
    Files,
    /// What an interrupted installation left behind.
    Installation,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it must be.
    Ok,
    /// It works, but not as well as it could.
    Warning,
    /// The local target can't work without it.
    Missing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What it is about.
    pub area: Area,
    /// Its name, such as `haproxy` or `port 8080`.
    pub name: String,
    /// How it stands.
    pub status: Status,
    /// What was found, or what it is needed for.
    pub detail: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// The Debian packages that bring it.
    pub packages: Vec<String>,
}

impl Finding {
    fn new(area: Area, name: impl Into<String>, status: Status, detail: impl Into<String>) -> Self {
        Self {
            area,
            name: name.into(),
            status,
            detail: detail.into(),
            hint: None,
            packages: Vec::new(),
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The Debian packages that would mend findings, sorted, each once.
pub fn packages(findings: &[Finding]) -> Vec<String> {
    let missing = findings
        .iter()
        .filter(|finding| finding.status == Status::Missing);
    let mut packages: Vec<String> = missing
        .flat_map(|finding| finding.packages.clone())
        .collect();
    packages.sort();
    packages.dedup();
    packages
}

/// Looks at a machine on behalf of one environment, or of any, when there is no blueprint.
#[derive(Debug, Clone)]
pub struct Doctor {
    requirements: Vec<Requirement>,
    state_folder: PathBuf,
    /// The host's addresses that must be free; none while the environment itself has them.
    addresses: Vec<SocketAddr>,
    machine: Machine,
}

impl Doctor {
    /// A doctor for an environment. `running` says that the environment has its ports already.
    pub fn new(blueprint: &Blueprint, local: &Local, state_folder: &Path, running: bool) -> Self {
        let ports = [local.http_port, local.https_port];
        let address = |port| SocketAddr::new(listen_address(local), port);
        Self {
            requirements: requirements(blueprint, local),
            state_folder: state_folder.to_owned(),
            addresses: ports
                .into_iter()
                .filter(|_| !running)
                .map(address)
                .collect(),
            machine: Machine::new(Path::new("/")),
        }
    }

    /// What can be seen without starting a process, in a few milliseconds.
    pub fn glance(&self) -> Vec<Finding> {
        let mut findings = vec![privilege()];
        findings.extend(kernel::glance());
        findings.push(kernel::control_groups());
        findings.extend(storage::look(&self.state_folder));
        findings.extend(self.addresses.iter().map(|address| port::look(*address)));
        findings.extend(self.machine.look(&self.requirements));
        findings
    }

    /// Everything: [`Self::glance`] with the programs' versions, PHP's own word for its
    /// extensions, and the kernel's features tried out.
    pub fn examine(&self) -> Vec<Finding> {
        let mut findings = vec![privilege()];
        findings.extend(kernel::examine());
        findings.push(kernel::control_groups());
        findings.extend(storage::look(&self.state_folder));
        findings.extend(self.addresses.iter().map(|address| port::look(*address)));
        findings.extend(self.machine.examine(&self.requirements));
        findings.extend(install::leftover());
        findings
    }
}

fn listen_address(local: &Local) -> IpAddr {
    local.listen
}

fn privilege() -> Finding {
    if rustix::process::geteuid().is_root() {
        Finding::new(Area::Privilege, "root", Status::Ok, "running as root")
    } else {
        let detail = "namespaces, mounts and control groups are made by root";
        Finding::new(Area::Privilege, "root", Status::Missing, detail)
            .hint("run it with `sudo`, or as root")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_what_is_missing_are_named_once() {
        let finding = |status, packages: &[&str]| Finding {
            packages: packages.iter().map(|name| (*name).to_owned()).collect(),
            ..Finding::new(Area::Program, "x", status, "")
        };
        let findings = [
            finding(Status::Missing, &["nginx-light"]),
            finding(Status::Ok, &["crun"]),
            finding(Status::Missing, &["mariadb-server", "nginx-light"]),
        ];
        assert_eq!(packages(&findings), ["mariadb-server", "nginx-light"]);
    }
}
