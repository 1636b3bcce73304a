//! Datadog: the agent, metrics, traces and logs.

use mck_environment::{settings::Datadog, units::Size};

use super::{Contribution, PublicApp, Vendor, variables};
use crate::{
    model::{Container, Image},
    planning::{app::container, context::Context},
};

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
        contribution.environment = variables([
            ("DD_AGENT_HOST", "127.0.0.1"),
            ("DD_ENV", &context.environment.name),
            ("DD_TRACE_ENABLED", flag(self.apm)),
        ]);
        // Tasks have addresses of their own (`awsvpc`), so the agent is beside PHP on loopback.
        contribution.sidecars = vec![Container {
            environment: variables([
                ("DD_SITE", &self.site),
                ("DD_ENV", &context.environment.name),
                ("DD_APM_ENABLED", flag(self.apm)),
                ("DD_LOGS_ENABLED", flag(self.logs)),
            ]),
            secrets: variables([("DD_API_KEY", &self.api_key)]),
            cpu: 100,
            memory_reservation: Size::from_mib(256),
            essential: false,
            read_only_root: false,
            ..container::blank(
                "datadog-agent",
                "The Datadog agent, which takes metrics, traces and logs from the task",
                Image::Oci("public.ecr.aws/datadog/agent:7".to_owned()),
            )
        }];
        contribution.statements = vec!["A Datadog agent runs in every task".to_owned()];
        contribution
    }
}
