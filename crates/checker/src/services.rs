//! The search engine and the message broker.

use mck_blueprint::Blueprint;
use mck_environment::settings::{BrokerDeployment, Preset};

use crate::{Check, Finding, Kind, is_aws, is_production};

pub(crate) const CHECKS: &[Check] = &[no_search, search_in_one_zone, burstable_search, one_broker];

/// The setting by which a store says that it searches elsewhere, such as at Algolia.
const SEARCH_SETTINGS: &str = "CONFIG__DEFAULT__CATALOG__SEARCH__";

fn no_search(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::error(
        "MCK-S001",
        "leave `search.enabled` out, or name another engine in the app's `environment`, as \
         `CONFIG__DEFAULT__CATALOG__SEARCH__ENGINE` and the settings of that engine",
    );
    if !is_aws(blueprint) || blueprint.search.is_some() {
        return Vec::new();
    }
    let apps = blueprint.apps.iter();
    apps.filter(|app| app.preset == Some(Preset::Magento2))
        .filter(|app| {
            let containers = &app.task_definition.containers;
            let mut names = containers.iter().flat_map(|it| it.environment.keys());
            !names.any(|name| name.starts_with(SEARCH_SETTINGS))
        })
        .map(|app| {
            KIND.finding(
                "search.enabled",
                format!(
                    "`{}` can't be installed without a search engine, and there is none",
                    app.name
                ),
            )
        })
        .collect()
}

fn search_in_one_zone(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-S002", "set `search.nodes = 3`");
    let search = blueprint.search.as_ref();
    KIND.when(
        is_production(blueprint) && search.is_some_and(|it| it.subnets.len() < 2),
        "search.nodes",
        "the search engine is in one zone: with it, searching and listing products end",
    )
}

fn burstable_search(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-S003", "take a type such as `m6g.large.search`");
    let search = blueprint.search.as_ref();
    KIND.when(
        is_production(blueprint) && search.is_some_and(|it| it.instance_type.starts_with('t')),
        "search.instance-type",
        "the search engine's CPU is in credits, which AWS advises against in production",
    )
}

fn one_broker(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-S004", "leave `message-broker.deployment` out");
    let broker = blueprint.message_broker.as_ref();
    let single = broker.is_some_and(|it| it.deployment == BrokerDeployment::SingleInstance);
    KIND.when(
        is_production(blueprint) && single,
        "message-broker.deployment",
        "the message broker is one node in one zone, and queues stand still while that is lost",
    )
}
