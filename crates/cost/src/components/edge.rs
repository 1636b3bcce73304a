//! Load balancer, CDN, firewall, and the way to visitors.

use super::{Bill, Item, many};
use crate::{Component::Edge, Rate, Usage, inventory::Inventory};

/// New connections a second of one capacity unit (Elastic Load Balancing pricing).
const UNIT_CONNECTIONS: f64 = 25.0;
/// Requests over one connection: a page with its images and scripts.
const REQUESTS_PER_CONNECTION: f64 = 20.0;

pub(super) fn add(bill: &mut Bill<'_>, inventory: &Inventory) {
    let share = if inventory.content_delivery {
        1.0 - bill.usage.cached_percent / 100.0
    } else {
        1.0
    };
    if inventory.load_balancer.is_some() {
        load_balancer(bill, share);
    }
    if inventory.content_delivery {
        content_delivery(bill);
    } else if inventory.load_balancer.is_some() {
        let delivered = (bill.usage.delivered_gb, "GB");
        let item = Item::new(
            Edge,
            "data to visitors",
            "from the load balancer",
            delivered,
        );
        bill.rate(Rate::InternetGb, item.assumed());
    }
    firewall(bill, inventory, share);
}

/// Capacity units of the load balancer in the mean: the greatest of its dimensions that can be told
/// from the assumptions.
fn capacity_units(usage: &Usage, share: f64, hours: f64) -> f64 {
    let gigabytes_an_hour = usage.delivered_gb * share / hours;
    let connections = usage.requests * share / REQUESTS_PER_CONNECTION;
    let connections_a_second = connections / (hours * 3_600.0);
    gigabytes_an_hour.max(connections_a_second / UNIT_CONNECTIONS)
}

fn load_balancer(bill: &mut Bill<'_>, share: f64) {
    let hours = bill.hours();
    let item = Item::new(Edge, "load balancer", "one ALB", (hours, "hours"));
    bill.rate(Rate::LoadBalancerHour, item);
    let units = capacity_units(bill.usage, share, hours);
    let item = Item::new(
        Edge,
        "load balancer's capacity units",
        format!("{units:.2} in the mean"),
        (units * hours, "LCU-hours"),
    );
    bill.rate(Rate::LoadBalancerUnitHour, item.assumed());
}

fn content_delivery(bill: &mut Bill<'_>) {
    let usage = bill.usage;
    for (rate, what, detail, quantity, unit) in [
        (
            Rate::ContentDeliveryGb,
            "data to visitors",
            "CloudFront, rates of Europe and North America",
            usage.delivered_gb,
            "GB",
        ),
        (
            Rate::ContentDelivery10kRequests,
            "requests of visitors",
            "CloudFront, HTTPS",
            usage.requests / 10_000.0,
            "10,000 requests",
        ),
        (
            Rate::StaticGbMonth,
            "static bucket",
            "S3 Standard",
            usage.static_gb,
            "GB-months",
        ),
    ] {
        bill.rate(
            rate,
            Item::new(Edge, what, detail, (quantity, unit)).assumed(),
        );
    }
}

/// Each managed group counts as a rule, and so does the rate limit.
fn firewall(bill: &mut Bill<'_>, inventory: &Inventory, share: f64) {
    let Some(acl) = &inventory.web_acl else {
        return;
    };
    let rules = acl.groups + 1;
    let item = Item::new(Edge, "web ACL", "AWS WAF", (1.0, "months"));
    bill.rate(Rate::WebAclMonth, item);
    let item = Item::new(
        Edge,
        "rules of the web ACL",
        format!("{} managed groups and a rate limit", acl.groups),
        (many(rules), "rule-months"),
    );
    bill.rate(Rate::WafRuleMonth, item);
    let seen = if acl.is_of_content_delivery {
        1.0
    } else {
        share
    };
    let millions = bill.usage.requests * seen / 1e6;
    let item = Item::new(
        Edge,
        "requests that the web ACL looks at",
        "all that come to its front",
        (millions, "millions"),
    );
    bill.rate(Rate::WafMillionRequests, item.assumed());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_units_are_the_greater_of_data_and_connections() {
        let usage = |requests, delivered_gb| Usage {
            requests,
            delivered_gb,
            ..Usage::default()
        };
        let units = |usage: &Usage| (capacity_units(usage, 1.0, 730.0) * 1000.0).round();
        assert!((units(&usage(0.0, 730.0)) - 1000.0).abs() < 0.5);
        // 25 connections a second for 730 hours are 65.7 million, of 20 requests each.
        assert!((units(&usage(1_314_000_000.0, 1.0)) - 1000.0).abs() < 0.5);
    }
}
