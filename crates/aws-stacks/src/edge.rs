//! The stacks `edge` and `edge-global`.

use crate::{
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stacks(scene: &Scene<'_>) -> Vec<Stack> {
    vec![scene.stack(StackId::Edge, "Load balancer")]
}
