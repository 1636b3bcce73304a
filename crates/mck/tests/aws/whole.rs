//! A whole environment, all of its stacks, from the first plan to one after a change.

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::{
    counting::{COUNTING_PORT, count},
    environment::Environments,
    run::outcome,
    stand_in::{Kind, beside},
};

/// A small shop.
pub const SHOP: &str = "project = \"shop\"\n\n[app.shop]\npreset = \"magento2\"\nsource = \"src\"\n\
                        routing.hosts = [\"www.example.com\"]\n\n[environment.production]\n";
/// The same with a larger database.
const LARGER: &str = "\n[environment.production.database]\ninstance-class = \"db.r6g.xlarge\"\n";
/// The full production environment, with 4 apps and secrets that people give a value.
const EVERYTHING: &str = include_str!("../../../aws-stacks/tests/environments/everything.toml");
/// The most calls that a plan with nothing to change may make for each stack.
const MOST_CALLS_A_STACK: usize = 3;

fn amount(plan: &Value, which: &str) -> f64 {
    let amount = &plan["cost"][which];
    amount
        .as_f64()
        .unwrap_or_else(|| panic!("{which} in {plan:#}"))
}

#[test]
fn a_plan_tells_the_cost_before_and_after() {
    let name = "whole::a_plan_tells_the_cost_before_and_after";
    beside(Kind::MinistackOfAllTypes, name, || {
        let shop = Environments::of(name, SHOP);
        let (code, first) = shop.plan();
        assert_eq!(code, 2);
        assert_eq!(amount(&first, "before"), 0.0);
        shop.mck(&["apply", "--yes"]).ended(0, &["8 changed"]);

        let (code, same) = shop.plan();
        assert_eq!(code, 0, "{same:#}");
        let cost = amount(&first, "after");
        assert!(cost > 500.0, "{cost}");
        assert_eq!(
            (amount(&same, "before"), amount(&same, "after")),
            (cost, cost)
        );
        assert_eq!(same["cost"]["lines"], Value::Array(Vec::new()));

        shop.write(&format!("{SHOP}{LARGER}"));
        let (code, larger) = shop.plan();
        assert_eq!(code, 2);
        assert_eq!(amount(&larger, "before"), cost);
        let more = amount(&larger, "change");
        assert!(more > 100.0 && (amount(&larger, "after") - cost - more).abs() < 0.01);
        let lines = larger["cost"]["lines"].as_array().expect("lines");
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert_eq!(lines[0]["detail-before"], "2 × db.r6g.large");
        assert_eq!(lines[0]["detail-after"], "2 × db.r6g.xlarge");
        let words = ["instances: 2 × db.r6g.large -> 2 × db.r6g.xlarge"];
        shop.mck(&["plan"]).ended(2, &words);

        // What an environment has and its file does not have any more costs too, until it is removed.
        shop.mck(&["apply", "--yes"]).ended(0, &["1 changed"]);
        shop.write(
            &SHOP
                .replace("preset =", "cluster = \"other\"\npreset =")
                .replace("[app.shop]", "[cluster.other]\n\n[app.shop]"),
        );
        let (_, moved) = shop.plan();
        assert_eq!(amount(&moved, "before"), amount(&larger, "after"));
        let lines = moved["cost"]["lines"].as_array().expect("lines");
        let gone = lines
            .iter()
            .any(|it| it["what"] == "cluster app: instances" && it["detail-after"].is_null());
        assert!(gone, "{lines:#?}");
    });
}

#[test]
fn a_plan_of_a_whole_environment_asks_little() {
    let name = "whole::a_plan_of_a_whole_environment_asks_little";
    beside(Kind::MinistackOfAllTypes, name, || {
        let shop = Environments::of(name, EVERYTHING);
        shop.mck(&["apply", "--yes"]).ended(0, &["13 changed"]);
        let counted = count();
        let mut plan = shop.command("production", &["plan", "--json"]);
        plan.env(
            "AWS_ENDPOINT_URL",
            format!("http://127.0.0.1:{COUNTING_PORT}"),
        );
        outcome(&mut plan).ended(0, &[]);
        let (calls, stacks) = (counted.load(Ordering::SeqCst), 13);
        println!("{calls} calls for {stacks} stacks");
        assert!(
            (1..=stacks * MOST_CALLS_A_STACK).contains(&calls),
            "{calls}"
        );
    });
}
