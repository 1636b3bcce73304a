//! The stacks `releases`: which release of each app is deployed, in Parameter Store.
//!
//! A deployment writes the parameter; the app's template reads it, so that an update of the stack
//! never goes back behind a deployment.

use mck_blueprint::model::App;
use mck_cloudformation::{LogicalId, resources::ssm};

use crate::{
    names,
    stack::{Stack, StackId},
    synthesis::Scene,
};

/// The value of an app's release parameter before the first deployment.
pub const NO_RELEASE: &str = "none";

/// Apps in one stack: far below the 500 resources of a template.
const APPS_PER_STACK: usize = 200;

/// The stack with the release of an app.
pub(crate) fn of(scene: &Scene<'_>, app: &App) -> StackId {
    StackId::Releases(scene.index.positions[app.name.as_str()] / APPS_PER_STACK + 1)
}

pub(crate) fn stacks(scene: &Scene<'_>) -> Vec<Stack> {
    let chunks = scene.blueprint.apps.chunks(APPS_PER_STACK).enumerate();
    chunks
        .map(|(index, apps)| {
            let mut stack = scene.stack(StackId::Releases(index + 1), "Deployed releases");
            for app in apps {
                let parameter = ssm::Parameter {
                    name: names::release_parameter(scene.blueprint, &app.name).into(),
                    type_: "String".into(),
                    value: NO_RELEASE.into(),
                    description: format!("The deployed release of the app {}", app.name).into(),
                    ..Default::default()
                };
                stack.add(
                    LogicalId::of(&["release", &app.name]),
                    format!("Which release of the app {} is deployed", app.name),
                    &parameter,
                );
            }
            stack
        })
        .collect()
}
