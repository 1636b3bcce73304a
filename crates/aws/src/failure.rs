//! Why a stack failed: the first real reason among its events, and what helps.

use serde::Serialize;

use crate::{client::Event, denial::Denial};

/// Why a stack failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reason {
    /// The resource's name in the template; the stack's own name where no resource is to blame.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What was tried, such as `CREATE_FAILED`.
    pub status: String,
    /// What AWS says.
    pub text: String,
}

impl Reason {
    /// What helps, where it is known.
    pub fn hint(&self) -> Option<String> {
        hint(&self.text)
    }
}

/// What AWS says of resources that are only given up because another failed.
const CONSEQUENCES: [&str; 4] = [
    "Resource creation cancelled",
    "Resource update cancelled",
    "Resource deletion cancelled",
    "The following resource(s) failed",
];

/// The first real reason, of events in the order in which they happened.
pub(crate) fn first_reason(stack: &str, events: &[Event]) -> Option<Reason> {
    let is_failed = |event: &&Event| event.status.ends_with("FAILED");
    let is_real = |event: &&Event| {
        !event.reason.is_empty() && !CONSEQUENCES.iter().any(|it| event.reason.contains(it))
    };
    let of_resources = events.iter().filter(|event| !event.is_of_stack);
    let real = of_resources.clone().filter(is_failed).find(is_real);
    let of_stack = || {
        let mut own = events.iter().filter(|event| event.is_of_stack);
        own.find(|event| !event.reason.is_empty() && is_trouble(&event.status))
    };
    let found = real
        .or_else(|| of_resources.clone().find(is_failed))
        .or_else(of_stack)?;
    Some(Reason {
        logical_id: if found.is_of_stack {
            stack.to_owned()
        } else {
            found.logical_id.clone()
        },
        kind: found.kind.clone(),
        status: found.status.clone(),
        text: found.reason.clone(),
    })
}

fn is_trouble(status: &str) -> bool {
    status.ends_with("FAILED") || status.contains("ROLLBACK")
}

/// What helps against a reason, by words of it. The first that fits counts.
const HINTS: [(&[&str], &str); 9] = [
    (
        &["already exists", "AlreadyExists"],
        "something of that name is left from before: remove or rename it, then apply again",
    ),
    (
        &[
            "limit exceeded",
            "LimitExceeded",
            "quota",
            "maximum number of",
        ],
        "ask for a higher quota in the console under Service Quotas, then apply again",
    ),
    (
        &[
            "InsufficientInstanceCapacity",
            "Insufficient capacity",
            "insufficient capacity",
        ],
        "AWS has too few servers of that type in a zone now: name another type, or try later",
    ),
    (
        &["circuit breaker", "Circuit Breaker"],
        "tasks of the app never became healthy: look at its log group",
    ),
    (
        &["service linked role", "service-linked role"],
        "the first use of a service makes a role, which takes a minute: apply again",
    ),
    (
        &["Rate exceeded", "Throttling"],
        "AWS asked for fewer calls: apply again in a minute",
    ),
    (
        &["security token", "ExpiredToken"],
        "the credentials ended while the stack was made: log in and apply again",
    ),
    (
        &[
            "did not stabilize",
            "timed out",
            "Exceeded attempts to wait",
        ],
        "it took longer than CloudFormation waits: look at the resource in the console",
    ),
    (
        &["DNS", "hosted zone"],
        "check that the zone of the domain is this account's, and that it is delegated",
    ),
];

fn hint(text: &str) -> Option<String> {
    if let Some(denial) = Denial::parse(text) {
        let on = denial.resource.map(|it| format!(" on {it}"));
        let (action, on) = (denial.action, on.unwrap_or_default());
        return Some(format!("allow the action {action}{on} to whoever applies"));
    }
    let fits = |words: &&(&[&str], &str)| words.0.iter().any(|word| text.contains(word));
    HINTS.iter().find(fits).map(|(_, hint)| (*hint).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: &str) -> Event {
        Event {
            id: format!("{logical_id}-{status}"),
            logical_id: logical_id.to_owned(),
            kind: "AWS::EC2::VPC".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            token: String::new(),
            time: String::new(),
            is_of_stack: logical_id == "shop-network",
        }
    }

    fn blamed(events: &[Event]) -> Option<(String, String)> {
        first_reason("shop-network", events).map(|it| (it.logical_id, it.text))
    }

    #[test]
    fn the_first_real_reason_is_told() {
        let events = [
            event("shop-network", "CREATE_IN_PROGRESS", "User Initiated"),
            event("Subnet", "CREATE_FAILED", "Resource creation cancelled"),
            event(
                "Vpc",
                "CREATE_FAILED",
                "The maximum number of VPCs has been reached.",
            ),
            event("Zone", "CREATE_FAILED", "Another failure"),
            event(
                "shop-network",
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed",
            ),
            event("Vpc", "DELETE_COMPLETE", ""),
        ];
        let (who, why) = blamed(&events).expect("there is a reason");
        assert_eq!(who, "Vpc");
        assert!(why.starts_with("The maximum number"), "{why}");
    }

    #[test]
    fn without_a_reason_the_failure_itself_is_told() {
        let events = [event("Vpc", "CREATE_FAILED", "")];
        assert_eq!(blamed(&events), Some(("Vpc".to_owned(), String::new())));
    }

    #[test]
    fn a_stack_may_fail_by_itself() {
        let events = [
            event("shop-network", "CREATE_IN_PROGRESS", "User Initiated"),
            event(
                "shop-network",
                "ROLLBACK_IN_PROGRESS",
                "Stack creation time exceeded",
            ),
        ];
        let expected = (
            "shop-network".to_owned(),
            "Stack creation time exceeded".to_owned(),
        );
        assert_eq!(blamed(&events), Some(expected));
        assert_eq!(blamed(&events[..1]), None);
    }

    #[test]
    fn reasons_have_hints() {
        for (text, part) in [
            (
                "User: arn:aws:iam::1:user/x is not authorized to perform: ec2:CreateVpc on resource: *",
                "allow the action ec2:CreateVpc",
            ),
            (
                "shop-logs already exists in stack arn:…",
                "left from before",
            ),
            ("The maximum number of addresses has been reached.", "quota"),
            ("ECS Deployment Circuit Breaker was triggered", "log group"),
            ("Resource of type X did not stabilize", "longer than"),
        ] {
            let hint = hint(text).unwrap_or_default();
            assert!(hint.contains(part), "{text}: {hint}");
        }
        assert_eq!(hint("Something else"), None);
    }
}
