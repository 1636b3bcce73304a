//! The stack of an app.

use mck_blueprint::model::App;

use crate::{
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stack(scene: &Scene<'_>, app: &App) -> Stack {
    scene.stack(StackId::App(app.name.clone()), "App")
}
