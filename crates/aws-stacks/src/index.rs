//! What belongs to which stack, found once for all stacks: with hundreds of apps, looking through all
//! of them for each would take a time that grows with their square.

use std::collections::HashMap;

use mck_blueprint::model::{App, Blueprint, Container, Secret};

use crate::{
    alarms::Alarms, listener_rules::ListenerRules, security_groups::Access, stack::StackId,
};

/// Owners by name.
pub(crate) struct Index<'a> {
    /// Alarms by the stack of what they watch.
    pub(crate) alarms: Alarms<'a>,
    /// Security groups and their rules by the stack that makes them.
    pub(crate) access: Access<'a>,
    /// Priorities of the load balancer's rules.
    pub(crate) listener_rules: ListenerRules<'a>,
    /// The position of each app among all.
    pub(crate) positions: HashMap<&'a str, usize>,
    secrets: HashMap<&'a str, StackId>,
    secrets_of: HashMap<StackId, Vec<&'a Secret>>,
}

impl<'a> Index<'a> {
    /// Looks through a blueprint.
    pub(crate) fn of(blueprint: &'a Blueprint) -> Self {
        let secrets = secrets(blueprint);
        let mut secrets_of: HashMap<StackId, Vec<&Secret>> = HashMap::new();
        for secret in &blueprint.secrets {
            let owner = secrets.get(secret.name.as_str());
            let owner = owner.cloned().unwrap_or(StackId::Data);
            secrets_of.entry(owner).or_default().push(secret);
        }
        Self {
            alarms: Alarms::of(blueprint),
            access: Access::of(blueprint),
            listener_rules: ListenerRules::of(blueprint),
            positions: positions(blueprint),
            secrets,
            secrets_of,
        }
    }

    /// The secrets that a stack makes, by name.
    pub(crate) fn secrets_of(&self, stack: &StackId) -> &[&'a Secret] {
        self.secrets_of.get(stack).map_or(&[], Vec::as_slice)
    }

    /// The stack that makes a secret: the one that alone uses it, and the stack `data` if several do
    /// or none. A data store's password is used by the data store, so it is always there; a daemon's
    /// key, too.
    pub(crate) fn secret(&self, name: &str) -> StackId {
        self.secrets.get(name).cloned().unwrap_or(StackId::Data)
    }
}

fn positions(blueprint: &Blueprint) -> HashMap<&str, usize> {
    let names = blueprint.apps.iter().map(|app| app.name.as_str());
    names.zip(0..).collect()
}

fn secrets(blueprint: &Blueprint) -> HashMap<&str, StackId> {
    let mut owners = HashMap::new();
    let mut uses = |name, stack: StackId| {
        let owner = owners.entry(name).or_insert_with(|| stack.clone());
        if *owner != stack {
            *owner = StackId::Data;
        }
    };
    for name in passwords_of_data_stores(blueprint) {
        uses(name, StackId::Data);
    }
    // Daemons start with their cluster, so their secrets must be there, and set, before.
    let daemons = blueprint.clusters.iter().flat_map(|it| &it.daemons);
    for name in daemons.flat_map(|it| secrets_of(&it.task_definition.containers)) {
        uses(name, StackId::Data);
    }
    if let Some(jenkins) = &blueprint.jenkins {
        uses(jenkins.admin_password_secret.as_str(), StackId::Jenkins);
    }
    for app in &blueprint.apps {
        for name in secrets_of_app(app) {
            uses(name, StackId::App(app.name.clone()));
        }
    }
    owners
}

fn passwords_of_data_stores(blueprint: &Blueprint) -> impl Iterator<Item = &str> {
    let database = std::iter::once(&blueprint.database.master_password_secret);
    let redis = blueprint.redis.iter().map(|it| &it.password_secret);
    let search = blueprint.search.iter().map(|it| &it.password_secret);
    let broker = blueprint.message_broker.iter();
    let broker = broker.map(|it| &it.password_secret);
    let all = database.chain(redis).chain(search).chain(broker);
    all.map(String::as_str)
}

fn secrets_of(containers: &[Container]) -> impl Iterator<Item = &str> {
    let names = containers.iter().flat_map(|it| it.secrets.values());
    names.map(String::as_str)
}

/// The administrator's password need not be a variable of the app's: `mck` shows it.
fn secrets_of_app(app: &App) -> impl Iterator<Item = &str> {
    let administrator = app.admin_password_secret.as_deref();
    secrets_of(&app.task_definition.containers).chain(administrator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::blueprint;

    #[test]
    fn a_secret_is_made_by_the_stack_that_alone_uses_it() {
        let blueprint = blueprint(
            r#"
            project = "shop"

            [app.shop]
            preset = "magento2"
            source = "shop"
            routing.hosts = ["shop.example.com"]
            secrets = { PAYMENT_KEY = "payment-key", SHARED = "shared" }

            [app.worker]
            image = "example/worker:3"
            routing.internal = true
            secrets = { SHARED = "shared" }

            [app.worker.container.worker]

            [integration.datadog]

            [secret.payment-key]
            [secret.shared]
            [secret.unused]

            [environment.production]
            "#,
        );
        let index = Index::of(&blueprint);
        let shop = StackId::App("shop".to_owned());
        let redis = &blueprint.redis[0].password_secret;
        let schema = &blueprint.database.schemas[0].password_secret;
        assert_eq!(index.secret("payment-key"), shop);
        assert_eq!(index.secret(schema), shop);
        assert_eq!(index.secret("shared"), StackId::Data);
        assert_eq!(index.secret("unused"), StackId::Data);
        assert_eq!(index.secret(redis), StackId::Data);
        assert_eq!(index.secret("datadog-api-key"), StackId::Data);
        let of_shop = index.secrets_of(&shop).iter();
        assert!(of_shop.clone().any(|it| it.name == "payment-key"));
        assert!(of_shop.clone().all(|it| it.name != "shared"));
    }
}
