//! Whether a rolling deployment can move.

use super::Rules;
use crate::{
    settings::{App, Deployment},
    units::Duration,
};

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    for (name, app) in &settings.app {
        can_move(rules, name, app);
        if let Some(delay) = app.deployment.deregistration_delay {
            let limits = (Duration::from_secs(0), Duration::from_secs(3_600));
            let path = ["app", name, "deployment", "deregistration-delay"];
            rules.within(&path, delay, limits, "A target group of the load balancer");
        }
    }
}

/// The number of tasks that must stay and that may run, as ECS rounds them: the minimum up, the
/// maximum down.
fn bounds(deployment: &Deployment, desired: u64) -> (u64, u64) {
    let least = (desired * u64::from(deployment.minimum_healthy_percent)).div_ceil(100);
    let most = desired * u64::from(deployment.maximum_percent) / 100;
    (least, most)
}

/// With as many tasks as must stay, and no room for one more, no task could ever be replaced.
fn can_move(rules: &mut Rules<'_>, name: &str, app: &App) {
    let deployment = &app.deployment;
    let tasks = app.tasks;
    let numbers = u64::from(tasks.minimum.max(1))..=u64::from(tasks.maximum);
    let stuck = numbers
        .into_iter()
        .find(|desired| bounds(deployment, *desired) == (*desired, *desired));
    let Some(desired) = stuck else { return };
    let (minimum, maximum) = (
        deployment.minimum_healthy_percent,
        deployment.maximum_percent,
    );
    let message = format!(
        "With {desired} {} a deployment of app `{name}` can never move: at least {minimum} % \
         (rounded up) must stay and at most {maximum} % (rounded down) may run.",
        if desired == 1 { "task" } else { "tasks" }
    );
    let help = "Raise `maximum-percent` to 200, or lower `minimum-healthy-percent` so that one \
                task may stop.";
    let at = |key| ["app", name, "deployment", key];
    let (one, other) = (at("maximum-percent"), at("minimum-healthy-percent"));
    let labels = (
        format!("maximum {maximum} %"),
        format!("minimum {minimum} %"),
    );
    rules.wrong_pair(
        "deployment_deadlock",
        (&one, &labels.0),
        (&other, &labels.1),
        message,
        help,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_is_rounded_up_and_the_maximum_down() {
        let half = Deployment {
            minimum_healthy_percent: 50,
            maximum_percent: 150,
            ..Deployment::default()
        };
        assert_eq!(bounds(&half, 1), (1, 1));
        assert_eq!(bounds(&half, 3), (2, 4));
    }
}
