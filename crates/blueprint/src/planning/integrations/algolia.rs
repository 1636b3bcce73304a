//! Algolia: search.

use mck_environment::settings::Algolia;

use super::{Contribution, PublicApp, Vendor, variables};
use crate::planning::context::Context;

impl Vendor for Algolia {
    fn name(&self) -> &'static str {
        "algolia"
    }

    fn contribute(&self, _: &Context<'_>, _: &[PublicApp]) -> Contribution {
        let environment = self
            .application_id
            .as_deref()
            .map(|id| variables([("ALGOLIA_APPLICATION_ID", id)]))
            .unwrap_or_default();
        Contribution {
            secrets: vec![(
                self.admin_api_key.clone(),
                "Algolia admin API key".to_owned(),
            )],
            environment,
            environment_secrets: variables([("ALGOLIA_ADMIN_API_KEY", &self.admin_api_key)]),
            statements: vec![
                "PHP containers get Algolia's application id and admin API key".to_owned(),
            ],
            ..Contribution::default()
        }
    }
}
