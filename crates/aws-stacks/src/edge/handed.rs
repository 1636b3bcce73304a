//! What the stacks of the edge hand to each other.

use mck_blueprint::Blueprint;

use super::CDN_REGION;
use crate::stack::{Handed, StackId};

/// The stack of the public zone and of what the CDN needs.
pub(super) fn home(blueprint: &Blueprint) -> StackId {
    if blueprint.content_delivery.is_some() && blueprint.region != CDN_REGION {
        StackId::EdgeGlobal
    } else {
        StackId::Edge
    }
}

/// The id of a public zone that is made here.
pub(super) fn public_zone(home: &StackId) -> Handed {
    Handed::new(home.clone(), "PublicZoneId")
}

/// The ARN of the CDN's certificate.
pub(super) fn certificate(home: &StackId) -> Handed {
    Handed::new(home.clone(), "CdnCertificateArn")
}

/// The ARN of the web ACL before the CDN.
pub(super) fn web_acl(home: &StackId) -> Handed {
    Handed::new(home.clone(), "CdnWebAclArn")
}

/// The domain of the bucket that the CDN writes its logs into.
pub(super) fn log_bucket(home: &StackId) -> Handed {
    Handed::new(home.clone(), "CdnLogBucketDomain")
}
