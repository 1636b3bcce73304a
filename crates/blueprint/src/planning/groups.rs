//! The names of security groups.

use crate::model::SecurityGroupName;

macro_rules! groups {
    ($($function:ident = $name:literal;)*) => {
        $(pub(super) fn $function() -> SecurityGroupName {
            SecurityGroupName($name.to_owned())
        })*
    };
}

groups! {
    load_balancer = "load-balancer";
    bastion = "bastion";
    database = "database";
    memcached = "memcached";
    file_system = "file-system";
    jenkins = "jenkins";
    jenkins_home = "jenkins-home";
    search = "search";
    message_broker = "message-broker";
    endpoints = "endpoints";
}

/// The group of a Redis cluster: its name.
pub(super) fn redis(name: &str) -> SecurityGroupName {
    SecurityGroupName(name.to_owned())
}

/// The group of a cluster's App Servers.
pub(super) fn servers(cluster: &str) -> SecurityGroupName {
    SecurityGroupName(format!("servers-{cluster}"))
}

/// The group of an app's tasks.
pub(super) fn app(app: &str) -> SecurityGroupName {
    SecurityGroupName(format!("app-{app}"))
}
