//! What goes out of the VPC.

use mck_blueprint::model::Blueprint;

use super::{
    taken,
    widget::{Chart, Section, Widget},
};
use crate::{names, stack::Stack};

const NAT: &str = "AWS/NATGateway";

/// The NAT gateways: their bytes are paid for. Those of an adopted VPC are not known.
pub(super) fn section(stack: &mut Stack, blueprint: &Blueprint) -> Section {
    let network = &blueprint.network;
    let gateways: Vec<(&str, String)> = network
        .nat_gateways
        .iter()
        .filter(|_| network.existing.is_none())
        .map(|it| {
            (
                it.name.as_str(),
                taken(stack, &names::network::nat_gateway(&it.name)),
            )
        })
        .collect();
    let chart = |title: &str, metric| {
        let chart = Chart::new(title, "Sum");
        gateways.iter().fold(chart, |chart, (name, id)| {
            chart.metric((NAT, metric), &[("NatGatewayId", id)], *name)
        })
    };
    let charts = if gateways.is_empty() {
        Vec::new()
    } else {
        vec![
            chart("Bytes to the internet", "BytesOutToDestination").unit("bytes a minute"),
            chart("Bytes from the internet", "BytesInFromDestination").unit("bytes a minute"),
            chart("Connections without a free port", "ErrorPortAllocation").unit("a minute"),
        ]
    };
    Section {
        title: "NAT gateways",
        widgets: charts.into_iter().map(Widget::Chart).collect(),
    }
}
