//! Nosto: personalisation.

use mck_environment::settings::Nosto;

use super::{Contribution, PublicApp, Vendor, variables};
use crate::planning::context::Context;

impl Vendor for Nosto {
    fn name(&self) -> &'static str {
        "nosto"
    }

    fn contribute(&self, _: &Context<'_>, _: &[PublicApp]) -> Contribution {
        let environment = self
            .account
            .as_deref()
            .map(|account| variables([("NOSTO_ACCOUNT", account)]))
            .unwrap_or_default();
        Contribution {
            secrets: vec![(self.api_token.clone(), "Nosto API token".to_owned())],
            environment,
            environment_secrets: variables([("NOSTO_API_TOKEN", &self.api_token)]),
            statements: vec!["PHP containers get Nosto's account and API token".to_owned()],
            ..Contribution::default()
        }
    }
}
