//! What goes wrong between us and AWS.

use aws_sdk_cloudformation::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::denial;

/// What goes wrong between us and AWS.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// A call failed.
    #[error("{operation} of {subject} failed: {message}")]
    Call {
        /// The API's operation, such as `CreateChangeSet`.
        operation: &'static str,
        /// What it was about: a stack, a bucket, the account.
        subject: String,
        /// What kind of failure it is.
        kind: CallFailure,
        /// What AWS says, in one line.
        message: String,
    },
    /// AWS answered, but without what its API promises.
    #[error("the answer to {operation} of {subject} lacks {missing}")]
    Incomplete {
        /// The API's operation.
        operation: &'static str,
        /// What it was about.
        subject: String,
        /// What is not in the answer.
        missing: &'static str,
    },
    /// A change set could not be made.
    #[error("CloudFormation refuses the change of {stack}: {reason}")]
    ChangeSet {
        /// The stack.
        stack: String,
        /// What CloudFormation says.
        reason: String,
    },
    /// Something did not end in time.
    #[error("{what} of {stack} did not end within {seconds} s")]
    Deadline {
        /// What was waited for.
        what: &'static str,
        /// The stack.
        stack: String,
        /// How long, in seconds.
        seconds: u64,
    },
    /// Somebody else changes the stack.
    #[error(
        "{stack} is {status} by another operation{}{}",
        since_text(since),
        by_text(by)
    )]
    Busy {
        /// The stack.
        stack: String,
        /// Its state.
        status: String,
        /// When that began, in RFC 3339; empty where it is not known.
        since: String,
        /// The token of the request that began it; empty where there is none.
        by: String,
    },
    /// A parameter's source has no value.
    #[error("{stack} needs the output {output} of {from}, which has none")]
    OutputMissing {
        /// The stack that needs it.
        stack: String,
        /// The stack that should have it.
        from: String,
        /// The output.
        output: String,
    },
    /// A region lacks a prefix list that AWS keeps in others.
    #[error("AWS keeps no prefix list {list} in {region}, which rules of security groups need")]
    PrefixListMissing {
        /// The list's name.
        list: String,
        /// The region.
        region: String,
    },
    /// A template is too large even for S3.
    #[error("the template of {stack} has {bytes} bytes; CloudFormation takes 1,048,576")]
    TooLarge {
        /// The stack.
        stack: String,
        /// Its size in bytes.
        bytes: usize,
    },
    /// Data would be lost that nobody agreed to.
    #[error("{stack}: {resources} would lose data, which the plan that you saw did not say")]
    UnexpectedLoss {
        /// The stack.
        stack: String,
        /// The resources, separated by commas.
        resources: String,
    },
    /// ECS started no task, such as for want of room.
    #[error("ECS started no task of {task_definition}: {reason}")]
    NotPlaced {
        /// The task definition.
        task_definition: String,
        /// Why, as ECS says, such as `RESOURCE:MEMORY`.
        reason: String,
    },
    /// The runtime could not be started.
    #[error("the asynchronous runtime could not be started")]
    Runtime(#[source] std::io::Error),
}

/// What kind of failure a call had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// There are no credentials, or the provider failed.
    NoCredentials,
    /// The credentials have expired.
    Expired,
    /// The machine's clock is wrong.
    ClockSkew,
    /// The identity may not do that.
    Denied,
    /// AWS asks for fewer calls, after all retries.
    Throttled,
    /// No connection, or no answer in time.
    Unreachable,
    /// The answer was not one of the API's.
    Unreadable,
    /// There is no such thing.
    NotFound,
    /// AWS refuses for another reason.
    Refused,
}

impl CallFailure {
    /// The kind that a code of AWS's common errors means.
    fn of_code(code: &str, message: &str) -> Self {
        match code {
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Self::Expired,
            "RequestTimeTooSkewed" | "InvalidSignatureException" if is_about_time(message) => {
                Self::ClockSkew
            }
            "SignatureDoesNotMatch" if is_about_time(message) => Self::ClockSkew,
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "Forbidden" => {
                Self::Denied
            }
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken"
            | "SignatureDoesNotMatch"
            | "AuthFailure"
            | "InvalidAccessKeyId" => Self::NoCredentials,
            "Throttling"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "SlowDown" => Self::Throttled,
            "ValidationError" if message.contains("does not exist") => Self::NotFound,
            "ChangeSetNotFound" | "NoSuchBucket" | "NotFound" | "NoSuchKey" => Self::NotFound,
            "NoSuchEntity" => Self::NotFound,
            // ECS, ECR, Parameter Store, Secrets Manager and CloudWatch Logs.
            "ServiceNotFoundException"
            | "ServiceNotActiveException"
            | "ClusterNotFoundException"
            | "RepositoryNotFoundException"
            | "ImageNotFoundException"
            | "ParameterNotFound"
            // RDS.
            | "DBClusterNotFoundFault"
            | "DBClusterSnapshotNotFoundFault"
            | "DBInstanceNotFound"
            | "DBInstanceNotFoundFault"
            | "ResourceNotFoundException" => Self::NotFound,
            _ => Self::Refused,
        }
    }

    /// What helps.
    pub const fn hint(self) -> Option<&'static str> {
        match self {
            Self::NoCredentials => Some(
                "give credentials: `aws configure sso`, `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and \
                 `AWS_SECRET_ACCESS_KEY`",
            ),
            Self::Expired => Some("log in again, such as with `aws sso login`"),
            Self::ClockSkew => {
                Some("set the machine's clock right: AWS refuses what is 5 minutes off")
            }
            Self::Denied => Some(
                "allow that action on that resource to the user or role, or use another with \
                 `AWS_PROFILE`",
            ),
            Self::Throttled => Some("wait a minute and try again; nothing was lost"),
            Self::Unreachable => Some("check the network, proxy and `AWS_ENDPOINT_URL`"),
            Self::Unreadable => Some("check that `AWS_ENDPOINT_URL` is AWS or speaks its protocol"),
            Self::NotFound | Self::Refused => None,
        }
    }
}

fn is_about_time(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["skew", "expired", "not yet current", "time"]
        .iter()
        .any(|word| message.contains(word))
}

impl AwsError {
    /// A call's failure in our words.
    pub(crate) fn call<E>(
        operation: &'static str,
        subject: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let (kind, mut message) = explain(error);
        if kind == CallFailure::Denied {
            let told = error.message().unwrap_or_default();
            let told = denial::explained(operation, subject, told);
            let code = error.code().map_or_else(|| message.clone(), str::to_owned);
            message = format!("{code}: {told}");
        }
        Self::Call {
            operation,
            subject: subject.to_owned(),
            kind,
            message,
        }
    }

    /// What kind of failure it is, where it is a call's.
    pub const fn kind(&self) -> Option<CallFailure> {
        match self {
            Self::Call { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Whether there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        self.kind() == Some(CallFailure::NotFound)
    }
}

fn explain<E>(error: &SdkError<E, HttpResponse>) -> (CallFailure, String)
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            match (service.err().code(), service.err().message()) {
                (Some(code), message) => {
                    let message = message.unwrap_or_default();
                    let kind = CallFailure::of_code(code, message);
                    (kind, one_line(&format!("{code}: {message}")))
                }
                (None, _) => of_status(status),
            }
        }
        SdkError::ResponseError(response) => of_status(response.raw().status().as_u16()),
        SdkError::ConstructionFailure(_) => (CallFailure::Refused, root(error)),
        SdkError::TimeoutError(_) => (CallFailure::Unreachable, "no answer in time".to_owned()),
        _ => {
            let cause = root(error);
            let chain = chain(error);
            if chain.contains("credential") || chain.contains("identity") {
                (CallFailure::NoCredentials, one_line(&cause))
            } else {
                (CallFailure::Unreachable, one_line(&cause))
            }
        }
    }
}

/// An answer of which only the status is known, such as a proxy's page.
fn of_status(status: u16) -> (CallFailure, String) {
    let kind = match status {
        403 => CallFailure::Denied,
        404 => CallFailure::NotFound,
        _ => CallFailure::Unreadable,
    };
    (kind, format!("HTTP {status}, without an error of the API"))
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let told: Vec<String> = causes(error).map(ToString::to_string).collect();
    told.join(": ").to_ascii_lowercase()
}

fn root(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// The most characters of a message that are repeated.
const LONGEST_MESSAGE: usize = 600;

fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(LONGEST_MESSAGE).collect()
}

fn since_text(since: &str) -> String {
    if since.is_empty() {
        String::new()
    } else {
        format!(" since {since}")
    }
}

fn by_text(by: &str) -> String {
    if by.is_empty() {
        String::new()
    } else {
        format!(", begun by {by}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (code, message, kind) in [
            (
                "ExpiredToken",
                "The security token expired",
                CallFailure::Expired,
            ),
            (
                "SignatureDoesNotMatch",
                "Signature not yet current: …",
                CallFailure::ClockSkew,
            ),
            (
                "SignatureDoesNotMatch",
                "The signature we calculated …",
                CallFailure::NoCredentials,
            ),
            (
                "AccessDenied",
                "User: … is not authorized to perform: …",
                CallFailure::Denied,
            ),
            ("Throttling", "Rate exceeded", CallFailure::Throttled),
            (
                "ValidationError",
                "Stack with id x does not exist",
                CallFailure::NotFound,
            ),
            (
                "ValidationError",
                "Template format error",
                CallFailure::Refused,
            ),
            ("InvalidClientTokenId", "", CallFailure::NoCredentials),
        ] {
            assert_eq!(
                CallFailure::of_code(code, message),
                kind,
                "{code} {message}"
            );
        }
    }

    #[test]
    fn who_is_busy_is_told_as_far_as_it_is_known() {
        let busy = |since: &str, by: &str| AwsError::Busy {
            stack: "shop-data".to_owned(),
            status: "UPDATE_IN_PROGRESS".to_owned(),
            since: since.to_owned(),
            by: by.to_owned(),
        };
        assert_eq!(
            busy("", "").to_string(),
            "shop-data is UPDATE_IN_PROGRESS by another operation"
        );
        assert_eq!(
            busy("2026-11-24T15:00:00Z", "mck-0123-ann-laptop").to_string(),
            "shop-data is UPDATE_IN_PROGRESS by another operation since 2026-11-24T15:00:00Z, \
             begun by mck-0123-ann-laptop"
        );
    }
}
