//! Logging in to servers: to the Bastion from its own network namespace, which stands for Session
//! Manager, and through it to the App Servers.

use std::{fs, path::PathBuf};

use mck_server_config::sshd::{self, ClientHost, LoginUser};

use super::{ClientError, context};
use crate::{
    keys,
    layout::{Layout, write_atomically},
    network::namespace_path,
    servers::{Context, shell::PORT},
};

/// The names of the servers that can be logged in to.
///
/// # Errors
/// When nothing was applied.
pub fn ssh_hosts(layout: &Layout) -> Result<Vec<String>, ClientError> {
    Ok(hosts(&context(layout)?)
        .into_iter()
        .map(|host| host.alias)
        .collect())
}

/// The command that logs in to a server, or runs a command there.
///
/// # Errors
/// When there is no such server, or no Bastion.
pub fn ssh_command(
    layout: &Layout,
    server: &str,
    command: &[String],
) -> Result<Vec<String>, ClientError> {
    let context = context(layout)?;
    let hosts = hosts(&context);
    if !hosts.iter().any(|host| host.alias == server) {
        return Err(ClientError::Unknown {
            kind: "server",
            name: server.to_owned(),
            known: hosts.into_iter().map(|host| host.alias).collect(),
        });
    }
    let folder = layout.run().join("ssh");
    let (config, known_hosts) = (folder.join("config"), folder.join("known_hosts"));
    let identity = layout.keys().join(keys::files::CLIENT);
    let text = |path: &PathBuf| path.display().to_string();
    let rendered = sshd::render_client_config(&hosts, &text(&identity), &text(&known_hosts))
        .map_err(|error| ClientError::Server(error.into()))?;
    let known: String = hosts
        .iter()
        .filter_map(|host| {
            let key = context.keys.public_host_keys.get(&host.alias)?;
            Some(sshd::known_hosts_line(host.address, host.port, key))
        })
        .collect();
    fs::create_dir_all(&folder)
        .and_then(|()| write_atomically(&config, rendered.as_bytes()))
        .and_then(|()| write_atomically(&known_hosts, known.as_bytes()))
        .map_err(|source| ClientError::File {
            path: folder,
            source,
        })?;
    let client = sshd::client_command_line(&text(&config), server, command)
        .map_err(|error| ClientError::Server(error.into()))?;
    let bastion = layout.id().namespace(BASTION);
    let enter = format!("--net={}", namespace_path(&bastion).display());
    Ok(["/usr/bin/nsenter".to_owned(), enter, "--".to_owned()]
        .into_iter()
        .chain(client)
        .collect())
}

/// The Bastion's name in the blueprint.
const BASTION: &str = "bastion";

fn hosts(context: &Context) -> Vec<ClientHost> {
    let user = LoginUser::bastion().name;
    let blueprint = &context.blueprint;
    let Some(bastion) = &blueprint.bastion else {
        return Vec::new();
    };
    let host = |node: &mck_blueprint::model::Node, jump: Option<&str>| ClientHost {
        alias: node.name.clone(),
        address: node.address.into(),
        port: PORT,
        user: user.clone(),
        jump: jump.map(str::to_owned),
    };
    let servers = blueprint
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.servers);
    std::iter::once(host(&bastion.node, None))
        .chain(servers.map(|server| host(&server.node, Some(BASTION))))
        .collect()
}
