//! Bugsnag: error reports.

use mck_environment::settings::Bugsnag;

use super::{Contribution, PublicApp, Vendor, variables};
use crate::planning::context::Context;

impl Vendor for Bugsnag {
    fn name(&self) -> &'static str {
        "bugsnag"
    }

    fn contribute(&self, context: &Context<'_>, _: &[PublicApp]) -> Contribution {
        Contribution {
            secrets: vec![(self.api_key.clone(), "Bugsnag API key".to_owned())],
            environment: variables([("BUGSNAG_RELEASE_STAGE", &context.environment.name)]),
            environment_secrets: variables([("BUGSNAG_API_KEY", &self.api_key)]),
            statements: vec!["PHP containers report errors to Bugsnag".to_owned()],
            ..Contribution::default()
        }
    }
}
