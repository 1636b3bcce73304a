//! Logs, alarms, secrets, zones, images.

use super::{Bill, Item, many};
use crate::{
    Component::{Observability, Other},
    Rate,
    inventory::Inventory,
};

pub(super) fn add(bill: &mut Bill<'_>, inventory: &Inventory) {
    observability(bill, inventory);
    let secrets = many(inventory.secrets);
    let item = Item::new(
        Other,
        "secrets",
        format!("{secrets} in Secrets Manager"),
        (secrets, "secret-months"),
    );
    bill.rate(Rate::SecretMonth, item);
    keys(bill, inventory);
    zones(bill, inventory);
    images(bill, inventory);
}

fn observability(bill: &mut Bill<'_>, inventory: &Inventory) {
    let usage = bill.usage;
    if inventory.logs {
        let item = Item::new(Observability, "logs", "ingestion", (usage.log_gb, "GB"));
        bill.rate(Rate::LogGb, item.assumed());
    }
    if inventory.flow_logs {
        let data = (usage.flow_log_gb, "GB");
        let item = Item::new(Observability, "flow logs", "ingestion", data);
        bill.rate(Rate::LogGb, item.assumed());
    }
    let alarms = many(inventory.alarms);
    let detail = format!("{alarms} of standard resolution");
    let item = Item::new(Observability, "alarms", detail, (alarms, "alarm-months"));
    bill.rate(Rate::AlarmMonth, item);
    let item = Item::new(
        Observability,
        "dashboard",
        "an account's first three are free",
        (many(usize::from(inventory.dashboard)), "months"),
    );
    bill.rate(Rate::DashboardMonth, item);
}

/// Keys of the environment's own.
fn keys(bill: &mut Bill<'_>, inventory: &Inventory) {
    let keys = many(inventory.keys);
    let item = Item::new(
        Other,
        "keys",
        format!("{keys} in KMS"),
        (keys, "key-months"),
    );
    bill.rate(Rate::KeyMonth, item);
}

/// The private zone, and a public one that is made here.
fn zones(bill: &mut Bill<'_>, inventory: &Inventory) {
    let count = usize::from(inventory.private_zone) + usize::from(inventory.public_zone);
    let detail = match (inventory.private_zone, inventory.public_zone) {
        (true, true) => "private and public",
        (false, true) => "public",
        _ => "private",
    };
    let item = Item::new(Other, "hosted zones", detail, (many(count), "zone-months"));
    bill.rate(Rate::HostedZoneMonth, item);
}

/// Images that are built for the environment's apps.
fn images(bill: &mut Bill<'_>, inventory: &Inventory) {
    if inventory.images {
        let data = (bill.usage.images_gb, "GB-months");
        let item = Item::new(Other, "image registry", "ECR", data);
        bill.rate(Rate::RepositoryGbMonth, item.assumed());
    }
}
