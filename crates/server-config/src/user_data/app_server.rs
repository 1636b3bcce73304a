//! An App Server: the ECS-optimised Amazon Linux 2023, hardened, in its cluster.

use super::{
    cloudwatch_agent,
    hardening::{self, Role},
    script::Script,
    security_updates,
};
use crate::text::{UnsafeText, line, word};

/// Rules for bridged containers. `awsvpc` tasks are kept from the metadata service by the agent, and
/// both by the hop limit of 1 in the launch template; this is for a container that someone starts by
/// hand. `DOCKER-USER` is Docker's chain for the administrator's own rules.
const METADATA_BLOCK: &str = "[Unit]
Description=No instance metadata for containers on Docker's bridge
After=docker.service
Requires=docker.service
PartOf=docker.service
Before=ecs.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/iptables -I DOCKER-USER 1 -i docker+ -d 169.254.169.254/32 -j DROP
ExecStop=/usr/sbin/iptables -D DOCKER-USER -i docker+ -d 169.254.169.254/32 -j DROP

[Install]
WantedBy=docker.service
";

/// An App Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppServer<'a> {
    /// The name of its ECS cluster.
    pub cluster: &'a str,
    /// The log group of its system logs.
    pub log_group: &'a str,
    /// Whether its Auto Scaling group keeps a warm pool.
    pub warm_pool: bool,
    /// OpenSSH public keys that may log in as `ec2-user`; with none there is no SSH server, and the
    /// door is Session Manager.
    pub authorized_keys: &'a [String],
}

/// The script. The ECS agent starts after it (`ecs.service` of the image comes after
/// `cloud-final.service`), so that no task is placed on a server that is not hardened yet.
///
/// # Errors
/// [`UnsafeText`] when a name or key would change the meaning of the script.
pub fn render(server: &AppServer<'_>) -> Result<String, UnsafeText> {
    let log_group = word("the log group", server.log_group)?;
    let mut script = Script::that_goes_on();
    script.file("/etc/ecs/ecs.config", "0600", &ecs_config(server)?);
    script.file(
        "/etc/systemd/system/block-metadata.service",
        "0644",
        METADATA_BLOCK,
    );
    script.line("systemctl daemon-reload");
    script.line("systemctl enable block-metadata.service");
    script.append(&hardening::script(Role::AppServer));
    ssh(&mut script, server.authorized_keys)?;
    security_updates::timer(&mut script);
    script.line("dnf install --assumeyes --quiet amazon-cloudwatch-agent");
    cloudwatch_agent::start(
        &mut script,
        log_group,
        &[
            ("/var/log/ecs/ecs-agent.log", "ecs-agent"),
            ("/var/log/ecs/ecs-init.log", "ecs-init"),
            ("/var/log/dnf.log", "dnf"),
        ],
    );
    // Docker may have started before the unit was there.
    script.line("systemctl start --no-block block-metadata.service");
    Ok(script.text())
}

/// The ECS agent's settings (ECS developer guide, "Amazon ECS container agent configuration").
fn ecs_config(server: &AppServer<'_>) -> Result<String, UnsafeText> {
    let cluster = word("the cluster's name", server.cluster)?;
    // Images have immutable tags: what was pulled once need not be asked for again. (With
    // `prefer-cached` the agent would never remove an image.) Jobs leave many stopped containers
    // behind, so they go after an hour instead of three. A server in a warm pool must not register
    // itself before it is in service. The time to stop is the task definition's; this is for
    // containers without one.
    Ok(format!(
        "ECS_CLUSTER={cluster}
ECS_ENABLE_TASK_IAM_ROLE=true
ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST=true
ECS_AWSVPC_BLOCK_IMDS=true
ECS_DISABLE_PRIVILEGED=true
ECS_ENABLE_SPOT_INSTANCE_DRAINING=true
ECS_WARM_POOLS_CHECK={warm_pool}
ECS_CONTAINER_STOP_TIMEOUT=120s
ECS_IMAGE_PULL_BEHAVIOR=once
ECS_IMAGE_CLEANUP_INTERVAL=30m
ECS_IMAGE_MINIMUM_CLEANUP_AGE=1h
ECS_NUM_IMAGES_DELETE_PER_CYCLE=10
ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=1h
",
        warm_pool = server.warm_pool,
    ))
}

fn ssh(script: &mut Script, keys: &[String]) -> Result<(), UnsafeText> {
    if keys.is_empty() {
        script.line("systemctl disable --now sshd.service");
        script.line("systemctl mask sshd.service");
        return Ok(());
    }
    let mut text = String::new();
    for key in keys {
        text.push_str(line("an authorized key", key)?);
        text.push('\n');
    }
    // cloud-init puts the key pair's key there; there is no key pair.
    let folder = "/home/ec2-user/.ssh";
    script.file(&format!("{folder}/authorized_keys"), "0600", &text);
    script.line(&format!("chown -R ec2-user: {folder}"));
    script.line(&format!("chmod 0700 {folder}"));
    script.line("systemctl restart sshd.service");
    Ok(())
}
