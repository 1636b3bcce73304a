//! `mck cost`, and which environment is meant by it and by `mck synth`

use serde_json::Value;

use crate::harness::Place;

pub const SHOP: &str = r#"
project = "demo"

[app.shop]
preset = "magento2"
source = "."

[app.shop.routing]
hosts = ["www.example.com"]

[dns]
public-zone = "example.com"

[environment.production]

[environment.staging]
network.nat = "single"
database.readers = 0

[environment.local]
"#;

pub fn cents(value: &Value) -> i64 {
    #[allow(clippy::cast_possible_truncation)]
    let cents = (value.as_f64().unwrap() * 100.0).round() as i64;
    cents
}

#[test]
fn the_cost_of_production_is_what_comes_without_an_environment() {
    let place = Place::with(SHOP);
    let outcome = place.run(&["cost"]).expect(0);
    let named = place.run(&["cost", "-e", "production"]);
    assert_eq!(outcome.stdout, named.stdout);
    insta::assert_snapshot!(outcome);
}

#[test]
fn cost_is_json_for_programs_and_its_sums_are_right() {
    let place = Place::with(SHOP);
    let cost = place.run(&["cost", "--json", "-e", "staging"]).json();
    let lines = cost["lines"].as_array().unwrap();
    let sum: i64 = lines.iter().map(|line| cents(&line["monthly"])).sum();
    assert_eq!(sum, cents(&cost["total"]));
    assert_eq!(cost["environment"], "staging");
    assert!(!cost["not-counted"].as_array().unwrap().is_empty());
    assert!(!cost["sources"].as_array().unwrap().is_empty());
}

#[test]
fn assumptions_can_be_others() {
    let place = Place::with(SHOP);
    let nat = |arguments: &[&str]| {
        let cost = place.run(&[&["cost", "--json"], arguments].concat()).json();
        let lines = cost["lines"].as_array().unwrap().clone();
        let line = lines
            .iter()
            .find(|line| line["what"] == "data through NAT gateways");
        cents(&line.unwrap()["monthly"])
    };
    assert_eq!((nat(&[]), nat(&["--usage", "nat-gb=1000"])), (450, 4_500));
    insta::assert_snapshot!(place.run(&["cost", "--usage", "nat-bg=1"]));
}

#[test]
fn what_has_no_price_is_warned_of() {
    let place = Place::with(&format!(
        "{SHOP}\n[database]\ninstance-class = \"db.z9.mega\"\n"
    ));
    let outcome = place.run(&["cost"]).expect(0);
    assert!(
        outcome
            .stderr
            .contains("warning: no price is known for instances (2 × db.z9.mega)"),
        "{outcome}"
    );
}

#[test]
fn the_sources_of_prices_are_told() {
    let told = Place::empty().run(&["cost", "--sources"]).expect(0).stdout;
    assert!(
        told.contains("https://aws.amazon.com/vpc/pricing/"),
        "{told}"
    );
}

#[test]
fn an_environment_that_is_not_meant_is_told_with_those_that_may_be() {
    let several = SHOP.replace("environment.production", "environment.live");
    let none = "project = \"demo\"\n[app.shop]\npreset = \"wordpress\"\nsource = \".\"\n[environment.local]\n";
    let outcomes = [
        Place::with(&several).run(&["cost"]),
        Place::with(SHOP).run(&["cost", "-e", "local"]),
        Place::with(SHOP).run(&["synth", "-e", "prodction"]),
        Place::with(none).run(&["synth"]),
    ];
    let told: Vec<String> = outcomes.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"));
}
