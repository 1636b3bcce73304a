//! What AWS says when an identity may not do something: which action, and on what. Pure.

use std::fmt::{self, Display, Formatter};

/// What AWS refused to an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// Whom: an ARN; none where AWS does not say.
    pub(crate) who: Option<String>,
    /// What, such as `ecs:UpdateService`.
    pub(crate) action: String,
    /// On what: mostly an ARN; none where AWS does not say.
    pub(crate) resource: Option<String>,
    /// Why, in AWS's words.
    pub(crate) because: Option<String>,
}

/// Before what AWS tells only to who may decode it (STS API reference, `DecodeAuthorizationMessage`).
const ENCODED: &str = "Encoded authorization failure message:";
/// Between an identity and an action (IAM user guide, "Troubleshoot access denied error messages").
const NOT_AUTHORIZED: &str = "is not authorized to perform:";

/// The actions of S3's operations (S3 user guide, "Required permissions for Amazon S3 API operations"),
/// which S3 does not name to identities of another account or where a bucket's policy refuses.
const OF_S3: [(&str, &str, Place); 8] = [
    ("HeadBucket", "s3:ListBucket", Place::Bucket),
    ("CreateBucket", "s3:CreateBucket", Place::Bucket),
    ("DeleteBucket", "s3:DeleteBucket", Place::Bucket),
    (
        "PutBucketLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
        Place::Bucket,
    ),
    ("ListObjectVersions", "s3:ListBucketVersions", Place::Bucket),
    ("PutObject", "s3:PutObject", Place::Objects),
    ("DeleteObject", "s3:DeleteObject", Place::Objects),
    ("GetObject", "s3:GetObject", Place::Objects),
];

/// What an action of S3's is about.
#[derive(Debug, Clone, Copy)]
enum Place {
    Bucket,
    Objects,
}

impl Denial {
    /// What a message refuses; none where it names no action.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (before, after) = text.split_once(NOT_AUTHORIZED)?;
        let after = after.split(ENCODED).next().unwrap_or_default();
        let who = before.rsplit_once("User:").map(|(_, who)| word(who));
        let action = word(after);
        if !action.contains(':') {
            return None;
        }
        let resource = ["on resource:", "on the resource:"]
            .iter()
            .find_map(|it| after.split_once(it))
            .map(|(_, resource)| word(resource));
        let because = [" because ", " with an explicit deny"]
            .iter()
            .find_map(|it| Some((*it, after.split_once(it)?.1)))
            .map(|(marker, rest)| because(marker, rest));
        Some(Self {
            who: who.filter(|it| !it.is_empty()),
            action,
            resource: resource.filter(|it| !it.is_empty()),
            because,
        })
    }

    /// What an operation needs whose service does not say so; none where we don't know it.
    fn of_operation(operation: &str, subject: &str) -> Option<Self> {
        let (_, action, place) = OF_S3.iter().find(|(name, ..)| *name == operation)?;
        let objects = match place {
            Place::Bucket => "",
            Place::Objects => "/*",
        };
        Some(Self {
            who: None,
            action: (*action).to_owned(),
            resource: Some(format!("arn:aws:s3:::{subject}{objects}")),
            because: None,
        })
    }
}

impl Display for Denial {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.who {
            Some(who) => write!(formatter, "{who} may not do {}", self.action)?,
            None => write!(formatter, "it needs {}", self.action)?,
        }
        if let Some(resource) = &self.resource {
            write!(formatter, " on {resource}")?;
        }
        match &self.because {
            Some(because) => write!(formatter, ": {because}"),
            None => Ok(()),
        }
    }
}

/// A refusal in one line: the action and the resource wherever AWS or its documentation names them, and
/// what AWS encoded in full, since a part of it can't be decoded.
pub(crate) fn explained(operation: &str, subject: &str, message: &str) -> String {
    let named = Denial::parse(message).map(|mut denial| {
        let subject = || format!("{subject}, as far as AWS says");
        denial.resource.get_or_insert_with(subject);
        denial
    });
    let known = named.or_else(|| Denial::of_operation(operation, subject));
    let mut told = match known {
        Some(denial) => denial.to_string(),
        None => format!("{}; AWS does not say which action", plain(message)),
    };
    if let Some((_, encoded)) = message.split_once(ENCODED) {
        let encoded = word(encoded);
        told.push_str(&format!(
            ". AWS encoded the rest; `aws sts decode-authorization-message --encoded-message \
             {encoded}` tells it"
        ));
    }
    told
}

/// The message without what is encoded.
fn plain(message: &str) -> &str {
    let plain = message.split(ENCODED).next().unwrap_or_default();
    plain.trim_end_matches(['.', ' '])
}

/// The first word, without what belongs to the sentence.
fn word(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let first = first.trim_matches(['"', '\'', '(', ')']);
    first.trim_end_matches(['.', ',', ';']).to_owned()
}

fn because(marker: &str, rest: &str) -> String {
    // What follows in the same message is about the request: `(Service: Ecs, Status Code: 400, …)`.
    let rest = rest.split(" (Service").next().unwrap_or_default();
    let rest = rest.split("\" (").next().unwrap_or_default();
    let rest = rest.trim_end_matches(['.', ' ', '"']);
    if marker == " because " {
        rest.to_owned()
    } else {
        format!("an explicit deny {}", rest.trim_start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "arn:aws:iam::123456789012:user/ann";

    /// The wordings of services, each with what of it must be told.
    #[test]
    fn action_and_resource_are_found_in_the_words_of_each_service() {
        for (service, message, action, resource) in [
            (
                "CloudFormation",
                "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: \
                 cloudformation:CreateChangeSet on resource: \
                 arn:aws:cloudformation:us-east-1:123456789012:stack/shop-production-data/* because \
                 no identity-based policy allows the cloudformation:CreateChangeSet action",
                "cloudformation:CreateChangeSet",
                Some("arn:aws:cloudformation:us-east-1:123456789012:stack/shop-production-data/*"),
            ),
            (
                "S3",
                "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: s3:PutObject \
                 on resource: \"arn:aws:s3:::shop-mck-templates-123456789012-us-east-1/a.json\" \
                 because no identity-based policy allows the s3:PutObject action",
                "s3:PutObject",
                Some("arn:aws:s3:::shop-mck-templates-123456789012-us-east-1/a.json"),
            ),
            (
                "ECS",
                "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: \
                 ecs:UpdateService on resource: \
                 arn:aws:ecs:us-east-1:123456789012:service/shop-production-app/shop because no \
                 identity-based policy allows the ecs:UpdateService action",
                "ecs:UpdateService",
                Some("arn:aws:ecs:us-east-1:123456789012:service/shop-production-app/shop"),
            ),
            (
                "Systems Manager",
                "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: \
                 ssm:PutParameter on resource: \
                 arn:aws:ssm:us-east-1:123456789012:parameter/shop/production/shop/release with an \
                 explicit deny in a service control policy",
                "ssm:PutParameter",
                Some("arn:aws:ssm:us-east-1:123456789012:parameter/shop/production/shop/release"),
            ),
            (
                "Secrets Manager",
                "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: \
                 secretsmanager:DescribeSecret on resource: shop/production/newrelic because no \
                 identity-based policy allows the secretsmanager:DescribeSecret action",
                "secretsmanager:DescribeSecret",
                Some("shop/production/newrelic"),
            ),
            (
                "KMS",
                "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: kms:Decrypt \
                 on the resource associated with this ciphertext because the resource does not exist \
                 in this Region, no resource-based policies allow access, or a resource-based policy \
                 explicitly denies access",
                "kms:Decrypt",
                None,
            ),
            (
                "ECR",
                "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: \
                 ecr:GetAuthorizationToken on resource: * because no identity-based policy allows \
                 the ecr:GetAuthorizationToken action",
                "ecr:GetAuthorizationToken",
                Some("*"),
            ),
            (
                "EC2",
                "You are not authorized to perform this operation. User: \
                 arn:aws:iam::123456789012:user/ann is not authorized to perform: ec2:CreateVpc on \
                 resource: arn:aws:ec2:us-east-1:123456789012:vpc/* because no identity-based policy \
                 allows the ec2:CreateVpc action. Encoded authorization failure message: 4GIOHlTkI",
                "ec2:CreateVpc",
                Some("arn:aws:ec2:us-east-1:123456789012:vpc/*"),
            ),
            (
                "IAM, in an event of CloudFormation",
                "Resource handler returned message: \"User: arn:aws:iam::123456789012:user/ann is not \
                 authorized to perform: iam:CreateRole on resource: \
                 arn:aws:iam::123456789012:role/shop-task because no identity-based policy allows the \
                 iam:CreateRole action (Service: Iam, Status Code: 403, Request ID: 01)\" \
                 (RequestToken: 02, HandlerErrorCode: AccessDenied)",
                "iam:CreateRole",
                Some("arn:aws:iam::123456789012:role/shop-task"),
            ),
        ] {
            let found = Denial::parse(message).expect(service);
            assert_eq!(found.who.as_deref(), Some(ANN), "{service}");
            assert_eq!(found.action, action, "{service}");
            assert_eq!(found.resource.as_deref(), resource, "{service}");
            let because = found.because.expect(service);
            assert!(!because.contains("Encoded"), "{service}: {because}");
            assert!(!because.contains("Service:"), "{service}: {because}");
        }
        assert_eq!(Denial::parse("Access Denied"), None);
        assert_eq!(Denial::parse("is not authorized to perform: this"), None);
    }

    #[test]
    fn refusals_read_as_sentences() {
        let told: Vec<String> = [
            (
                "UpdateService",
                "shop",
                "User: arn:aws:iam::1:user/ann is not authorized to perform: ecs:UpdateService on \
                 resource: arn:aws:ecs:us-east-1:1:service/app/shop because no identity-based policy \
                 allows the ecs:UpdateService action",
            ),
            (
                "GetCallerIdentity",
                "the account",
                "User: arn:aws:iam::1:user/ann is not authorized to perform: sts:GetCallerIdentity",
            ),
            (
                "PutParameter",
                "/shop/release",
                "User: arn:aws:iam::1:user/ann is not authorized to perform: ssm:PutParameter on \
                 resource: arn:aws:ssm:us-east-1:1:parameter/shop/release with an explicit deny in a \
                 service control policy",
            ),
            ("PutObject", "shop-templates", "Access Denied"),
            ("HeadBucket", "shop-templates", ""),
            ("GetSecretValue", "shop/key", "Access to KMS is not allowed"),
            (
                "CreateVpc",
                "shop",
                "You are not authorized to perform this operation. Encoded authorization failure \
                 message: 4GIOHlTkIaWHQD0Q0m6XSnuUM",
            ),
        ]
        .iter()
        .map(|(operation, subject, message)| explained(operation, subject, message))
        .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
