//! What may be done with images in ECR.

use mck_cloudformation::Statement;

/// Takes images of a repository (Amazon ECR user guide, "Pulling an image").
pub(crate) const PULL: [&str; 3] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
];

/// Puts images into a repository (Amazon ECR user guide, "IAM permissions for pushing an image"),
/// beside what takes them.
const PUSH: [&str; 5] = [
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

/// The login of the whole registry: ECR knows no narrower one.
pub(crate) fn login(name: &str) -> Statement {
    Statement::allow(["ecr:GetAuthorizationToken"])
        .named(name)
        .on_all()
}

/// Takes and puts images, and does what is named beside: all in the order of their names.
pub(crate) fn push_and(others: &[&'static str]) -> Vec<&'static str> {
    let mut actions: Vec<&str> = [&PULL, &PUSH[..], others].concat();
    actions.sort_by_key(|action| action.to_ascii_lowercase());
    actions
}
