//! Image repositories.

use mck_blueprint::model::ImageRepository;
use mck_cloudformation::{Json, LogicalId, resources::ecr};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::stack::Stack;

const SECONDS_OF_A_DAY: u64 = 86_400;

/// Repositories in one stack: a template has at most 500 resources, and the doors of continuous
/// integration are some ten for each environment.
const REPOSITORIES_PER_STACK: usize = 400;

/// The repositories of each stack, at least one stack.
///
/// A repository's name alone says where it is among so many stacks, so that a new app moves nobody
/// else's repositories. When they become too many for their stacks, the number of stacks doubles and
/// some of each move to a later one.
pub(super) fn parts(repositories: &[ImageRepository]) -> Vec<Vec<&ImageRepository>> {
    let mut count = 1;
    loop {
        let mut parts = vec![Vec::new(); count];
        for repository in repositories {
            parts[position(&repository.name, count)].push(repository);
        }
        if parts.iter().all(|it| it.len() <= REPOSITORIES_PER_STACK) {
            return parts;
        }
        count *= 2;
    }
}

/// The place of a name among `count` stacks, a power of two: the last bits of its digest.
fn position(name: &str, count: usize) -> usize {
    let digest = Sha256::digest(name);
    let last = digest.last_chunk().expect("a digest has 32 bytes");
    // What is left is less than `count`.
    usize::try_from(u64::from_be_bytes(*last) % count as u64).unwrap_or_default()
}

pub(super) fn add(stack: &mut Stack, repositories: &[&ImageRepository]) {
    for repository in repositories {
        let id = LogicalId::of(&[
            "repository",
            &repository.environment,
            &repository.app,
            &repository.image,
        ]);
        let description = format!(
            "Images `{}` of the app {} in {}",
            repository.image, repository.app, repository.environment
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
