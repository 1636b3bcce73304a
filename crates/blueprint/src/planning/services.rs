//! The search engine and the message broker, which only AWS offers.

use mck_environment::settings::{BrokerDeployment, Preset};

use super::{
    context::{Context, shortened},
    groups,
    secrets::{PASSWORD_LENGTH, Secrets},
};
use crate::model::{MessageBroker, Network, SearchDomain, Tier};

/// The longest name of a domain (OpenSearch Service, `CreateDomain`).
const DOMAIN_NAME_LIMIT: usize = 28;
/// The longest name of a broker (Amazon MQ, `CreateBroker`).
const BROKER_NAME_LIMIT: usize = 50;
/// Zones over which a domain, or a cluster of brokers, is spread at most.
const MOST_ZONES: usize = 3;
/// As whom apps log in.
const USER: &str = "magento";
/// OpenSearch demands a symbol in the master user's password; Magento puts the password into a URL
/// as it is, where these stand for themselves (RFC 3986, section 3.2.1).
const SEARCH_PASSWORD_SYMBOLS: &str = "!*";

/// The search engine: where it is asked for, else where a Magento 2 needs one.
pub(super) fn plan_search(
    context: &Context<'_>,
    network: &Network,
    secrets: &mut Secrets,
) -> Option<SearchDomain> {
    let settings = &context.settings.search;
    let needed = || {
        let mut apps = context.settings.app.values();
        apps.any(|app| app.preset == Some(Preset::Magento2))
    };
    if context.is_local() || !settings.enabled.unwrap_or_else(needed) {
        return None;
    }
    let nodes = settings
        .nodes
        .unwrap_or(if context.is_production() { 3 } else { 1 });
    let zones = settings
        .zones
        .map_or_else(|| zones_for(nodes, network.zones.len()), usize::from);
    Some(SearchDomain {
        name: shortened(&context.prefix(), DOMAIN_NAME_LIMIT),
        version: settings.version.clone(),
        instance_type: settings.instance_type.clone(),
        nodes,
        subnets: persistence_subnets(network, zones),
        volume_size: settings.volume_size,
        port: 443,
        user: USER.to_owned(),
        password_secret: secrets.generated_with_symbol(
            "search-password".to_owned(),
            "Password of the search engine's master user".to_owned(),
            PASSWORD_LENGTH,
            SEARCH_PASSWORD_SYMBOLS,
        ),
        log_group: context.log_group("search"),
        security_group: groups::search(),
    })
}

/// As many zones as there are and as divide the nodes evenly, which OpenSearch Service demands.
fn zones_for(nodes: u8, zones: usize) -> usize {
    (1..=MOST_ZONES.min(zones))
        .rev()
        .find(|count| usize::from(nodes).is_multiple_of(*count))
        .unwrap_or(1)
}

/// The message broker, where it is asked for.
pub(super) fn plan_message_broker(
    context: &Context<'_>,
    network: &Network,
    secrets: &mut Secrets,
) -> Option<MessageBroker> {
    let settings = &context.settings.message_broker;
    if context.is_local() || !settings.enabled {
        return None;
    }
    let deployment = settings.deployment.unwrap_or(
        if context.is_production() && network.zones.len() >= MOST_ZONES {
            BrokerDeployment::Cluster
        } else {
            BrokerDeployment::SingleInstance
        },
    );
    let zones = match deployment {
        BrokerDeployment::SingleInstance => 1,
        BrokerDeployment::Cluster => MOST_ZONES,
    };
    Some(MessageBroker {
        name: shortened(&context.prefix(), BROKER_NAME_LIMIT),
        version: settings.version.clone(),
        instance_type: settings.instance_type.clone(),
        deployment,
        subnets: persistence_subnets(network, zones),
        port: 5_671,
        user: USER.to_owned(),
        password_secret: secrets.generated(
            "message-broker-password".to_owned(),
            "Password of the message broker's user".to_owned(),
            PASSWORD_LENGTH,
        ),
        virtual_host: "/".to_owned(),
        security_group: groups::message_broker(),
    })
}

/// The names of the persistence subnets of the first zones.
fn persistence_subnets(network: &Network, zones: usize) -> Vec<String> {
    let subnets = network.subnets.iter();
    subnets
        .filter(|subnet| subnet.tier == Tier::Persistence)
        .take(zones)
        .map(|subnet| subnet.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::zones_for;

    #[test]
    fn nodes_are_spread_evenly() {
        let cases = [
            ((3, 3), 3),
            ((2, 3), 2),
            ((4, 3), 2),
            ((6, 6), 3),
            ((5, 3), 1),
            ((3, 2), 1),
            ((1, 3), 1),
        ];
        for ((nodes, zones), expected) in cases {
            assert_eq!(zones_for(nodes, zones), expected, "{nodes} in {zones}");
        }
    }
}
