//! Blackfire: the agent beside php-fpm.

use mck_environment::{settings::Blackfire, units::Size};

use super::{Contribution, PublicApp, Vendor, variables};
use crate::{
    model::{Container, Image},
    planning::{app::container, context::Context},
};

/// The agent's port (Blackfire documentation, "Docker").
const PORT: u16 = 8307;

impl Vendor for Blackfire {
    fn name(&self) -> &'static str {
        "blackfire"
    }

    fn contribute(&self, context: &Context<'_>, _: &[PublicApp]) -> Contribution {
        let mut contribution = Contribution {
            secrets: vec![
                (self.server_id.clone(), "Blackfire server id".to_owned()),
                (
                    self.server_token.clone(),
                    "Blackfire server token".to_owned(),
                ),
            ],
            ..Contribution::default()
        };
        if context.is_local() {
            contribution.statements = vec![
                "Nothing locally: the agent's image is not among this machine's programs"
                    .to_owned(),
            ];
            return contribution;
        }
        let socket = format!("tcp://127.0.0.1:{PORT}");
        contribution.environment = variables([("BLACKFIRE_AGENT_SOCKET", &socket)]);
        contribution.sidecars = vec![Container {
            secrets: variables([
                ("BLACKFIRE_SERVER_ID", &self.server_id),
                ("BLACKFIRE_SERVER_TOKEN", &self.server_token),
            ]),
            port: Some(PORT),
            memory_reservation: Size::from_mib(64),
            essential: false,
            read_only_root: false,
            ..container::blank(
                "blackfire",
                "The Blackfire agent, which takes profiles from PHP",
                Image::Oci("blackfire/blackfire:2".to_owned()),
            )
        }];
        contribution.statements =
            vec!["A Blackfire agent runs beside php-fpm in every task".to_owned()];
        contribution
    }
}
