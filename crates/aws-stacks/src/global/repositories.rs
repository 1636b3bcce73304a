//! Image repositories.

use mck_blueprint::model::{Global, ImageRepository};
use mck_cloudformation::{Json, LogicalId, resources::ecr};
use serde_json::json;

use crate::stack::Stack;

const SECONDS_OF_A_DAY: u64 = 86_400;

pub(super) fn add(stack: &mut Stack, global: &Global) {
    for repository in &global.repositories {
        let id = LogicalId::of(&["repository", &repository.app, &repository.base_image]);
        let description = format!(
            "Images `{}` of the app {}",
            repository.base_image, repository.app
        );
        stack
            .add(id, description, &properties(repository))
            .retained();
    }
}

fn properties(repository: &ImageRepository) -> ecr::Repository {
    ecr::Repository {
        repository_name: (&repository.name).into(),
        image_tag_mutability: "IMMUTABLE".into(),
        image_scanning_configuration: Some(ecr::repository::ImageScanningConfiguration {
            scan_on_push: true.into(),
        }),
        // AWS's own key for ECR: nothing to pay for, and whoever may pull an image may use it.
        encryption_configuration: Some(ecr::repository::EncryptionConfiguration {
            encryption_type: "KMS".into(),
            ..Default::default()
        }),
        lifecycle_policy: Some(ecr::repository::LifecyclePolicy {
            lifecycle_policy_text: lifecycle(repository).to_string().into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// What is deleted (Amazon ECR user guide, "Lifecycle policy properties in Amazon ECR"); a rule for
/// images with any tag comes last.
fn lifecycle(repository: &ImageRepository) -> Json {
    let seconds = repository.untagged_after.as_secs_ceil();
    let days = seconds.div_ceil(SECONDS_OF_A_DAY).max(1);
    json!({
        "rules": [
            {
                "rulePriority": 1,
                "description": "Images without a tag can't be deployed any more",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": days,
                },
                "action": { "type": "expire" },
            },
            {
                "rulePriority": 2,
                "description": "The newest images are kept",
                "selection": {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": repository.keep_images,
                },
                "action": { "type": "expire" },
            },
        ],
    })
}
