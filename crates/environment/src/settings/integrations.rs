//! `[integration.VENDOR]`: each present table switches a vendor on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Third-party vendors; keys that are secret are names of secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Integrations {
    /// Cloudflare as the front instead of CloudFront.
    pub cloudflare: Option<Cloudflare>,
    /// Bugsnag error reports.
    pub bugsnag: Option<Bugsnag>,
    /// Datadog metrics, traces and logs.
    pub datadog: Option<Datadog>,
    /// New Relic's PHP agent.
    pub new_relic: Option<NewRelic>,
    /// Blackfire's agent beside php-fpm.
    pub blackfire: Option<Blackfire>,
    /// Algolia search.
    pub algolia: Option<Algolia>,
    /// Nosto personalisation.
    pub nosto: Option<Nosto>,
    /// Pingdom uptime checks.
    pub pingdom: Option<Pingdom>,
}

macro_rules! vendor {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

vendor! {
    /// Cloudflare: only its published ranges reach the load balancer.
    Cloudflare {
        /// The zone's id at Cloudflare.
        zone_id: Option<String> = None,
        /// The secret with an API token for the zone.
        api_token: String = "cloudflare-api-token".to_owned(),
    }
}
vendor! {
    /// Bugsnag.
    Bugsnag {
        /// The secret with the API key.
        api_key: String = "bugsnag-api-key".to_owned(),
    }
}
vendor! {
    /// Datadog: the agent on each App Server.
    Datadog {
        /// The secret with the API key.
        api_key: String = "datadog-api-key".to_owned(),
        /// The site, such as `datadoghq.com` or `datadoghq.eu`.
        site: String = "datadoghq.com".to_owned(),
        /// Send traces.
        apm: bool = true,
        /// Send logs.
        logs: bool = true,
    }
}
vendor! {
    /// New Relic.
    NewRelic {
        /// The secret with the licence key.
        license_key: String = "new-relic-license-key".to_owned(),
    }
}
vendor! {
    /// Blackfire.
    Blackfire {
        /// The secret with the server id.
        server_id: String = "blackfire-server-id".to_owned(),
        /// The secret with the server token.
        server_token: String = "blackfire-server-token".to_owned(),
    }
}
vendor! {
    /// Algolia.
    Algolia {
        /// The application id, which is public.
        application_id: Option<String> = None,
        /// The secret with the admin API key.
        admin_api_key: String = "algolia-admin-api-key".to_owned(),
    }
}
vendor! {
    /// Nosto.
    Nosto {
        /// The account name, which is public.
        account: Option<String> = None,
        /// The secret with the API token.
        api_token: String = "nosto-api-token".to_owned(),
    }
}
vendor! {
    /// Pingdom.
    Pingdom {
        /// The secret with the API token.
        api_token: String = "pingdom-api-token".to_owned(),
    }
}
