//! Servers that people log in to: the Bastion and the App Servers.

use std::time::Duration;

use mck_blueprint::model::Node;
use mck_server_config::sshd::{self, Bastion, Forwarding, LoginUser};

use super::{Context, Readiness, ServerError, ServerPlan, root_file};
use crate::container::{FilePlan, Temporary, User};

const CONFIG: &str = "/etc/mck/sshd_config";
const HOST_KEY: &str = "/etc/mck/host_key";
const AUTHORIZED_KEYS: &str = "/etc/mck/authorized_keys";

/// The port of SSH.
pub const PORT: u16 = 22;

/// A server with nothing but SSH: who may reach what from it is for the security groups.
///
/// # Errors
/// When a value does not fit its configuration.
pub fn shell_server(
    context: &Context,
    node: &Node,
    forwarding: Forwarding,
) -> Result<ServerPlan, ServerError> {
    let login = LoginUser::bastion();
    let options = Bastion {
        address: node.address.into(),
        port: PORT,
        user: login.name.clone(),
        host_key_file: HOST_KEY.to_owned(),
        authorized_keys_file: AUTHORIZED_KEYS.to_owned(),
        forwarding,
        terminal: true,
        max_auth_tries: 3,
    };
    let accounts = sshd::accounts(&login)?;
    let mut plan = context.server(
        &node.name,
        "root",
        sshd::command_line(CONFIG),
        Readiness::Tcp(PORT),
    )?;
    let container = &mut plan.container;
    let private = |path: &str, content: &str| FilePlan {
        path: path.to_owned(),
        content: content.to_owned(),
        mode: 0o600,
        owner: User { uid: 0, gid: 0 },
    };
    let host_key = context
        .keys
        .host_keys
        .get(&node.name)
        .map_or("", String::as_str);
    container.files.extend([
        root_file(CONFIG, sshd::render(&options)?),
        private(HOST_KEY, host_key),
        root_file(
            AUTHORIZED_KEYS,
            sshd::authorized_key_line(&context.keys.client, true),
        ),
        root_file("/etc/passwd", accounts.passwd),
        root_file("/etc/group", accounts.group),
        private("/etc/shadow", &accounts.shadow),
    ]);
    let privilege_separation = Temporary::with_mode(sshd::PRIVILEGE_SEPARATION_DIRECTORY, 0o755);
    container.temporary.push(privilege_separation);
    let capabilities = sshd::CAPABILITIES
        .iter()
        .chain(&sshd::TERMINAL_CAPABILITIES);
    container
        .capabilities
        .extend(capabilities.map(|name| (*name).to_owned()));
    container.stop_timeout = Duration::from_secs(3);
    Ok(plan)
}
