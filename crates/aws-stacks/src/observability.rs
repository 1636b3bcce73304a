//! The stack `observability`.

use crate::{
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stack(scene: &Scene<'_>) -> Stack {
    scene.stack(StackId::Observability, "observability")
}
