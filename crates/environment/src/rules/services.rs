//! The search engine and the message broker.

use super::Rules;
use crate::{settings::BrokerDeployment, units::Size};

/// Zones of a cluster of brokers (Amazon MQ, "Cluster deployment").
const BROKER_ZONES: usize = 3;

pub(super) fn check(rules: &mut Rules<'_>) {
    search(rules);
    message_broker(rules);
}

fn search(rules: &mut Rules<'_>) {
    let search = &rules.settings.search;
    let limits = (Size::from_gib(10), Size::from_gib(3 * 1_024));
    let path = ["search", "volume-size"];
    rules.size_within(&path, search.volume_size, limits, "OpenSearch Service");
    let Some(zones) = search.zones else { return };
    let there = rules.settings.network.zones.len();
    if usize::from(zones) > there {
        let message = format!("The search engine can't be in {zones} zones: there are {there}.");
        let help = "Lower `search.zones`, or name more zones in `network.zones`.";
        let (one, other) = (["search", "zones"], ["network", "zones"]);
        let label = there.to_string();
        let places = ((&one[..], "wanted"), (&other[..], label.as_str()));
        rules.wrong_pair("too_few_zones", places.0, places.1, message, help);
    }
    let usual = if rules.name == "production" { 3 } else { 1 };
    let nodes = search.nodes.unwrap_or(usual);
    if !nodes.is_multiple_of(zones) {
        let message = format!("{nodes} nodes can't be spread evenly over {zones} zones.");
        let help = "OpenSearch Service wants the same number of nodes in each zone.";
        let (one, other) = (["search", "zones"], ["search", "nodes"]);
        let (zones, nodes) = (format!("{zones} zones"), format!("{nodes} nodes"));
        let places = ((&one[..], zones.as_str()), (&other[..], nodes.as_str()));
        rules.wrong_pair("uneven_nodes", places.0, places.1, message, help);
    }
}

fn message_broker(rules: &mut Rules<'_>) {
    let broker = &rules.settings.message_broker;
    if broker.deployment != Some(BrokerDeployment::Cluster) {
        return;
    }
    let there = rules.settings.network.zones.len();
    if there < BROKER_ZONES {
        let message = format!("A cluster of brokers needs 3 zones, and there are {there}.");
        let help = "Take `deployment = \"single-instance\"`, or name more zones.";
        let (one, other) = (["message-broker", "deployment"], ["network", "zones"]);
        let label = there.to_string();
        let places = ((&one[..], "three zones"), (&other[..], label.as_str()));
        rules.wrong_pair("too_few_zones", places.0, places.1, message, help);
    }
    if broker.instance_type.starts_with("mq.t") {
        let message = format!(
            "A cluster of brokers can't be of type `{}`.",
            broker.instance_type
        );
        let help = "Amazon MQ makes clusters of `mq.m5.large` and larger types.";
        rules.wrong(
            "not_supported",
            &["message-broker", "instance-type"],
            message,
            help,
        );
    }
}
