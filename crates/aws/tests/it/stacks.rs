//! Small environments of types that every stand-in knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, mpsc},
};

use mck_aws::{Account, Applied, ApplyOptions, Progress, Reporter};
use mck_aws_stacks::{Handed, Stack, StackId, Stacks};
use mck_cloudformation::{Template, resources::ssm};
use serde_json::json;

pub const REGION: &str = "us-east-1";

/// What a stand-in does not know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lacks {
    /// Stacks made with change sets have no outputs.
    pub outputs: bool,
    /// There is no UpdateTerminationProtection.
    pub protection: bool,
    /// Only stacks have events, not their resources.
    pub events: bool,
}

/// Three stacks: `network` hands something to `data`, `app-shop` takes from both; the last one's
/// template is too long for a request.
pub fn environment(color: &str, lacks: Lacks) -> Arc<Stacks> {
    let handed = Handed::new(StackId::Network, "Name");
    let mut network = stack(StackId::Network);
    parameter(&mut network, "Vpc", "network", "10.0.0.0/16");
    network.hand_over(&handed, "The network", "vpc-of-production");
    let mut data = stack(StackId::Data);
    data.termination_protection = !lacks.protection;
    data.after.insert(StackId::Network);
    parameter(&mut data, "Database", "database", color);
    let mut app = stack(StackId::App("shop".to_owned()));
    if !lacks.outputs {
        data.take(&handed);
        app.take(&handed);
    }
    app.after.insert(StackId::Data);
    for number in 0..20 {
        let long = "x".repeat(3000);
        parameter(
            &mut app,
            &format!("Setting{number}"),
            &format!("setting-{number}"),
            &long,
        );
    }
    stacks(vec![network, data, app])
}

pub fn stacks(stacks: Vec<Stack>) -> Arc<Stacks> {
    Arc::new(Stacks {
        project: "shop".to_owned(),
        environment: "production".to_owned(),
        stacks,
    })
}

pub fn stack(id: StackId) -> Stack {
    let mut template = Template::new(format!("shop production: {}", id.name()));
    template.metadata.insert(
        "mck".to_owned(),
        json!({"Project": "shop", "Environment": "production"}),
    );
    Stack {
        name: format!("shop-production-{}", id.name()),
        region: REGION.to_owned(),
        template,
        parameters: BTreeMap::new(),
        after: BTreeSet::new(),
        termination_protection: false,
        tags: BTreeMap::from([("project".to_owned(), "shop".to_owned())]),
        id,
    }
}

pub fn parameter(stack: &mut Stack, id: &str, name: &str, value: &str) {
    let parameter = ssm::Parameter {
        name: format!("/shop/{name}").into(),
        type_: "String".into(),
        value: value.into(),
        ..Default::default()
    };
    stack.add(
        mck_cloudformation::LogicalId::of(&[id]),
        format!("The {name}"),
        &parameter,
    );
}

pub fn account() -> Account {
    Account::connect("shop", [REGION]).expect("a runtime can be started")
}

/// Applies, and gives what came of it with all that was told.
pub fn apply(account: &Account, stacks: &Arc<Stacks>) -> (Applied, Vec<Progress>) {
    let (sender, receiver) = mpsc::channel();
    let options = ApplyOptions {
        who: "ann@laptop".to_owned(),
        ..ApplyOptions::default()
    };
    let applied = account.apply(stacks, &options, &Reporter::new(sender));
    (
        applied.expect("the stacks have an order"),
        receiver.into_iter().collect(),
    )
}

/// Fails with everything that went wrong.
pub fn assert_fine(applied: &Applied) {
    let wrong: Vec<String> = applied
        .failed
        .iter()
        .map(mck_aws::StackFailure::message)
        .collect();
    assert!(wrong.is_empty() && applied.skipped.is_empty(), "{wrong:#?}");
}
