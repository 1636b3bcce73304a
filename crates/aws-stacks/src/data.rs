//! The stack `data`.

use crate::{
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stack(scene: &Scene<'_>) -> Stack {
    scene.stack(StackId::Data, "data")
}
