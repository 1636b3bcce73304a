//! What happened in an environment: what ECS says of its services, and CloudFormation of its stacks.

use aws_sdk_ecs::{
    primitives::{DateTime, DateTimeFormat},
    types::ServiceEvent,
};
use mck_aws_stacks::located::LocatedApp;
use tokio::task::JoinSet;

use crate::{
    Account, AwsError,
    client::{Client, Event},
    ecs::Ecs,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// AWS's id of it.
    pub id: String,
    /// When, in RFC 3339.
    pub time: String,
    /// To what: an app or a stack.
    pub subject: String,
    /// What, in AWS's words.
    pub message: String,
    /// How much it matters.
    pub severity: Severity,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// As it should be.
    Info,
    /// Something failed and AWS mends it.
    Warning,
    /// Something failed and needs a person.
    Error,
}

impl Account {
    /// What happened to an environment's services and stacks, oldest first: of a service its last 100
    /// events, as many as ECS keeps, of a stack its own beginning and end and what failed in it.
    ///
    /// # Errors
    /// Where AWS can't be asked.
    pub fn happenings(
        &self,
        region: &str,
        apps: &[LocatedApp],
        stacks: &[String],
    ) -> Result<Vec<Happening>, AwsError> {
        let mut running = JoinSet::new();
        let _guard = self.runtime.enter();
        for app in apps {
            let (ecs, app) = (self.ecs(region), app.clone());
            running.spawn(async move { of_app(&ecs, &app).await });
        }
        for stack in stacks {
            let (client, stack) = (self.clients.owned(region), stack.clone());
            running.spawn(async move { of_stack(&client, &stack).await });
        }
        let all = self.runtime.block_on(running.join_all()).into_iter();
        let mut all = all.collect::<Result<Vec<_>, _>>()?.concat();
        all.sort_by(|one, other| (&one.time, &one.id).cmp(&(&other.time, &other.id)));
        Ok(all)
    }
}

async fn of_app(ecs: &Ecs, app: &LocatedApp) -> Result<Vec<Happening>, AwsError> {
    let service = ecs.service(&app.cluster, &app.service).await?;
    let events = service.and_then(|it| it.events).unwrap_or_default();
    Ok(events
        .iter()
        .filter_map(|it| of_service(&app.app, it))
        .collect())
}

async fn of_stack(client: &Client, stack: &str) -> Result<Vec<Happening>, AwsError> {
    match client.events(stack, &|_| false).await {
        Ok(events) => Ok(events.iter().filter_map(|it| of_event(stack, it)).collect()),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn of_service(app: &str, event: &ServiceEvent) -> Option<Happening> {
    let message = event.message()?;
    let is_bad = ["unable", "unhealthy", "failed"];
    let severity = if is_bad.iter().any(|word| message.contains(word)) {
        Severity::Warning
    } else {
        Severity::Info
    };
    Some(Happening {
        id: event.id().unwrap_or_default().to_owned(),
        time: seconds(event.created_at()?)?,
        subject: app.to_owned(),
        message: message.to_owned(),
        severity,
    })
}

fn seconds(at: &DateTime) -> Option<String> {
    at.fmt(DateTimeFormat::DateTime).ok()
}

/// A stack's own events, and those of resources that failed.
fn of_event(stack: &str, event: &Event) -> Option<Happening> {
    let has_failed = event.status.ends_with("_FAILED");
    if !event.is_of_stack && !has_failed {
        return None;
    }
    let what = if event.is_of_stack {
        event.status.clone()
    } else {
        format!("{} ({}) {}", event.logical_id, event.kind, event.status)
    };
    let reason = Some(&event.reason).filter(|it| !it.is_empty());
    Some(Happening {
        id: event.id.clone(),
        time: event.time.clone(),
        subject: stack.to_owned(),
        message: reason.map_or_else(|| what.clone(), |reason| format!("{what}: {reason}")),
        severity: match (has_failed, event.status.contains("ROLLBACK")) {
            (true, _) => Severity::Error,
            (false, true) => Severity::Warning,
            (false, false) => Severity::Info,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, is_of_stack: bool) -> Event {
        Event {
            id: "1".to_owned(),
            logical_id: logical_id.to_owned(),
            kind: "AWS::RDS::DBCluster".to_owned(),
            status: status.to_owned(),
            reason: "no such version".to_owned(),
            token: String::new(),
            time: "2026-11-24T12:00:00Z".to_owned(),
            is_of_stack,
        }
    }

    #[test]
    fn of_a_stack_its_ends_and_failures_are_told() {
        let told = |event: &Event| {
            let happening = of_event("shop-production-data", event)?;
            Some((happening.message, happening.severity))
        };
        assert_eq!(told(&event("Database", "CREATE_COMPLETE", false)), None);
        assert_eq!(
            told(&event("Database", "CREATE_FAILED", false)),
            Some((
                "Database (AWS::RDS::DBCluster) CREATE_FAILED: no such version".to_owned(),
                Severity::Error
            ))
        );
        let back = told(&event("data", "ROLLBACK_IN_PROGRESS", true));
        assert_eq!(back.map(|it| it.1), Some(Severity::Warning));
        let done = told(&event("data", "UPDATE_COMPLETE", true));
        assert_eq!(done.map(|it| it.1), Some(Severity::Info));
    }

    #[test]
    fn what_keeps_a_service_from_going_on_is_a_warning() {
        let event = |message: &str| {
            ServiceEvent::builder()
                .id("1")
                .message(message)
                .created_at(DateTime::from_secs(1_800_000_000))
                .build()
        };
        let of = |message| of_service("shop", &event(message)).map(|it| it.severity);
        assert_eq!(
            of("(service shop) was unable to place a task."),
            Some(Severity::Warning)
        );
        assert_eq!(
            of("(service shop) has reached a steady state."),
            Some(Severity::Info)
        );
    }
}
