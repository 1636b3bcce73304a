//! Vendors: one module each, and nothing of them anywhere else.

mod algolia;
mod blackfire;
mod bugsnag;
mod cloudflare;
mod datadog;
mod new_relic;
mod nosto;
mod pingdom;

use std::collections::BTreeMap;

use super::context::Context;
use crate::model::{Container, DnsProvider, Integration, MountPoint};

/// What a vendor adds to an environment.
#[derive(Default)]
pub(super) struct Contribution {
    /// Secrets that the user sets: name and description.
    pub(super) secrets: Vec<(String, String)>,
    /// Environment variables of containers that run PHP.
    pub(super) environment: BTreeMap<String, String>,
    /// Environment variables of containers that run PHP, from secrets.
    pub(super) environment_secrets: BTreeMap<String, String>,
    /// Containers beside php-fpm in every task of a preset.
    pub(super) sidecars: Vec<Container>,
    /// Places that containers that run PHP see.
    pub(super) mounts: Vec<MountPoint>,
    /// Containers that run once on every App Server.
    pub(super) daemons: Vec<Container>,
    /// The only ranges from which requests come to the load balancer.
    pub(super) front_ranges: Option<Vec<String>>,
    /// Who answers for the hosts' public names, and the zone's id there.
    pub(super) public_dns: Option<(DnsProvider, Option<String>)>,
    /// URLs that the vendor watches.
    pub(super) health_urls: Vec<String>,
    /// What all that is, one sentence each.
    pub(super) statements: Vec<String>,
}

/// Where a person finds an app from outside.
pub(super) struct PublicApp {
    /// The app's name.
    pub(super) name: String,
    /// The URL of its health check.
    pub(super) health_url: String,
}

/// A vendor that is switched on.
trait Vendor {
    /// Its name, as in the file.
    fn name(&self) -> &'static str;
    /// What it adds.
    fn contribute(&self, context: &Context<'_>, apps: &[PublicApp]) -> Contribution;
}

/// The contributions of all vendors that are switched on, by name.
pub(super) fn plan(context: &Context<'_>, apps: &[PublicApp]) -> Vec<(&'static str, Contribution)> {
    let settings = &context.settings.integration;
    let all: [Option<&dyn Vendor>; 8] = [
        settings.algolia.as_ref().map(|vendor| vendor as _),
        settings.blackfire.as_ref().map(|vendor| vendor as _),
        settings.bugsnag.as_ref().map(|vendor| vendor as _),
        settings.cloudflare.as_ref().map(|vendor| vendor as _),
        settings.datadog.as_ref().map(|vendor| vendor as _),
        settings.new_relic.as_ref().map(|vendor| vendor as _),
        settings.nosto.as_ref().map(|vendor| vendor as _),
        settings.pingdom.as_ref().map(|vendor| vendor as _),
    ];
    all.into_iter()
        .flatten()
        .map(|vendor| (vendor.name(), vendor.contribute(context, apps)))
        .collect()
}

/// What the blueprint keeps of the contributions.
pub(super) fn summaries(vendors: &[(&'static str, Contribution)]) -> Vec<Integration> {
    vendors
        .iter()
        .map(|(name, contribution)| Integration {
            name: (*name).to_owned(),
            contributions: contribution.statements.clone(),
            secrets: contribution
                .secrets
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
            health_urls: contribution.health_urls.clone(),
        })
        .collect()
}

fn variables<const N: usize>(variables: [(&str, &str); N]) -> BTreeMap<String, String> {
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
