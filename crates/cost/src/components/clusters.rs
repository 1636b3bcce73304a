//! App Servers.

use mck_blueprint::{Blueprint, model::AppCluster};

use super::{Bill, Item, gigabytes, many};
use crate::{Component::AppServers, Price, Rate};

pub(super) fn add(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    for cluster in &blueprint.clusters {
        instances(bill, cluster);
        volumes(bill, cluster);
    }
}

/// Of a number of servers, those that are bought on demand: Auto Scaling rounds their share up.
fn on_demand(servers: usize, spot_percent: u8) -> usize {
    (servers * usize::from(100_u8.saturating_sub(spot_percent))).div_ceil(100)
}

fn instances(bill: &mut Bill<'_>, cluster: &AppCluster) {
    let hours = bill.hours();
    let price = bill.prices.instance(&cluster.instance_type);
    let desired = cluster.servers.len();
    let maximum = usize::try_from(cluster.maximum).unwrap_or(desired);
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
fn volumes(bill: &mut Bill<'_>, cluster: &AppCluster) {
    let size = gigabytes(cluster.volume_size);
    let desired = cluster.servers.len();
    let item = Item::new(
        AppServers,
        format!("cluster {}: volumes", cluster.name),
        format!("{desired} × {size} GB gp3"),
        (many(desired) * size, "GB-months"),
    );
    bill.rate(
        Rate::VolumeGbMonth,
        item.up_to(f64::from(cluster.maximum) * size),
    );
    let warm = usize::from(cluster.warm_servers);
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
