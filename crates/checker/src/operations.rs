//! What people operate with.

use mck_blueprint::Blueprint;
use mck_environment::settings::Target;

use crate::{Check, Finding, Kind, is_aws, is_production};

pub(crate) const CHECKS: &[Check] = &[
    no_alarms,
    no_alarm_receiver,
    local_jenkins,
    jenkins_open_to_the_world,
];

fn no_alarms(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-O001", "leave `alarms.enabled` out");
    KIND.when(
        is_production(blueprint) && blueprint.alarms.is_empty(),
        "alarms.enabled",
        "nothing watches production",
    )
}

fn no_alarm_receiver(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-O002", "name an address in `alarms.emails`");
    KIND.when(
        is_production(blueprint)
            && is_aws(blueprint)
            && !blueprint.alarms.is_empty()
            && blueprint.alarm_receivers.is_empty(),
        "alarms.emails",
        "nobody hears the alarms of production",
    )
}

fn local_jenkins(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note("MCK-O003", "nothing to do: it runs in environments on AWS");
    KIND.when(
        blueprint.target == Target::Local && blueprint.jenkins.is_some(),
        "jenkins.enabled",
        "Jenkins is not run on the local target",
    )
}

fn jenkins_open_to_the_world(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-O004",
        "name the ranges of your offices in `jenkins.allow-from`",
    );
    let jenkins = blueprint.jenkins.iter();
    KIND.when(
        is_aws(blueprint)
            && jenkins
                .flat_map(|it| &it.allow_from)
                .any(|range| range.ends_with("/0")),
        "jenkins.allow-from",
        "Jenkins, which may deploy anything, is open to the whole internet",
    )
}
