//! The servers of an environment as containers: what the blueprint says of a node, together with
//! the configuration files of the real program.
//!
//! All of it is pure: host paths, users and secrets come in through [`Context`].

pub mod data;
pub mod edge;
pub mod shell;
pub mod task;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use mck_blueprint::{Blueprint, model::Node};
use mck_server_config::{haproxy::RenderError, text::UnsafeText};

use crate::{
    accounts::{Accounts, UnknownUser},
    container::{BindMount, ContainerPlan, FilePlan, Limits, RootTree, Temporary, User},
    image::DefaultsError,
    keys::Keys,
    layout::Layout,
    secrets::SecretValues,
};

/// Where a container finds the sockets that the supervisor talks to.
pub const CONTROL: &str = "/run/control";

/// Why a server could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A package that brings its user is not installed.
    #[error(transparent)]
    User(#[from] UnknownUser),
    /// An image was not pulled.
    #[error("the image {0} was not pulled")]
    NoImage(String),
    /// An image does not fit the container.
    #[error(transparent)]
    Image(#[from] DefaultsError),
    /// A value does not fit into a configuration file.
    #[error("a configuration file can't hold a value")]
    Text(#[from] UnsafeText),
    /// HAProxy's configuration can't hold a value.
    #[error("the load balancer's configuration can't hold a value")]
    LoadBalancer(#[from] RenderError),
}

/// What is known besides the blueprint.
#[derive(Debug, Clone)]
pub struct Context {
    /// The architecture.
    pub blueprint: Blueprint,
    /// The folder that sources of apps are relative to.
    pub folder: PathBuf,
    /// Where things are kept.
    pub layout: Layout,
    /// The machine's users.
    pub accounts: Accounts,
    /// Values of secrets.
    pub secrets: SecretValues,
    /// Keys and certificates.
    pub keys: Keys,
}

/// A program that listens on a port when it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// A TCP port in its network namespace is listened on.
    Tcp(u16),
    /// A UDP port in its network namespace is bound.
    Udp(u16),
}

/// A server: its container, and when it is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerPlan {
    /// The container.
    pub container: ContainerPlan,
    /// When it is ready.
    pub readiness: Readiness,
}

impl Context {
    /// The network namespace of a part, as a file.
    pub fn namespace(&self, part: &str) -> PathBuf {
        crate::network::namespace_path(&self.layout.id().namespace(part))
    }

    /// A container with nothing but a program: no capability, a read-only root, memory for `/tmp`
    /// and `/run`, and no sight of any environment's state.
    fn container(
        &self,
        part: &str,
        user: &str,
        command: Vec<String>,
    ) -> Result<ContainerPlan, UnknownUser> {
        Ok(ContainerPlan {
            id: part.to_owned(),
            network_namespace: self.namespace(part),
            hostname: part.to_owned(),
            command,
            working_directory: "/".to_owned(),
            user: self.accounts.user(user)?,
            environment: crate::container::plan::Environment(BTreeMap::new()),
            root: RootTree::Machine,
            read_only_root: true,
            capabilities: Vec::new(),
            trees: Vec::new(),
            binds: Vec::new(),
            folders: Vec::new(),
            temporary: ["/tmp", "/run"].map(Temporary::shared).to_vec(),
            files: vec![self.resolver_file()],
            masked: vec![self.layout.state_folder().display().to_string()],
            cgroup: PathBuf::from(self.layout.id().as_str()).join(part),
            limits: Limits::default(),
            stop_signal: "SIGTERM".to_owned(),
            stop_timeout: Duration::from_secs(10),
            stop_order: 2,
            terminal: false,
        })
    }

    /// As [`Self::container`], with the folder of control sockets.
    fn server(
        &self,
        part: &str,
        user: &str,
        command: Vec<String>,
        readiness: Readiness,
    ) -> Result<ServerPlan, UnknownUser> {
        let mut container = self.container(part, user, command)?;
        let control = self.layout.control(part);
        container.binds.push(BindMount {
            source: control.clone(),
            path: CONTROL.to_owned(),
            read_only: false,
        });
        container.folders.push((control, container.user.clone()));
        Ok(ServerPlan {
            container,
            readiness,
        })
    }

    /// `/etc/resolv.conf`: the VPC's own resolver.
    fn resolver_file(&self) -> FilePlan {
        let resolver = self.blueprint.network.resolver;
        root_file(
            "/etc/resolv.conf",
            format!("nameserver {resolver}\noptions timeout:1 attempts:3\n"),
        )
    }
}

/// A configuration file that everyone may read.
fn root_file(path: &str, content: String) -> FilePlan {
    FilePlan {
        path: path.to_owned(),
        content,
        mode: 0o644,
        owner: User { uid: 0, gid: 0 },
    }
}

/// A configuration file that only the server may read.
fn private_file(path: &str, content: &str, owner: &User) -> FilePlan {
    FilePlan {
        path: path.to_owned(),
        content: content.to_owned(),
        mode: 0o400,
        owner: owner.clone(),
    }
}

/// The index of a node among its cluster's members, and so its number; the members' order never
/// changes.
fn position(members: &[Node], name: &str) -> usize {
    members
        .iter()
        .position(|member| member.name == name)
        .unwrap_or_default()
}
