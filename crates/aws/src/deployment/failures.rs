//! Why tasks failed, and whether a deployment can still succeed. Pure.
//!
//! ECS says why a task stopped in a code, a sentence and each container's exit code (ECS API,
//! `Task.stopCode`; developer guide, "Stopped task error messages").

use std::time::SystemTime;

use aws_sdk_ecs::types::{Container, Task, TaskStopCode};

use crate::{ecs::short, parameters::time};

/// Exit codes that a container has when it was asked to end because another one had: of SIGKILL, of
/// SIGTERM, and of a server that obeys.
const ASKED_TO_END: [i32; 3] = [137, 143, 0];
/// Exit codes above are 128 and the number of the signal that ended the process.
const SIGNALS: i32 = 128;

/// A task that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedTask {
    /// Its id.
    pub(crate) id: String,
    /// When it stopped.
    at: Option<SystemTime>,
    cause: Cause,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cause {
    /// An image is not there.
    Image(String),
    /// A secret can't be read.
    Secret(String),
    /// A container ended.
    Ended {
        container: String,
        exit_code: Option<i32>,
        reason: Option<String>,
    },
    /// A health check failed.
    Unhealthy(String),
    /// ECS could not start it, for a reason that may pass.
    Other(String),
}

impl FailedTask {
    /// The container whose last words tell more.
    pub(crate) fn container(&self) -> Option<&str> {
        match &self.cause {
            Cause::Ended { container, .. } => Some(container),
            _ => None,
        }
    }

    /// Whether it ran, but a health check failed.
    pub(crate) const fn is_unhealthy(&self) -> bool {
        matches!(self.cause, Cause::Unhealthy(_))
    }

    /// Why, as what follows "the last one: ".
    pub(crate) fn tell(&self) -> String {
        match &self.cause {
            Cause::Image(text) => format!("an image of it is not there: {text}"),
            Cause::Secret(text) => format!("a secret of it can't be read: {text}"),
            Cause::Ended {
                container,
                exit_code,
                reason,
            } => {
                let reason = reason.iter().map(|it| format!(": {it}"));
                let reason: String = reason.collect();
                format!("its container {container} {}{reason}", ending(*exit_code))
            }
            Cause::Unhealthy(text) | Cause::Other(text) => text.clone(),
        }
    }

    /// Whether the next task must fail in the same way.
    const fn is_final(&self) -> bool {
        matches!(self.cause, Cause::Image(_) | Cause::Secret(_))
    }

    fn is_like(&self, other: &Self) -> bool {
        match (&self.cause, &other.cause) {
            (
                Cause::Ended {
                    container,
                    exit_code,
                    ..
                },
                Cause::Ended {
                    container: its_container,
                    exit_code: its_code,
                    ..
                },
            ) => container == its_container && exit_code == its_code,
            _ => false,
        }
    }
}

/// The tasks of a definition that failed, the first to fail first. What was stopped on purpose, by
/// people or because fewer were wanted, did not fail.
pub(crate) fn failed(stopped: &[Task], definition: &str) -> Vec<FailedTask> {
    let ours = stopped.iter();
    let ours = ours.filter(|it| it.task_definition_arn() == Some(definition));
    let mut failed: Vec<FailedTask> = ours.filter_map(failed_task).collect();
    failed.sort_by_key(|it| it.at);
    failed
}

/// Whether a deployment can't succeed any more: for a cause that the next task meets again, or when
/// as many tasks as the app's circuit breaker allows ended in the same way and none is ready.
pub(crate) fn is_doomed(failed: &[FailedTask], threshold: u16, ready: usize) -> bool {
    let Some(last) = failed.last() else {
        return false;
    };
    if last.is_final() {
        return true;
    }
    let alike = failed.iter().rev().take_while(|it| it.is_like(last));
    let threshold = usize::from(threshold.max(1));
    ready == 0 && alike.count() >= threshold
}

/// Why a deployment failed, with the last task's last words.
pub(crate) fn story(failed: &[FailedTask], words: &[String]) -> Option<String> {
    let last = failed.last()?;
    let mut story = match failed.len() {
        1 => format!("a task failed: {}", last.tell()),
        count => format!(
            "{count} tasks failed in a row; the last one: {}",
            last.tell()
        ),
    };
    if !words.is_empty() {
        story = format!("{story}; its last words: {}", words.join(" | "));
    }
    Some(story)
}

/// A one-off task's failure: none where it ended well.
pub(crate) fn one_off(task: &Task) -> Option<FailedTask> {
    let stopped_well = task.containers().iter().all(|it| it.exit_code() == Some(0));
    if stopped_well && !task.containers().is_empty() {
        return None;
    }
    let cause = match task.stop_code() {
        Some(TaskStopCode::UserInitiated) => Cause::Other(sentence(task)),
        _ => cause(task),
    };
    Some(of(task, cause))
}

fn failed_task(task: &Task) -> Option<FailedTask> {
    let cause = match task.stop_code()? {
        TaskStopCode::UserInitiated
        | TaskStopCode::SpotInterruption
        | TaskStopCode::TerminationNotice => return None,
        TaskStopCode::ServiceSchedulerInitiated => {
            let sentence = sentence(task);
            if !sentence.to_ascii_lowercase().contains("failed") {
                return None;
            }
            Cause::Unhealthy(sentence)
        }
        _ => cause(task),
    };
    Some(of(task, cause))
}

fn of(task: &Task, cause: Cause) -> FailedTask {
    FailedTask {
        id: short(task.task_arn().unwrap_or_default()).to_owned(),
        at: task.stopped_at().or(task.stopping_at()).map(time),
        cause,
    }
}

fn sentence(task: &Task) -> String {
    task.stopped_reason().unwrap_or("it was stopped").to_owned()
}

fn cause(task: &Task) -> Cause {
    let sentence = sentence(task);
    let reasons = task.containers().iter().filter_map(Container::reason);
    let texts: Vec<&str> = reasons.chain([sentence.as_str()]).collect();
    if let Some(text) = texts.iter().find(|it| is_missing_image(it)) {
        return Cause::Image((*text).to_owned());
    }
    if let Some(text) = texts.iter().find(|it| is_unreadable_secret(it)) {
        return Cause::Secret((*text).to_owned());
    }
    match culprit(task.containers()) {
        Some(container) if container.exit_code().is_some() => Cause::Ended {
            container: container.name().unwrap_or_default().to_owned(),
            exit_code: container.exit_code(),
            reason: container.reason().map(str::to_owned),
        },
        _ => Cause::Other(texts[0].to_owned()),
    }
}

/// The container that ended by itself, rather than because another one had.
fn culprit(containers: &[Container]) -> Option<&Container> {
    let rank = |it: &&Container| match (it.reason(), it.exit_code()) {
        (Some(_), Some(_)) => 0,
        (_, Some(code)) if !ASKED_TO_END.contains(&code) => 1,
        (_, Some(_)) => 2,
        (_, None) => 3,
    };
    containers.iter().min_by_key(rank)
}

/// Whether an image can't be pulled because there is none; a registry that does not answer may answer
/// the next time.
fn is_missing_image(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("cannotpull")
        && [
            "not found",
            "notfound",
            "manifest unknown",
            "does not exist",
        ]
        .iter()
        .any(|words| text.contains(words))
}

/// Whether a secret can't be read because there is none, or because the role may not.
fn is_unreadable_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("resourceinitializationerror")
        && text.contains("secret")
        && [
            "resourcenotfoundexception",
            "can't find",
            "accessdenied",
            "not authorized",
            "did not contain json key",
        ]
        .iter()
        .any(|words| text.contains(words))
}

fn ending(exit_code: Option<i32>) -> String {
    match exit_code {
        None => "never started".to_owned(),
        Some(code) if code > SIGNALS => {
            format!("was ended by signal {} (exit code {code})", code - SIGNALS)
        }
        Some(code) => format!("ended with exit code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::primitives::DateTime;

    use super::*;

    const OURS: &str = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop:4";

    fn container(name: &str, exit_code: Option<i32>, reason: Option<&str>) -> Container {
        Container::builder()
            .name(name)
            .set_exit_code(exit_code)
            .set_reason(reason.map(str::to_owned))
            .build()
    }

    fn task(at: i64, code: TaskStopCode, reason: &str, containers: Vec<Container>) -> Task {
        Task::builder()
            .task_arn(format!(
                "arn:aws:ecs:eu-central-1:123456789012:task/c/task{at}"
            ))
            .task_definition_arn(OURS)
            .stop_code(code)
            .stopped_reason(reason)
            .stopped_at(DateTime::from_secs(1_800_000_000 + at))
            .set_containers(Some(containers))
            .build()
    }

    fn exited(at: i64, exit_code: i32) -> Task {
        let containers = vec![
            container("nginx", Some(143), None),
            container("php-fpm", Some(exit_code), None),
        ];
        let code = TaskStopCode::EssentialContainerExited;
        task(at, code, "Essential container in task exited", containers)
    }

    fn told(task: Task) -> Option<String> {
        failed(&[task], OURS).first().map(FailedTask::tell)
    }

    #[test]
    fn every_way_to_fail_has_its_words() {
        use TaskStopCode::{
            EssentialContainerExited, ServiceSchedulerInitiated, TaskFailedToStart, UserInitiated,
        };
        let pull = "CannotPullContainerError: pull image manifest has been retried 5 time(s): \
            failed to resolve ref x/shop:1: x/shop:1: not found";
        let slow = "CannotPullContainerError: ref pull has been retried 5 time(s): i/o timeout";
        let secret = "ResourceInitializationError: unable to pull secrets or registry auth: \
            execution resource retrieval failed: unable to retrieve secret from asm: \
            ResourceNotFoundException: Secrets Manager can't find the specified secret value";
        let out_of_memory = "OutOfMemoryError: Container killed due to memory usage";
        let none = || vec![container("php-fpm", None, None)];
        for (task, words) in [
            (
                exited(1, 70),
                Some("its container php-fpm ended with exit code 70".to_owned()),
            ),
            (
                exited(1, 139),
                Some("its container php-fpm was ended by signal 11 (exit code 139)".to_owned()),
            ),
            (
                task(
                    1,
                    EssentialContainerExited,
                    "Essential container in task exited",
                    vec![
                        container("nginx", Some(1), None),
                        container("php-fpm", Some(137), Some(out_of_memory)),
                    ],
                ),
                Some(format!(
                    "its container php-fpm was ended by signal 9 (exit code 137): {out_of_memory}"
                )),
            ),
            (
                task(1, TaskFailedToStart, pull, none()),
                Some(format!("an image of it is not there: {pull}")),
            ),
            (
                task(1, TaskFailedToStart, slow, none()),
                Some(slow.to_owned()),
            ),
            (
                task(1, TaskFailedToStart, secret, none()),
                Some(format!("a secret of it can't be read: {secret}")),
            ),
            (
                task(
                    1,
                    ServiceSchedulerInitiated,
                    "Task failed container health checks",
                    vec![container("php-fpm", Some(0), None)],
                ),
                Some("Task failed container health checks".to_owned()),
            ),
            (
                task(
                    1,
                    ServiceSchedulerInitiated,
                    "Scaling activity initiated by (deployment ecs-svc/1)",
                    Vec::new(),
                ),
                None,
            ),
            (task(1, UserInitiated, "stopped by ann", Vec::new()), None),
        ] {
            assert_eq!(told(task), words);
        }
    }

    #[test]
    fn only_tasks_of_the_definition_count_and_the_last_is_the_last() {
        let other = Task::builder()
            .task_definition_arn("other")
            .stop_code(TaskStopCode::EssentialContainerExited)
            .build();
        let all = failed(&[exited(9, 2), other, exited(3, 1)], OURS);
        assert_eq!(all.len(), 2);
        let words = ["no such table".to_owned(), "giving up".to_owned()];
        assert_eq!(
            story(&all, &words).as_deref(),
            Some(
                "2 tasks failed in a row; the last one: its container php-fpm ended with exit \
                 code 2; its last words: no such table | giving up"
            )
        );
        assert_eq!(story(&[], &words), None);
    }

    #[test]
    fn a_deployment_is_doomed_when_the_next_task_must_fail_too() {
        let pull = "CannotPullContainerError: x/shop:1: not found";
        let missing = task(5, TaskStopCode::TaskFailedToStart, pull, Vec::new());
        let slow = "CannotPullContainerError: i/o timeout";
        let slow = |at| task(at, TaskStopCode::TaskFailedToStart, slow, Vec::new());
        for (tasks, ready, doomed) in [
            (vec![], 0, false),
            (vec![exited(1, 70)], 0, false),
            (vec![exited(1, 70), exited(2, 70)], 0, false),
            (vec![exited(1, 70), exited(2, 70), exited(3, 70)], 0, true),
            // Others are well: ECS's own circuit breaker decides.
            (vec![exited(1, 70), exited(2, 70), exited(3, 70)], 1, false),
            // Not the same.
            (vec![exited(1, 70), exited(2, 1), exited(3, 70)], 0, false),
            (vec![missing], 1, true),
            // May pass.
            (vec![slow(1), slow(2), slow(3), slow(4)], 0, false),
        ] {
            let failed = failed(&tasks, OURS);
            assert_eq!(is_doomed(&failed, 3, ready), doomed, "{failed:?}");
        }
    }

    #[test]
    fn a_one_off_task_ends_well_with_zero_only() {
        let end = |code| {
            let containers = vec![container("php-fpm", code, None)];
            let code = TaskStopCode::EssentialContainerExited;
            one_off(&task(
                1,
                code,
                "Essential container in task exited",
                containers,
            ))
        };
        assert_eq!(end(Some(0)), None);
        assert!(end(Some(1)).is_some());
        assert!(end(None).is_some());
        let stopped = task(1, TaskStopCode::UserInitiated, "stopped by ann", Vec::new());
        assert_eq!(
            one_off(&stopped).map(|it| it.tell()),
            Some("stopped by ann".to_owned())
        );
    }
}
