//! How each secret gets a new value, and the order of steps for a password that the database knows.

use mck_aws_stacks::located;
use mck_blueprint::{Blueprint, model::DatabaseSchema};

/// How a secret gets a new value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rotation<'a> {
    /// Nothing but Secrets Manager knows it.
    Value,
    /// RDS keeps the password of the database's master user.
    Master,
    /// The database knows it as an app's user's.
    DatabaseUser(&'a DatabaseSchema),
    /// It can't be changed in Secrets Manager alone.
    Refused {
        reason: &'static str,
        /// What the user does instead.
        steps: Vec<String>,
    },
}

pub(super) fn of<'a>(blueprint: &'a Blueprint, secret: &str) -> Rotation<'a> {
    let database = &blueprint.database;
    if secret == database.master_password_secret {
        return Rotation::Master;
    }
    let mut schemas = database.schemas.iter();
    if let Some(schema) = schemas.find(|it| it.password_secret == secret) {
        return Rotation::DatabaseUser(schema);
    }
    if blueprint.is_encryption_key(secret) {
        return Rotation::Refused {
            reason: "it is the key of what apps have encrypted in the database",
            steps: vec![
                "encrypt the data with a new key by Magento's own means (`bin/magento \
                 encryption:key:change`), then hand that in with `mck secret set`"
                    .to_owned(),
            ],
        };
    }
    of_store(blueprint, secret).unwrap_or(Rotation::Value)
}

/// Data stores that the kit has no client for.
fn of_store<'a>(blueprint: &Blueprint, secret: &str) -> Option<Rotation<'a>> {
    let refused = |reason, steps: &[&str]| {
        Some(Rotation::Refused {
            reason,
            steps: steps.iter().map(|&step| step.to_owned()).collect(),
        })
    };
    let set = format!("`mck secret set {secret}` with the same value");
    let deploy = "`mck deploy --release current` makes tasks read it";
    let stack = located::stack_name(blueprint, &mck_aws_stacks::StackId::Data);
    if blueprint
        .redis
        .iter()
        .any(|it| it.password_secret == secret)
    {
        return refused(
            "Redis must be told first, and takes both tokens meanwhile",
            &[
                &format!(
                    "`aws elasticache modify-replication-group --apply-immediately \
                     --auth-token-update-strategy ROTATE --auth-token NEW --replication-group-id \
                     ID`; the stack {stack} shows the id"
                ),
                &set,
                deploy,
                "the same `aws` command with `--auth-token-update-strategy SET` gives up the old one",
            ],
        );
    }
    let search = blueprint.search.iter();
    let broker = blueprint.message_broker.iter();
    if search
        .map(|it| &it.password_secret)
        .chain(broker.map(|it| &it.password_secret))
        .any(|name| name == secret)
    {
        return refused(
            "its data store has one password at a time, so apps lose it until they restart",
            &[
                &format!(
                    "`aws opensearch update-domain-config` or `aws mq update-user` gives the data \
                     store of the stack {stack} a new one"
                ),
                &set,
                deploy,
            ],
        );
    }
    None
}

/// A step towards a new password of a database user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The database forgets the password from before the last rotation: a user has two at most.
    Discard,
    /// A random value is kept as the pending one.
    Make,
    /// The database takes the pending value beside the current one.
    Tell,
    /// The pending value becomes the current one, which tasks get.
    Switch,
}

/// What comes next. Each step changes one of the two facts, so that a rotation that broke off
/// anywhere goes on, and the current value is always one that the database takes.
pub(super) const fn next_step(is_pending: bool, has_old: bool) -> Step {
    match (is_pending, has_old) {
        (false, true) => Step::Discard,
        (false, false) => Step::Make,
        (true, false) => Step::Tell,
        (true, true) => Step::Switch,
    }
}

/// Whether the password from before may go: not while a rotation is under way, when that is the one
/// that tasks still get.
pub(super) const fn after_deployment(has_old: bool, is_pending: bool) -> bool {
    has_old && !is_pending
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two facts, and which passwords the database takes; the current value is 1 at first.
    #[derive(Debug, Clone)]
    struct World {
        current: u8,
        pending: Option<u8>,
        primary: u8,
        secondary: Option<u8>,
    }

    impl World {
        fn take(&mut self, step: Step) {
            match step {
                Step::Discard => self.secondary = None,
                Step::Make => self.pending = Some(self.current + 1),
                Step::Tell => {
                    self.secondary = Some(self.primary);
                    self.primary = self.pending.unwrap();
                }
                Step::Switch => self.current = self.pending.take().unwrap(),
            }
        }

        fn lets_in(&self, password: u8) -> bool {
            self.primary == password || self.secondary == Some(password)
        }
    }

    #[test]
    fn the_current_value_is_valid_after_every_step() {
        let mut world = World {
            current: 1,
            pending: None,
            primary: 1,
            secondary: None,
        };
        for round in 1..4 {
            let before = world.current;
            loop {
                let step = next_step(world.pending.is_some(), world.secondary.is_some());
                world.take(step);
                assert!(world.lets_in(world.current), "{round}: {step:?} {world:?}");
                if step == Step::Switch {
                    break;
                }
            }
            assert_eq!(world.current, before + 1);
            assert!(world.lets_in(before), "tasks that run are not shut out");
        }
    }

    #[test]
    fn the_old_one_stays_while_a_rotation_is_under_way() {
        assert!(after_deployment(true, false));
        assert!(!after_deployment(true, true));
        assert!(!after_deployment(false, false));
    }
}
