//! `[waf]`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The web application firewall before the front: AWS WAF at CloudFront where there is one, else at
/// the load balancer (AWS only).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Waf {
    /// Whether there is one. Default: on AWS, unless Cloudflare is the front.
    pub enabled: Option<bool>,
    /// Requests that an address may make in 5 minutes before it is blocked, 10 to 2,000,000,000
    /// (WAF).
    #[schemars(range(min = 10, max = 2_000_000_000))]
    pub rate_limit: u32,
    /// AWS's managed rule groups, in the order in which they are tried.
    #[schemars(inner(regex(pattern = r"^AWSManagedRules[A-Za-z0-9]+$")))]
    pub rule_groups: Vec<String>,
    /// Rules of these groups that only count, by group. Default: those of
    /// `AWSManagedRulesCommonRuleSet` that stop Magento's administration from saving pages and
    /// uploading images: `SizeRestrictions_BODY` and `CrossSiteScripting_BODY`.
    pub counted_rules: BTreeMap<String, Vec<String>>,
    /// Block nothing, and only count what would be blocked: for the first days before a shop that
    /// has visitors already.
    pub count_only: bool,
}

impl Default for Waf {
    fn default() -> Self {
        let counted = ["SizeRestrictions_BODY", "CrossSiteScripting_BODY"].map(str::to_owned);
        Self {
            enabled: None,
            rate_limit: 2_000,
            rule_groups: [
                "AWSManagedRulesAmazonIpReputationList",
                "AWSManagedRulesCommonRuleSet",
                "AWSManagedRulesKnownBadInputsRuleSet",
                "AWSManagedRulesSQLiRuleSet",
                "AWSManagedRulesPHPRuleSet",
            ]
            .map(str::to_owned)
            .to_vec(),
            counted_rules: BTreeMap::from([(
                "AWSManagedRulesCommonRuleSet".to_owned(),
                counted.to_vec(),
            )]),
            count_only: false,
        }
    }
}
