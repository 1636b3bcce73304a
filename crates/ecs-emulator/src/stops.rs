//! Why a task stopped: what the environment's own log of events says, in ECS's words.

use crate::state::{NOT_STARTED, Stop};

/// Why a task stopped, and how the container ended that was the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Why.
    pub stop: Stop,
    /// The container, and its exit code where it is known.
    pub container: Option<(String, Option<i32>)>,
    /// What its health check said, where that was the cause.
    pub unhealthy: Option<String>,
}

/// What `messages`, the events of a task, say of its end; `primary` is the id of the service's
/// deployment, `target_group` the ARN of its target group.
pub fn cause(messages: &[String], primary: &str, target_group: &str) -> Cause {
    let newest = messages.iter().rev();
    let failed = newest.clone().find_map(|it| it.strip_prefix("Failed: "));
    if let Some(reason) = failed {
        return failure(reason);
    }
    let unhealthy = newest
        .clone()
        .any(|it| it == "Drains: its health check fails.");
    if unhealthy {
        let detail = newest.clone().find_map(|it| it.strip_prefix("Unhealthy: "));
        let reason = format!("Task failed ELB health checks in (target-group {target_group})");
        return Cause {
            stop: stop("ServiceSchedulerInitiated", reason),
            container: None,
            unhealthy: Some(detail.unwrap_or_default().to_owned()),
        };
    }
    let reason = format!("Scaling activity initiated by (deployment {primary})");
    Cause {
        stop: stop("ServiceSchedulerInitiated", reason),
        container: None,
        unhealthy: None,
    }
}

/// Of a failure `its container NAME …` was the container's end, all others came before it ran.
fn failure(reason: &str) -> Cause {
    let container = reason
        .strip_prefix("its container ")
        .and_then(|rest| rest.split_once(' '));
    match container {
        Some((name, how)) => Cause {
            stop: stop(
                "EssentialContainerExited",
                "Essential container in task exited",
            ),
            container: Some((name.to_owned(), exit_code(how))),
            unhealthy: None,
        },
        None => Cause {
            stop: stop(NOT_STARTED, reason),
            container: None,
            unhealthy: None,
        },
    }
}

/// The exit code that the words of [`mck_local::text::exit`] stand for.
fn exit_code(how: &str) -> Option<i32> {
    let of_signal = [
        ("was killed (SIGKILL", 137),
        ("crashed (SIGSEGV", 139),
        ("was stopped (SIGTERM", 143),
    ];
    if let Some((_, code)) = of_signal.iter().find(|(words, _)| how.starts_with(words)) {
        return Some(*code);
    }
    let number = |rest: &str| {
        let end = rest.find(|one: char| !one.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse::<i32>().ok()
    };
    if let Some(rest) = how.strip_prefix("was stopped by signal ") {
        return Some(128 + number(rest)?);
    }
    number(how.strip_prefix("ended with exit code ")?)
}

/// Why a task stops.
pub fn stop(code: &str, reason: impl Into<String>) -> Stop {
    Stop {
        code: code.to_owned(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use mck_local::text;

    use super::*;

    fn of(messages: &[&str]) -> Cause {
        let messages: Vec<String> = messages.iter().map(|it| (*it).to_owned()).collect();
        cause(&messages, "ecs-svc/1", "arn:group")
    }

    #[test]
    fn the_words_for_an_exit_code_are_read_back() {
        for code in [0, 1, 70, 127, 130, 134, 137, 139, 143, 255] {
            let words = text::exit(Some(code));
            let found = of(&[&format!(
                "Failed: its container php-fpm {words}; its last words: x"
            )]);
            assert_eq!(found.container, Some(("php-fpm".to_owned(), Some(code))));
            assert_eq!(found.stop.code, "EssentialContainerExited");
        }
        let found = of(&[&format!(
            "Failed: its container php-fpm {}",
            text::exit(None)
        )]);
        assert_eq!(found.container, Some(("php-fpm".to_owned(), None)));
    }

    #[test]
    fn every_end_has_its_code_and_reason() {
        let scaling = "Scaling activity initiated by (deployment ecs-svc/1)";
        for (message, code, reason) in [
            (
                "Drains: a newer revision takes over.",
                "ServiceSchedulerInitiated",
                scaling,
            ),
            (
                "Drains: there are more tasks than wanted.",
                "ServiceSchedulerInitiated",
                scaling,
            ),
            (
                "Drains: its health check fails.",
                "ServiceSchedulerInitiated",
                "Task failed ELB health checks in (target-group arn:group)",
            ),
            (
                "Failed: no address is free",
                "TaskFailedToStart",
                "no address is free",
            ),
        ] {
            let found = of(&["Starts on app-1 in a.", message, "Stopped."]);
            assert_eq!(found.stop, stop(code, reason), "{message}");
            assert_eq!(found.container, None);
        }
    }
}
