//! Buckets: access logs, and static files.

use mck_blueprint::Blueprint;
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo,
    resources::s3::{
        self,
        bucket::{
            AbortIncompleteMultipartUpload, BucketEncryption, LifecycleConfiguration,
            NoncurrentVersionExpiration, OwnershipControls, OwnershipControlsRule,
            PublicAccessBlockConfiguration, Rule, ServerSideEncryptionByDefault,
            ServerSideEncryptionRule, VersioningConfiguration,
        },
    },
};

use super::handed;
use crate::{stack::Stack, units};

/// How long a static file that was overwritten can be brought back, in days.
const OLD_VERSIONS_DAYS: u8 = 30;
/// After how long parts of an upload that was never finished go, in days.
const UNFINISHED_DAYS: u8 = 7;

/// How long access logs are kept, in days; none where none are wanted.
fn log_days(blueprint: &Blueprint) -> Option<u32> {
    Some(units::days(blueprint.load_balancer.access_logs_retention)).filter(|days| *days > 0)
}

/// The load balancer's access logs: the bucket, and the policy by which it may write.
pub(super) fn add_access_logs(
    stack: &mut Stack,
    blueprint: &Blueprint,
) -> Option<(LogicalId, LogicalId)> {
    let days = log_days(blueprint)?;
    let bucket = s3::Bucket {
        lifecycle_configuration: Some(expiring(days)),
        ..private(Ownership::Enforced)
    };
    let description = "Keeps the load balancer's access logs";
    let id = stack
        .add("AccessLogBucket", description, &bucket)
        .retained()
        .id();
    let load_balancers = pseudo::arn("elasticloadbalancing", "loadbalancer/*");
    let objects = Text::concat([
        id.attribute("Arn"),
        Text::from("/AWSLogs/"),
        pseudo::account(),
        Text::from("/*"),
    ]);
    // ELB user guide, "Enable access logs for your Application Load Balancer"; the ARN names the
    // account.
    let write = Statement::allow(["s3:PutObject"])
        .named("Delivery")
        .to(Principal::service(
            "logdelivery.elasticloadbalancing.amazonaws.com",
        ))
        .on([objects])
        .when("ArnLike", "aws:SourceArn", [load_balancers]);
    let policy = s3::BucketPolicy {
        bucket: id.reference(),
        policy_document: PolicyDocument::new([write, tls_only(&id)]).into(),
    };
    let description = "Lets load balancers write access logs, and nobody without TLS";
    let policy = stack.add("AccessLogBucketPolicy", description, &policy);
    let policy = policy.id();
    Some((id, policy))
}

/// The CDN's access logs, in us-east-1: it does not write into buckets of every region (Amazon
/// CloudFront developer guide, "Configure standard logging (legacy)").
pub(super) fn add_cdn_logs(stack: &mut Stack, blueprint: &Blueprint) {
    let Some(days) = log_days(blueprint) else {
        return;
    };
    let bucket = s3::Bucket {
        lifecycle_configuration: Some(expiring(days)),
        ..private(Ownership::Preferred)
    };
    let description = "Keeps the CDN's access logs";
    let id = stack
        .add("CdnLogBucket", description, &bucket)
        .retained()
        .id();
    let policy = s3::BucketPolicy {
        bucket: id.reference(),
        policy_document: PolicyDocument::new([tls_only(&id)]).into(),
    };
    let description = "Lets nobody read the CDN's access logs without TLS";
    stack.add("CdnLogBucketPolicy", description, &policy);
    stack.hand_over(
        &handed::log_bucket(&stack.id),
        "The bucket of the CDN's access logs",
        id.attribute("DomainName"),
    );
}

/// The domain of the bucket for the CDN's logs, where there is one.
pub(super) fn cdn_logs(stack: &mut Stack, blueprint: &Blueprint) -> Option<Text> {
    log_days(blueprint)?;
    Some(stack.have_or_take(&handed::log_bucket(&handed::home(blueprint))))
}

/// The bucket for static files.
pub(super) fn add_static(stack: &mut Stack) -> LogicalId {
    let bucket = s3::Bucket {
        versioning_configuration: Some(VersioningConfiguration {
            status: "Enabled".into(),
        }),
        lifecycle_configuration: Some(LifecycleConfiguration {
            rules: vec![Rule {
                id: "old-versions".into(),
                status: "Enabled".into(),
                noncurrent_version_expiration: Some(NoncurrentVersionExpiration {
                    noncurrent_days: OLD_VERSIONS_DAYS.into(),
                    ..Default::default()
                }),
                abort_incomplete_multipart_upload: unfinished(),
                ..Default::default()
            }],
            ..Default::default()
        }),
        ..private(Ownership::Enforced)
    };
    let description = "Keeps static files that the CDN offers";
    let id = stack
        .add("StaticBucket", description, &bucket)
        .retained()
        .id();
    let description = "The bucket for static files";
    stack
        .template
        .output("StaticBucketName", description, id.reference());
    id
}

/// Lets one distribution read static files, and nobody without TLS.
pub(super) fn let_in(stack: &mut Stack, bucket: &LogicalId, distribution: &LogicalId) {
    let arn = Text::concat([
        Text::from("arn:"),
        pseudo::partition(),
        Text::from(":cloudfront::"),
        pseudo::account(),
        Text::from(":distribution/"),
        distribution.reference(),
    ]);
    let objects = Text::concat([bucket.attribute("Arn"), Text::from("/*")]);
    let read = Statement::allow(["s3:GetObject"])
        .named("Cdn")
        .to(Principal::service("cloudfront.amazonaws.com"))
        .on([objects])
        .when("StringEquals", "aws:SourceArn", [arn]);
    let policy = s3::BucketPolicy {
        bucket: bucket.reference(),
        policy_document: PolicyDocument::new([read, tls_only(bucket)]).into(),
    };
    let description = "Lets the CDN alone read static files";
    stack.add("StaticBucketPolicy", description, &policy);
}

/// Whose the objects are that services write.
#[derive(Clone, Copy)]
enum Ownership {
    /// The account's, and there are no access control lists.
    Enforced,
    /// The account's, with access control lists, by which CloudFront writes logs.
    Preferred,
}

/// A bucket that is nobody else's, encrypted with S3's own key: the load balancer's logs know no
/// other (ELB user guide, "Enable access logs"), and CloudFront's would need a policy of the key.
fn private(ownership: Ownership) -> s3::Bucket {
    let ownership = match ownership {
        Ownership::Enforced => "BucketOwnerEnforced",
        Ownership::Preferred => "BucketOwnerPreferred",
    };
    s3::Bucket {
        bucket_encryption: Some(BucketEncryption {
            server_side_encryption_configuration: vec![ServerSideEncryptionRule {
                server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                    sse_algorithm: "AES256".into(),
                    ..Default::default()
                }),
                ..Default::default()
            }],
        }),
        ownership_controls: Some(OwnershipControls {
            rules: vec![OwnershipControlsRule {
                object_ownership: ownership.into(),
            }],
        }),
        public_access_block_configuration: Some(PublicAccessBlockConfiguration {
            block_public_acls: true.into(),
            block_public_policy: true.into(),
            ignore_public_acls: true.into(),
            restrict_public_buckets: true.into(),
        }),
        ..Default::default()
    }
}

fn expiring(days: u32) -> LifecycleConfiguration {
    LifecycleConfiguration {
        rules: vec![Rule {
            id: "expire".into(),
            status: "Enabled".into(),
            expiration_in_days: days.into(),
            abort_incomplete_multipart_upload: unfinished(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn unfinished() -> Option<AbortIncompleteMultipartUpload> {
    Some(AbortIncompleteMultipartUpload {
        days_after_initiation: UNFINISHED_DAYS.into(),
    })
}

fn tls_only(bucket: &LogicalId) -> Statement {
    let arn = || bucket.attribute("Arn");
    Statement::deny(["s3:*"])
        .named("TlsOnly")
        .to(Principal::Any)
        .on([arn(), Text::concat([arn(), Text::from("/*")])])
        .when("Bool", "aws:SecureTransport", ["false"])
}
