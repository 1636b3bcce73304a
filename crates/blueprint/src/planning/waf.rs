//! The web application firewall.

use mck_environment::units::Duration;

use super::context::Context;
use crate::model::{Front, ManagedRuleGroup, WebAcl};

/// WAF's default window, and the one in whose terms the setting is.
const RATE_WINDOW: Duration = Duration::from_secs(300);
/// Where Cloudflare says who the visitor is (Cloudflare documentation, "HTTP headers").
const CLOUDFLARE_ADDRESS_HEADER: &str = "CF-Connecting-IP";

/// The firewall: on AWS, unless Cloudflare's own is the first that visitors meet.
pub(super) fn plan(context: &Context<'_>, has_content_delivery: bool) -> Option<WebAcl> {
    let settings = &context.settings.waf;
    let cloudflare = context.settings.integration.cloudflare.is_some();
    if context.is_local() || !settings.enabled.unwrap_or(!cloudflare) {
        return None;
    }
    Some(WebAcl {
        name: context.prefix(),
        front: if has_content_delivery {
            Front::ContentDelivery
        } else {
            Front::LoadBalancer
        },
        rate_limit: settings.rate_limit,
        rate_window: RATE_WINDOW,
        client_address_header: cloudflare.then(|| CLOUDFLARE_ADDRESS_HEADER.to_owned()),
        rule_groups: settings
            .rule_groups
            .iter()
            .map(|name| ManagedRuleGroup {
                name: name.clone(),
                counted_rules: settings
                    .counted_rules
                    .get(name)
                    .cloned()
                    .unwrap_or_default(),
            })
            .collect(),
        count_only: settings.count_only,
    })
}
