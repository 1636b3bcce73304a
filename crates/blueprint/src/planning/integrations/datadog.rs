//! Datadog: the agent, metrics, traces and logs.

use mck_environment::{settings::Datadog, units::Size};

use super::{Contribution, PublicApp, Vendor, variables};
use crate::{
    model::{Container, Image},
    planning::{app::container, context::Context},
};

/// Where the agent's sockets are, on the server and in containers (Datadog documentation, "DogStatsD
/// and APM over Unix Domain Socket").
const SOCKETS: &str = "/var/run/datadog";
/// The socket for traces.
const TRACES: &str = "/var/run/datadog/apm.socket";
/// The socket for metrics.
const METRICS: &str = "/var/run/datadog/dsd.socket";

impl Vendor for Datadog {
    fn name(&self) -> &'static str {
        "datadog"
    }

    fn contribute(&self, context: &Context<'_>, _: &[PublicApp]) -> Contribution {
        let mut contribution = Contribution {
            secrets: vec![(self.api_key.clone(), "Datadog API key".to_owned())],
            ..Contribution::default()
        };
        if context.is_local() {
            contribution.statements = vec![
                "Nothing locally: the agent's image is not among this machine's programs"
                    .to_owned(),
            ];
            return contribution;
        }
        let flag = |on: bool| if on { "true" } else { "false" };
        // A task in a network of its own (`awsvpc`) does not know its server's address, so PHP and
        // the agent meet at sockets in a folder of the server.
        contribution.environment = variables([
            ("DD_TRACE_AGENT_URL", &format!("unix://{TRACES}")),
            ("DD_DOGSTATSD_URL", &format!("unix://{METRICS}")),
            ("DD_ENV", &context.environment.name),
            ("DD_TRACE_ENABLED", flag(self.apm)),
        ]);
        contribution.mounts = vec![container::host(SOCKETS, SOCKETS, true)];
        contribution.daemons = vec![Container {
            environment: variables([
                ("DD_SITE", self.site.as_str()),
                ("DD_ENV", &context.environment.name),
                ("DD_APM_ENABLED", flag(self.apm)),
                ("DD_APM_RECEIVER_SOCKET", TRACES),
                ("DD_DOGSTATSD_SOCKET", METRICS),
                ("DD_LOGS_ENABLED", flag(self.logs)),
                ("DD_LOGS_CONFIG_CONTAINER_COLLECT_ALL", flag(self.logs)),
            ]),
            mounts: [
                (SOCKETS, SOCKETS, false),
                ("/var/run/docker.sock", "/var/run/docker.sock", true),
                ("/host/proc", "/proc", true),
                ("/host/sys/fs/cgroup", "/sys/fs/cgroup", true),
                (
                    "/var/lib/docker/containers",
                    "/var/lib/docker/containers",
                    true,
                ),
            ]
            .map(|(path, source, read_only)| container::host(path, source, read_only))
            .to_vec(),
            secrets: variables([("DD_API_KEY", &self.api_key)]),
            cpu: 100,
            memory_reservation: Size::from_mib(256),
            memory: Some(Size::from_mib(512)),
            read_only_root: false,
            ..container::blank(
                "datadog-agent",
                "The Datadog agent, which takes metrics, traces and logs from the server's tasks",
                Image::Oci("public.ecr.aws/datadog/agent:7".to_owned()),
            )
        }];
        contribution.statements = vec![
            "A Datadog agent runs on every App Server".to_owned(),
            format!("PHP containers hand it traces and metrics at sockets in {SOCKETS}"),
        ];
        contribution
    }
}
