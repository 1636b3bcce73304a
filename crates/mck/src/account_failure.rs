//! Failures of the account as failures of a command: each with its exit code and its way out.

use mck_aws::{AwsError, ScheduleError, StackFailure};
use mck_aws_stacks::origin;
use mck_environment::EnvironmentFile;

use crate::{exit::Exit, failure::Failure};

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        let failure = Self::from_error(exit_of(&error), &error);
        match hint_of(&error) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        Self::from_error(Exit::Internal, &error)
    }
}

fn exit_of(error: &AwsError) -> Exit {
    match error {
        AwsError::Busy { .. } => Exit::Busy,
        AwsError::UnexpectedLoss { .. } => Exit::Declined,
        AwsError::TooLarge { .. } => Exit::Stacks,
        AwsError::ChangeSet { .. } | AwsError::Deadline { .. } => Exit::StackFailed,
        AwsError::Call { .. }
        | AwsError::Incomplete { .. }
        | AwsError::OutputMissing { .. }
        | AwsError::PrefixListMissing { .. } => Exit::Account,
        AwsError::NotPlaced { .. } => Exit::NotHealthy,
        AwsError::Runtime(_) => Exit::Internal,
    }
}

/// What helps against an error.
pub fn hint_of(error: &AwsError) -> Option<&'static str> {
    match error {
        AwsError::Busy { .. } => Some("wait until it has ended; the same `mck apply` follows it"),
        AwsError::UnexpectedLoss { .. } => Some("`mck plan` shows it again"),
        AwsError::PrefixListMissing { .. } => {
            Some("switch the content delivery network off in this region, or take another region")
        }
        error => error.kind()?.hint(),
    }
}

/// Where stacks that failed come from: the environment file, and the environment's name.
pub struct Written<'a> {
    pub file: &'a EnvironmentFile,
    pub environment: &'a str,
}

/// Stacks that failed, as one failure: the worst exit code, and each with its reason and hints.
pub fn of_stacks(what: &str, failed: &[StackFailure], written: &Written<'_>) -> Failure {
    let is_busy = |it: &StackFailure| matches!(it.error, Some(AwsError::Busy { .. }));
    let exit = if failed.iter().all(is_busy) {
        Exit::Busy
    } else {
        Exit::StackFailed
    };
    let names: Vec<&str> = failed.iter().map(|it| it.stack.as_str()).collect();
    let mut failure = Failure::new(exit, format!("{what}: {}", names.join(", ")));
    for stack in failed {
        failure = failure.caused_by(&std::io::Error::other(stack.message()));
        let reason = stack.reason.as_ref();
        // Where no resource is to blame, the stack is named.
        if let Some(reason) = reason.filter(|it| it.logical_id != stack.name) {
            let id = &reason.logical_id;
            let path = origin(&stack.stack, id);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let told = format!("{id} of the stack {} comes from here", stack.stack);
            failure = failure.place(written.file.at(written.environment, &path, told));
        }
    }
    let mut hints: Vec<String> = failed
        .iter()
        .filter_map(|it| match (&it.error, &it.reason) {
            (Some(error), _) => hint_of(error).map(str::to_owned),
            (None, reason) => reason.as_ref()?.hint(),
        })
        .collect();
    hints.dedup();
    hints.into_iter().fold(failure, Failure::hint)
}

#[cfg(test)]
mod tests {
    use mck_aws::Reason;
    use miette::Diagnostic;

    use super::*;

    const FILE: &str =
        "project = \"shop\"\n\n[app.shop]\npreset = \"magento2\"\n\n[database]\nreaders = 1\n";

    fn failed(stack: &str, logical_id: &str) -> StackFailure {
        StackFailure {
            stack: stack.to_owned(),
            name: format!("shop-production-{stack}"),
            error: None,
            status: "ROLLBACK_COMPLETE".to_owned(),
            reason: Some(Reason {
                logical_id: logical_id.to_owned(),
                kind: "AWS::RDS::DBCluster".to_owned(),
                status: "CREATE_FAILED".to_owned(),
                text: "it is full".to_owned(),
            }),
        }
    }

    #[test]
    fn a_failure_names_the_lines_that_it_comes_from() {
        let file =
            EnvironmentFile::parse("magecloudkit.toml", FILE.as_bytes()).expect("it is right");
        let written = Written {
            file: &file,
            environment: "production",
        };
        for (stack, resource, line) in [
            ("data", "DatabaseCluster", Some(6)),
            ("app-shop", "ScalingByCpu", Some(3)),
            ("network", "NatGatewayA", Some(1)),
            ("data", "shop-production-data", None),
        ] {
            let failure = of_stacks("stacks failed", &[failed(stack, resource)], &written);
            let told = failure
                .places
                .first()
                .map(|it| it.to_json()[0]["spans"][0]["line"].clone());
            assert_eq!(told, line.map(serde_json::Value::from), "{resource}");
            let has_source = failure.places.iter().all(|it| it.source_code().is_some());
            assert!(has_source);
        }
    }
}
