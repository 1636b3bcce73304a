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
    // The password of Jenkins' administrator is of no app and in no list.
    let secrets = many(blueprint.secrets.len());
    let item = Item::new(
        Other,
        "secrets",
        format!("{secrets} in Secrets Manager"),
        (secrets, "secret-months"),
    );
    bill.rate(Rate::SecretMonth, item);
    keys(bill, blueprint);
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

/// Keys of the environment's own: of its data, of each cluster's sessions in containers, and of the
/// topic of alarms, to which with AWS's own key no service could publish.
fn keys(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let sessions = blueprint.clusters.iter().filter(|it| it.exec).count();
    let topic = usize::from(!blueprint.alarms.is_empty());
    let keys = many(1 + sessions + topic);
    let item = Item::new(
        Other,
        "keys",
        format!("{keys} in KMS"),
        (keys, "key-months"),
    );
    bill.rate(Rate::KeyMonth, item);
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
