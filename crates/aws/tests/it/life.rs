//! An environment's life: made, left alone, changed, removed.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, mpsc},
};

use mck_aws::{Account, Progress, Reporter};
use mck_aws_stacks::{Stacks, difference::Action};

use crate::{
    stacks::{Lacks, REGION, account, apply, assert_fine, environment, stacks},
    stand_in::{Kind, PORT, beside},
};

#[test]
fn on_moto() {
    beside(Kind::Moto, "life::on_moto", || {
        life(Lacks {
            outputs: true,
            protection: true,
            events: true,
        });
    });
}

#[test]
fn on_ministack() {
    beside(Kind::Ministack, "life::on_ministack", || {
        life(Lacks::default());
    });
}

#[test]
#[ignore = "LocalStack needs Python 3.13 or later, which Debian 12 has not; see docs/aws.md"]
fn on_localstack() {
    beside(Kind::LocalStack, "life::on_localstack", || {
        life(Lacks::default());
    });
}

fn life(lacks: Lacks) {
    let account = account();
    assert_eq!(
        account.identity().expect("we are somebody").account.len(),
        12
    );
    let wanted = environment("red", lacks);
    made(&account, &wanted, lacks);
    left_alone(&account, &wanted);
    changed(&account, lacks);
    shrunk(&account, &wanted, lacks);
    removed(&account, &wanted);
}

fn made(account: &Account, wanted: &Arc<Stacks>, lacks: Lacks) {
    let plan = account.plan(wanted).expect("a plan");
    assert_eq!(plan.difference.counts().create, 22);
    let (applied, told) = apply(account, wanted);
    assert_fine(&applied);
    assert_eq!(applied.changed, ["network", "data", "app-shop"]);
    let complete = told.iter().any(|it| {
        matches!(it, Progress::Resource { stack, logical_id, status, .. }
            if stack == "data" && logical_id == "Database" && status == "CREATE_COMPLETE")
    });
    assert!(complete || lacks.events, "{told:#?}");
    let existing = account.existing(wanted).expect("stacks");
    assert_eq!(existing.len(), 3);
    assert_eq!(
        Account::protected(&existing).contains("data"),
        !lacks.protection
    );
}

fn left_alone(account: &Account, wanted: &Arc<Stacks>) {
    let plan = account.plan(wanted).expect("a plan");
    assert!(plan.difference.is_empty(), "{:#?}", plan.difference);
    let (applied, _) = apply(account, wanted);
    assert_fine(&applied);
    assert_eq!(applied.unchanged.len(), 3);
}

fn changed(account: &Account, lacks: Lacks) {
    let wanted = environment("blue", lacks);
    let plan = account.plan(&wanted).expect("a plan");
    let told: Vec<(&str, &str, Action)> = plan
        .difference
        .resources()
        .map(|(stack, it)| (stack.id.as_str(), it.logical_id.as_str(), it.action))
        .collect();
    assert_eq!(told, [("data", "Database", Action::Update)]);
    let (_, resource) = plan.difference.resources().next().expect("there is one");
    let value = resource
        .properties
        .iter()
        .find(|it| it.path == "Value")
        .expect("the value");
    assert_eq!(value.before, Some("red".into()));
    assert_eq!(value.after, Some("blue".into()));
    let (applied, _) = apply(account, &wanted);
    assert_fine(&applied);
    assert_eq!(applied.changed, ["data"]);
    assert_eq!(applied.unchanged, ["network", "app-shop"]);
}

/// A stack that the file has no more is told to be deleted.
fn shrunk(account: &Account, wanted: &Stacks, lacks: Lacks) {
    let fewer = stacks(environment("blue", lacks).stacks[..2].to_vec());
    let plan = account.plan(&fewer).expect("a plan");
    let obsolete: Vec<&str> = plan.obsolete.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(obsolete, ["app-shop"]);
    assert_eq!(plan.difference.counts().delete, 20);
    assert_eq!(account.existing(wanted).expect("stacks").len(), 3);
}

fn removed(account: &Account, wanted: &Stacks) {
    for expected in [3, 0] {
        let existing = account.existing(wanted).expect("stacks");
        let (sender, receiver) = mpsc::channel();
        let reporter = Reporter::new(sender);
        let destroyed = account.destroy(wanted, &existing, "ann@laptop", &reporter);
        let destroyed = destroyed.expect("there is an order");
        drop(reporter);
        let told: Vec<Progress> = receiver.into_iter().collect();
        assert!(destroyed.failed.is_empty(), "{destroyed:#?} {told:#?}");
        assert_eq!(destroyed.removed.len(), expected);
    }
    assert!(account.existing(wanted).expect("stacks").is_empty());
}

#[test]
fn what_is_changed_behind_the_stacks_back_is_told() {
    let name = "life::what_is_changed_behind_the_stacks_back_is_told";
    beside(Kind::Ministack, name, || {
        let account = account();
        let wanted = environment("red", Lacks::default());
        assert_fine(&apply(&account, &wanted).0);
        let existing = account.existing(&wanted).expect("stacks");
        let none = account.drift(&existing).expect("drift");
        assert!(none.iter().all(|it| it.resources.is_empty()), "{none:#?}");
        put_parameter("/shop/database", "green");
        let drifts = account.drift(&existing).expect("drift");
        let [resource] = drifts
            .iter()
            .flat_map(|it| &it.resources)
            .collect::<Vec<_>>()[..]
        else {
            panic!("{drifts:#?}");
        };
        assert_eq!(
            (resource.logical_id.as_str(), resource.is_deleted),
            ("Database", false)
        );
        let value = resource
            .properties
            .iter()
            .find(|it| it.path == "Value")
            .expect("the value");
        assert_eq!(value.expected.as_deref(), Some("red"));
        assert_eq!(value.actual.as_deref(), Some("green"));
        let plan = account.plan(&wanted).expect("a plan");
        assert!(plan.difference.is_empty());
        let drifted: Vec<&String> = plan.drifted.keys().collect();
        assert_eq!(drifted, ["data"]);
    });
}

/// Writes a parameter past CloudFormation.
fn put_parameter(name: &str, value: &str) {
    let body = format!(r#"{{"Name":"{name}","Value":"{value}","Overwrite":true}}"#);
    let mut stream = TcpStream::connect(("127.0.0.1", PORT)).expect("the stand-in listens");
    let asked = write!(
        stream,
        "POST / HTTP/1.1\r\nHost: ssm.{REGION}.amazonaws.com\r\nX-Amz-Target: AmazonSSM.PutParameter\r\n\
         Content-Type: application/x-amz-json-1.1\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20261124/{REGION}/ssm/aws4_request, \
         SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    asked.expect("the stand-in reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the stand-in answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
