//! Failures, ways out of them, and two people at once.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use mck_aws::{ApplyOptions, AwsError, Progress, Reporter};
use mck_aws_stacks::{StackId, Stacks};
use mck_cloudformation::{LogicalId, resources::ssm};

use crate::{
    stacks::{account, apply, assert_fine, parameter, stack, stacks},
    stand_in::{Kind, beside},
};

/// A network; and an app that needs it. The network's gateway may be one that is refused.
fn environment(is_right: Option<bool>) -> Arc<Stacks> {
    let mut network = stack(StackId::Network);
    parameter(&mut network, "Vpc", "network", "10.0.0.0/16");
    if let Some(is_right) = is_right {
        let gateway = ssm::Parameter {
            name: "/shop/gateway".into(),
            type_: if is_right { "String" } else { "Gateway" }.into(),
            value: "igw".into(),
            ..Default::default()
        };
        network.add(LogicalId::of(&["Gateway"]), "The gateway", &gateway);
    }
    let mut releases = stack(StackId::Releases(1));
    parameter(&mut releases, "Release", "release", "none");
    let mut app = stack(StackId::App("shop".to_owned()));
    app.after.insert(StackId::Network);
    parameter(&mut app, "App", "app", "shop");
    stacks(vec![network, releases, app])
}

#[test]
#[ignore = "LocalStack needs Python 3.13 or later, which Debian 12 has not; see docs/aws.md"]
fn a_failed_creation_is_explained_and_made_again() {
    beside(
        Kind::LocalStack,
        "stuck::a_failed_creation_is_explained_and_made_again",
        || {
            let account = account();
            let (applied, told) = apply(&account, &environment(Some(false)));
            let [failure] = applied.failed.as_slice() else {
                panic!("{applied:#?}");
            };
            assert_eq!(failure.stack, "network");
            let reason = failure.reason.as_ref().expect("a reason");
            assert_eq!(reason.logical_id, "Gateway", "{told:#?}");
            assert!(
                !reason.text.is_empty() && !reason.text.contains("cancelled"),
                "{reason:?}"
            );
            assert_eq!(applied.skipped, ["app-shop"]);
            assert_eq!(applied.changed, ["releases"]);
            let plan = account.plan(&environment(Some(true))).expect("a plan");
            assert_eq!(plan.unsettled.keys().collect::<Vec<_>>(), ["network"]);
            let (applied, told) = apply(&account, &environment(Some(true)));
            assert_fine(&applied);
            let removed = Progress::Begun {
                stack: "network".to_owned(),
                what: "remove what failed",
            };
            assert!(told.contains(&removed), "{told:#?}");
            assert_eq!(applied.changed, ["network", "app-shop"]);
        },
    );
}

#[test]
#[ignore = "LocalStack needs Python 3.13 or later, which Debian 12 has not; see docs/aws.md"]
fn a_failed_update_goes_back_and_is_explained() {
    beside(
        Kind::LocalStack,
        "stuck::a_failed_update_goes_back_and_is_explained",
        || {
            let account = account();
            assert_fine(&apply(&account, &environment(None)).0);
            let (applied, told) = apply(&account, &environment(Some(false)));
            let [failure] = applied.failed.as_slice() else {
                panic!("{told:#?}");
            };
            assert_eq!(failure.status, "UPDATE_ROLLBACK_COMPLETE");
            let message = failure.message();
            assert!(message.contains("Gateway CREATE_FAILED: "), "{message}");
        },
    );
}

/// A network that takes a while, since it has many parts.
fn slow(value: &str) -> Arc<Stacks> {
    let mut network = stack(StackId::Network);
    for number in 0..120 {
        parameter(
            &mut network,
            &format!("Route{number}"),
            &format!("route-{number}"),
            value,
        );
    }
    stacks(vec![network])
}

/// Begins an apply elsewhere and waits until CloudFormation is at work.
fn begin(value: &'static str) -> (thread::JoinHandle<usize>, mpsc::Receiver<Progress>) {
    let (sender, receiver) = mpsc::channel();
    let (at_work, is_at_work) = mpsc::channel();
    let reporter = Reporter::new(at_work);
    let other = thread::spawn(move || {
        let options = ApplyOptions {
            who: "bob@desk".to_owned(),
            ..ApplyOptions::default()
        };
        let applied = account().apply(&slow(value), &options, &reporter);
        applied.expect("the stacks have an order").failed.len()
    });
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let told = is_at_work
            .recv_timeout(Duration::from_secs(60))
            .expect("an apply tells");
        let is_begun = matches!(&told, Progress::Resource { .. });
        let _ = sender.send(told);
        assert!(Instant::now() < end);
        if is_begun {
            return (other, receiver);
        }
    }
}

#[test]
#[ignore = "LocalStack needs Python 3.13 or later, which Debian 12 has not; see docs/aws.md"]
fn of_two_people_one_is_refused_and_told_who_is_at_work() {
    beside(
        Kind::LocalStackWithTokens,
        "stuck::of_two_people_one_is_refused_and_told_who_is_at_work",
        || {
            let (other, _told) = begin("one");
            let (applied, _) = apply(&account(), &slow("two"));
            let [failure] = applied.failed.as_slice() else {
                panic!("{applied:#?}");
            };
            let Some(AwsError::Busy { by, since, .. }) = &failure.error else {
                panic!("{failure:#?}");
            };
            assert!(
                by.ends_with("bob-desk") && !since.is_empty(),
                "{by} {since}"
            );
            assert_eq!(other.join().expect("the other apply ends"), 0);
        },
    );
}

#[test]
#[ignore = "LocalStack needs Python 3.13 or later, which Debian 12 has not; see docs/aws.md"]
fn a_second_apply_of_the_same_attaches() {
    beside(
        Kind::LocalStackWithTokens,
        "stuck::a_second_apply_of_the_same_attaches",
        || {
            let (other, _told) = begin("one");
            let (applied, told) = apply(&account(), &slow("one"));
            assert_fine(&applied);
            let attached = Progress::Begun {
                stack: "network".to_owned(),
                what: "follow",
            };
            assert!(told.contains(&attached), "{told:#?}");
            assert_eq!(other.join().expect("the other apply ends"), 0);
        },
    );
}
