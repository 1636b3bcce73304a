//! Decides the whole architecture of an environment, once for all targets.

mod access;
mod addresses;
mod alarms;
mod app;
mod cluster;
mod context;
mod data;
mod dns;
mod edge;
mod error;
mod global;
mod groups;
mod integrations;
mod network;
mod observability;
mod secrets;
mod security_groups;
mod servers;
mod services;
mod waf;

use std::collections::BTreeMap;

use mck_environment::Environment;

use self::{
    addresses::Addresses, context::Context, data::DataStores, integrations::Contribution,
    secrets::Secrets,
};
use crate::model::{
    Alarm, App, AppCluster, Bastion, Blueprint, ContentDelivery, DnsProvider, Jenkins,
    LoadBalancer, LogGroup, Network, PublicZone,
};

pub use error::PlanningError;

impl Blueprint {
    /// The blueprint of an environment: the same for the same environment, byte for byte.
    ///
    /// # Errors
    /// What only shows once the architecture is laid out, such as a subnet with too few addresses.
    pub fn plan(environment: &Environment) -> Result<Self, PlanningError> {
        let context = Context::new(environment);
        let mut secrets = Secrets::default();
        let network = network::plan(&context)?;
        let mut base = Foundation::plan(&context, &network, &mut secrets)?;
        let vendors = integrations::plan(&context, &app::public_apps(&context));
        for cluster in &mut base.clusters {
            for (_, vendor) in &vendors {
                cluster::add_daemons(&context, cluster, &vendor.daemons);
            }
        }
        for (name, description) in vendors.iter().flat_map(|(_, vendor)| &vendor.secrets) {
            secrets.provided(name.clone(), description.clone());
        }
        let apps = app::plan(
            &context,
            &network,
            &base.data,
            &base.priorities,
            &vendors,
            &mut secrets,
        )?;
        let reach = access::Parts {
            apps: &apps,
            clusters: &base.clusters,
            data: &base.data,
            bastion: base.bastion.as_ref(),
            jenkins: base.jenkins.as_ref(),
            content_delivery: base.content_delivery.as_ref(),
            front_ranges: front_ranges(&vendors),
            endpoints: network.endpoints.as_ref(),
        };
        let access = access::plan(&context, &reach);
        let security_groups = security_groups::plan(&reach, &access);
        let (log_groups, alarms) = base.observe(&context, &apps);
        Ok(Self {
            project: environment.project.clone(),
            environment: environment.name.clone(),
            target: context.target,
            local: context.is_local().then(|| context.settings.local.clone()),
            region: context.settings.region.clone(),
            tags: tags(&context),
            base_images: if context.is_local() {
                BTreeMap::new()
            } else {
                context.settings.base_image.clone()
            },
            ci: (!context.is_local()).then(|| context.settings.ci.clone()),
            private_zone: dns::plan(&context, &base.data),
            public_zone: public_zone(&context, &apps, &vendors),
            secrets: secrets.finish(context.settings),
            log_groups,
            alarms,
            alarm_receivers: context.settings.alarms.emails.clone(),
            integrations: integrations::summaries(&vendors),
            access,
            security_groups,
            load_balancer: base.load_balancer,
            web_acl: waf::plan(&context, base.content_delivery.is_some()),
            content_delivery: base.content_delivery,
            clusters: base.clusters,
            apps,
            database: base.data.database,
            redis: base.data.redis,
            memcached: base.data.memcached,
            file_system: base.data.file_system,
            search: base.data.search,
            message_broker: base.data.message_broker,
            bastion: base.bastion,
            jenkins: base.jenkins,
            network,
        })
    }
}

/// What stands before any app does.
struct Foundation {
    load_balancer: LoadBalancer,
    content_delivery: Option<ContentDelivery>,
    bastion: Option<Bastion>,
    data: DataStores,
    clusters: Vec<AppCluster>,
    jenkins: Option<Jenkins>,
    /// The priorities of the apps' listener rules.
    priorities: BTreeMap<String, u16>,
}

impl Foundation {
    /// Lays it out in the order in which addresses are handed out.
    fn plan(
        context: &Context<'_>,
        network: &Network,
        secrets: &mut Secrets,
    ) -> Result<Self, PlanningError> {
        let mut addresses = Addresses::new(network);
        let (priorities, free_priority) = app::priorities(context)?;
        Ok(Self {
            load_balancer: edge::plan_load_balancer(context, network, &mut addresses)?,
            content_delivery: edge::plan_content_delivery(context),
            bastion: servers::plan_bastion(context, &mut addresses)?,
            data: data::plan(context, network, &mut addresses, secrets)?,
            clusters: cluster::plan(context, network, &mut addresses)?,
            jenkins: servers::plan_jenkins(
                context,
                network,
                &mut addresses,
                free_priority,
                secrets,
            )?,
            priorities,
        })
    }
}

impl Foundation {
    /// Log groups and alarms of it and of the apps.
    fn observe(&self, context: &Context<'_>, apps: &[App]) -> (Vec<LogGroup>, Vec<Alarm>) {
        let parts = alarms::Parts {
            apps,
            clusters: &self.clusters,
            data: &self.data,
            load_balancer: &self.load_balancer,
            bastion: self.bastion.as_ref(),
            jenkins: self.jenkins.as_ref(),
        };
        (
            observability::log_groups(context, &parts),
            alarms::plan(context, &parts),
        )
    }
}

/// The only ranges from which requests come, where a vendor is the front.
fn front_ranges<'a>(vendors: &'a [(&'static str, Contribution)]) -> Option<&'a [String]> {
    let mut vendors = vendors.iter();
    vendors.find_map(|(_, vendor)| vendor.front_ranges.as_deref())
}

/// The kit's tags, and the file's, which win.
fn tags(context: &Context<'_>) -> BTreeMap<String, String> {
    let mut tags: BTreeMap<String, String> = [
        ("Project", context.environment.project.as_str()),
        ("Environment", context.environment.name.as_str()),
        ("ManagedBy", "MageCloudKit"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    tags.extend(context.settings.tags.clone());
    tags
}

fn public_zone(
    context: &Context<'_>,
    apps: &[App],
    vendors: &[(&'static str, Contribution)],
) -> Option<PublicZone> {
    if context.is_local() {
        return None;
    }
    let dns = &context.settings.dns;
    let vendor = vendors
        .iter()
        .find_map(|(_, vendor)| vendor.public_dns.clone());
    let (provider, id) = match vendor {
        Some(vendor) => vendor,
        None => {
            dns.public_zone.as_ref()?;
            (DnsProvider::Route53, dns.public_zone_id.clone())
        }
    };
    let mut hosts = app::public_hosts(apps);
    if let Some(jenkins) = context.settings.jenkins.host.as_ref()
        && context.settings.jenkins.enabled
        && !hosts.contains(jenkins)
    {
        hosts.push(jenkins.clone());
        hosts.sort();
    }
    Some(PublicZone {
        provider,
        name: dns.public_zone.clone(),
        id,
        hosts,
    })
}
