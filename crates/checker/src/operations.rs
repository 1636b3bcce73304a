//! What people operate with.

use mck_blueprint::Blueprint;
use mck_environment::settings::Target;

use crate::{Check, Finding, Kind, is_aws, is_production};

pub(crate) const CHECKS: &[Check] = &[
    no_alarms,
    no_alarm_receiver,
    local_jenkins,
    jenkins_open_to_the_world,
    jenkins_without_a_host,
    jenkins_without_backups,
    key_of_continuous_integration,
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

fn jenkins_without_a_host(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note("MCK-O005", "set `jenkins.host`");
    let jenkins = blueprint.jenkins.as_ref();
    KIND.when(
        is_aws(blueprint) && jenkins.is_some_and(|it| it.host.is_none()),
        "jenkins.host",
        "Jenkins has no host behind the load balancer, so nobody reaches it but through Session \
         Manager",
    )
}

fn jenkins_without_backups(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-O006", "leave `jenkins.backups` out");
    let jenkins = blueprint.jenkins.as_ref();
    KIND.when(
        is_aws(blueprint) && jenkins.is_some_and(|it| it.home.backup_plan.is_none()),
        "jenkins.backups",
        "jobs, credentials and history of Jenkins have no backup",
    )
}

fn key_of_continuous_integration(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note(
        "MCK-O007",
        "use `ci.github`, `ci.circleci` or `ci.gitlab`, which keep no key, where the service is one of them",
    );
    KIND.when(
        is_production(blueprint) && blueprint.ci.as_ref().is_some_and(|it| it.user),
        "ci.user",
        "continuous integration has an access key, which works for whoever copies it",
    )
}
