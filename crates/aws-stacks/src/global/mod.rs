//! The stack `global`.

use mck_blueprint::model::Blueprint;

use crate::{stack::Stack, synthesis::Scene};

pub(crate) fn stack(_scene: &Scene<'_>, _siblings: &[&Blueprint]) -> Option<Stack> {
    None
}
