//! App Servers.

use super::{Bill, Item, many};
use crate::{
    Component::AppServers,
    Price, Rate,
    inventory::{Cluster, Inventory},
};

pub(super) fn add(bill: &mut Bill<'_>, inventory: &Inventory) {
    for cluster in &inventory.clusters {
        instances(bill, cluster);
        volumes(bill, cluster);
    }
}

/// Of a number of servers, those that are bought on demand: Auto Scaling rounds their share up.
fn on_demand(servers: usize, spot_percent: u8) -> usize {
    (servers * usize::from(100_u8.saturating_sub(spot_percent))).div_ceil(100)
}

fn instances(bill: &mut Bill<'_>, cluster: &Cluster) {
    let hours = bill.hours();
    let price = bill.prices.instance(&cluster.instance_type);
    let (desired, maximum) = (cluster.desired, cluster.maximum);
    let kind = &cluster.instance_type;
    let (steady, steady_most) = (
        on_demand(desired, cluster.spot_percent),
        on_demand(maximum, cluster.spot_percent),
    );
    let item = Item::new(
        AppServers,
        format!("cluster {}: instances", cluster.name),
        format!("{steady} × {kind} on demand, {steady_most} at most"),
        (many(steady) * hours, "instance-hours"),
    );
    bill.add(price, item.up_to(many(steady_most) * hours));
    let discount = bill.prices.table().spot_discount;
    let spot = price.map(|price| Price {
        dollars: price.dollars * (1.0 - discount),
        ..price
    });
    let (count, most) = (desired - steady, maximum.max(desired) - steady_most);
    let item = Item::new(
        AppServers,
        format!("cluster {}: spot instances", cluster.name),
        format!(
            "{count} × {kind}, {most} at most, {:.0} % below on demand",
            discount * 100.0
        ),
        (many(count) * hours, "instance-hours"),
    );
    bill.add(spot, item.up_to(many(most) * hours).assumed());
}

/// Warm servers are stopped: only their volumes cost.
fn volumes(bill: &mut Bill<'_>, cluster: &Cluster) {
    let (size, desired) = (cluster.volume_gb, cluster.desired);
    let item = Item::new(
        AppServers,
        format!("cluster {}: volumes", cluster.name),
        format!("{desired} × {size} GB gp3"),
        (many(desired) * size, "GB-months"),
    );
    bill.rate(
        Rate::VolumeGbMonth,
        item.up_to(many(cluster.maximum) * size),
    );
    let warm = cluster.warm;
    bill.rate(
        Rate::VolumeGbMonth,
        Item::new(
            AppServers,
            format!("cluster {}: volumes of warm servers", cluster.name),
            format!("{warm} × {size} GB gp3, the instances stopped"),
            (many(warm) * size, "GB-months"),
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::on_demand;

    #[test]
    fn the_share_on_demand_is_rounded_up() {
        let cases = [
            (4, 0, 4),
            (4, 100, 0),
            (4, 50, 2),
            (3, 50, 2),
            (10, 75, 3),
            (0, 50, 0),
        ];
        for (servers, spot, steady) in cases {
            assert_eq!(on_demand(servers, spot), steady, "{servers} at {spot} %");
        }
    }
}
