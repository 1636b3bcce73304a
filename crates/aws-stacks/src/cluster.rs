//! The stack of an App Cluster.

use mck_blueprint::model::AppCluster;

use crate::{
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stack(scene: &Scene<'_>, cluster: &AppCluster) -> Stack {
    scene.stack(StackId::Cluster(cluster.name.clone()), "App Cluster")
}
