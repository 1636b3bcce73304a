//! Logs, alarms, secrets, zones, images.

use mck_blueprint::{
    Blueprint,
    model::{DnsProvider, Image},
};

use super::{Bill, Item, many};
use crate::{
    Component::{Observability, Other},
    Rate,
};

pub(super) fn add(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    observability(bill, blueprint);
    let secrets = many(blueprint.secrets.len());
    let item = Item::new(
        Other,
        "secrets",
        format!("{secrets} in Secrets Manager"),
        (secrets, "secret-months"),
    );
    bill.rate(Rate::SecretMonth, item);
    // The topic of alarms is encrypted with a key of its own, since AWS's lets no service publish.
    let keys = usize::from(!blueprint.alarms.is_empty());
    let item = Item::new(
        Other,
        "keys",
        "KMS, of the topic of alarms",
        (many(keys), "key-months"),
    );
    bill.rate(Rate::KeyMonth, item);
    zones(bill, blueprint);
    images(bill, blueprint);
}

fn observability(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let usage = bill.usage;
    let item = Item::new(Observability, "logs", "ingestion", (usage.log_gb, "GB"));
    bill.rate(Rate::LogGb, item.assumed());
    if blueprint.network.flow_logs && blueprint.network.existing.is_none() {
        let data = (usage.flow_log_gb, "GB");
        let item = Item::new(Observability, "flow logs", "ingestion", data);
        bill.rate(Rate::LogGb, item.assumed());
    }
    let alarms = many(blueprint.alarms.len());
    let detail = format!("{alarms} of standard resolution");
    let item = Item::new(Observability, "alarms", detail, (alarms, "alarm-months"));
    bill.rate(Rate::AlarmMonth, item);
    let item = Item::new(
        Observability,
        "dashboard",
        "an account's first three are free",
        (1.0, "months"),
    );
    bill.rate(Rate::DashboardMonth, item);
}

/// The private zone, and a public one that is made here.
fn zones(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let made = blueprint
        .public_zone
        .as_ref()
        .is_some_and(|zone| zone.provider == DnsProvider::Route53 && zone.id.is_none());
    let count = 1 + usize::from(made);
    let detail = if made {
        "private and public"
    } else {
        "private"
    };
    let item = Item::new(Other, "hosted zones", detail, (many(count), "zone-months"));
    bill.rate(Rate::HostedZoneMonth, item);
}

/// Images that are built for the environment's apps.
fn images(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let mut containers = blueprint
        .apps
        .iter()
        .flat_map(|app| &app.task_definition.containers);
    if containers.any(|container| matches!(container.image, Image::Base { .. })) {
        let data = (bill.usage.images_gb, "GB-months");
        let item = Item::new(Other, "image registry", "ECR", data);
        bill.rate(Rate::RepositoryGbMonth, item.assumed());
    }
}
