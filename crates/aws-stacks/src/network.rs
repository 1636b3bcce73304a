//! The stack `network`.

use crate::{
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stack(scene: &Scene<'_>) -> Stack {
    scene.stack(StackId::Network, "network")
}
