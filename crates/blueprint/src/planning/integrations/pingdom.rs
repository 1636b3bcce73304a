//! Pingdom: uptime checks from outside.

use mck_environment::settings::Pingdom;

use super::{Contribution, PublicApp, Vendor};
use crate::planning::context::Context;

impl Vendor for Pingdom {
    fn name(&self) -> &'static str {
        "pingdom"
    }

    fn contribute(&self, _: &Context<'_>, apps: &[PublicApp]) -> Contribution {
        Contribution {
            secrets: vec![(self.api_token.clone(), "Pingdom API token".to_owned())],
            health_urls: apps.iter().map(|app| app.health_url.clone()).collect(),
            statements: apps
                .iter()
                .map(|app| format!("Pingdom watches {} of app `{}`", app.health_url, app.name))
                .collect(),
            ..Contribution::default()
        }
    }
}
