//! The pure part of the network: plan, texts, difference.

#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod network_support;

use std::collections::BTreeSet;

use mck_local::{
    id::EnvironmentId,
    network::{
        Attachment, Changes, Firewall, Members, NetworkPlan, Observed, PlanError, SetChange, batch,
        difference,
        firewall::{self, ISOLATED, group_set},
        gateway_ruleset, internet_command, set_changes, sysctls,
    },
};
use network_support::{allow, blueprint, group, members_of, plan, range};

fn shop() -> EnvironmentId {
    EnvironmentId::new("shop-local").unwrap()
}

#[test]
fn the_plan_of_the_reference_architecture() {
    insta::assert_snapshot!(plan(&shop()));
}

#[test]
fn the_ruleset_of_the_reference_architecture() {
    let mut plan = plan(&shop());
    let database = plan.attachments["db-0"].address;
    plan.isolated.insert(database);
    insta::assert_snapshot!(plan.ruleset());
}

#[test]
fn a_ruleset_without_members_has_the_same_rules() {
    let text = firewall::ruleset(&blueprint(), &Members::new()).unwrap();
    let rules = |text: &str| {
        text.split_once("chain forward")
            .map(|(_, rules)| rules.to_owned())
            .unwrap()
    };
    assert_eq!(rules(&text), rules(&plan(&shop()).ruleset()));
}

#[test]
fn the_batches_that_make_it() {
    let plan = plan(&shop());
    let some: Vec<Attachment> = ["db-0", "igw", "nat-a", "resolver"]
        .map(|name| plan.attachments[name].clone())
        .to_vec();
    let names: Vec<String> = some
        .iter()
        .map(|attachment| attachment.name.clone())
        .collect();
    let mut text = batch::namespaces(&shop(), &["old".to_owned()], &names);
    text += &batch::remove_links(&["172.31.9.9".to_owned()]);
    text += &batch::links(&shop(), &some);
    for attachment in &some {
        text += &format!(
            "# inside {}\n{}",
            attachment.name,
            batch::inside(attachment)
        );
        text += &gateway_ruleset(attachment).unwrap_or_default();
        text += &format!("{:?}\n", sysctls(Some(attachment)));
    }
    text += &format!(
        "# in the router\n{:?}\n{}",
        sysctls(None),
        batch::connect(&some)
    );
    text += &batch::routing([], &plan.routes, &plan.rules, []);
    text += &format!(
        "# to the internet\n{}\n",
        internet_command(&shop()).join(" ")
    );
    insta::assert_snapshot!(text);
}

#[test]
fn set_changes_are_right_in_any_state() {
    let change = |set: String, present| SetChange {
        set,
        address: "172.31.3.100".parse().unwrap(),
        present,
    };
    let changes = [
        change(group_set(&group("app-shop")), false),
        change(ISOLATED.to_owned(), true),
    ];
    insta::assert_snapshot!(set_changes(&changes), @r"
    add element inet mck group-app-shop { 172.31.3.100 }
    delete element inet mck group-app-shop { 172.31.3.100 }
    add element inet mck isolated { 172.31.3.100 }
    ");
}

#[test]
fn from_nothing_everything_is_made_and_nothing_removed() {
    let plan = plan(&shop());
    let changes = difference(&plan, &Observed::default());
    assert!(changes.adds_router() && changes.ruleset);
    assert_eq!(changes.added_namespaces.len(), plan.attachments.len() + 1);
    assert_eq!(changes.configured.len(), plan.attachments.len());
    assert_eq!(changes.added_links, changes.configured);
    assert_eq!(changes.added_routes.len(), plan.routes.len());
    let Changes {
        removed_namespaces,
        removed_links,
        removed_routes,
        removed_rules,
        ..
    } = changes;
    assert!(removed_namespaces.is_empty() && removed_links.is_empty());
    assert!(removed_routes.is_empty() && removed_rules.is_empty());
}

#[test]
fn contradictions_are_refused() {
    let plan = plan(&shop());
    let task = |name: &str, address: &str| {
        Attachment::member(name, address.parse().unwrap(), group("app-shop"))
    };
    let refused = |attachment| plan.clone().with([attachment]).unwrap_err();
    assert_eq!(
        refused(task("../etc", "172.31.3.101")),
        PlanError::Name("../etc".into())
    );
    assert_eq!(
        refused(task("db-0", "172.31.3.101")),
        PlanError::DuplicateName("db-0".into())
    );
    assert_eq!(
        refused(task("router", "172.31.3.101")),
        PlanError::DuplicateName("router".into())
    );
    assert!(matches!(
        refused(task("x", &plan.attachments["db-0"].address.to_string())),
        PlanError::DuplicateAddress { first, .. } if first == "db-0"
    ));
    assert!(matches!(
        refused(task("x", "10.0.0.1")),
        PlanError::OutsideVpc { .. }
    ));
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let refused = |from, to| {
        let mut blueprint = blueprint();
        blueprint.access.push(allow(from, to, 443, "?"));
        NetworkPlan::new(&blueprint, &shop()).unwrap_err()
    };
    let bad = "1.2.3.4; drop".to_owned();
    assert_eq!(
        refused(range(&bad), members_of("bastion")),
        PlanError::Range(bad)
    );
    assert!(matches!(
        refused(range("1.0.0.0/8"), range("2.0.0.0/8")),
        PlanError::NoGroup { .. }
    ));
    let name = PlanError::Name("a b".to_owned());
    assert_eq!(refused(members_of("a b"), members_of("bastion")), name);
}

#[test]
fn ipv6_ranges_make_no_rule() {
    let mut blueprint = blueprint();
    let before = Firewall::new(&blueprint).unwrap();
    blueprint.access.push(allow(
        range("::/0"),
        members_of("load-balancer"),
        80,
        "Visitors",
    ));
    assert_eq!(Firewall::new(&blueprint).unwrap(), before);
}

#[test]
fn interfaces_have_names_that_linux_takes() {
    let plan = plan(&shop());
    let names: BTreeSet<String> = plan
        .attachments
        .values()
        .map(Attachment::interface)
        .collect();
    assert_eq!(names.len(), plan.attachments.len());
    assert!(names.iter().all(|name| name.len() <= 15));
    let longest = Attachment::member("x", "255.255.255.255".parse().unwrap(), group("g"));
    assert_eq!(longest.interface().len(), 15);
}
