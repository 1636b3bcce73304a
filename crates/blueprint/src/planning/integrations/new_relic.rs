//! New Relic: the PHP agent, which the app's image brings and which starts its own daemon.

use mck_environment::settings::NewRelic;

use super::{Contribution, PublicApp, Vendor, variables};
use crate::planning::context::Context;

impl Vendor for NewRelic {
    fn name(&self) -> &'static str {
        "new-relic"
    }

    fn contribute(&self, context: &Context<'_>, _: &[PublicApp]) -> Contribution {
        Contribution {
            secrets: vec![(self.license_key.clone(), "New Relic licence key".to_owned())],
            environment: variables([("NEW_RELIC_APP_NAME", &context.prefix())]),
            environment_secrets: variables([("NEW_RELIC_LICENSE_KEY", &self.license_key)]),
            statements: vec![
                "PHP containers get New Relic's app name and licence key for the PHP agent"
                    .to_owned(),
            ],
            ..Contribution::default()
        }
    }
}
