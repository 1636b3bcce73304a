//! `mck synth` and `mck plan`

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::{
    cost::{SHOP, cents},
    harness::Place,
};

/// The files of a folder with their content.
fn files(place: &Place, folder: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(place.path().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| (name.clone(), place.read(&format!("{folder}/{name}"))))
        .collect()
}

#[test]
fn synth_writes_the_same_bytes_again_wherever_it_runs() {
    let (one, other) = (Place::with(SHOP), Place::with(SHOP));
    let manifest = one.run(&["synth", "--json"]).json();
    other
        .run(&["synth", "-e", "production", "--out", "there/out"])
        .expect(0);
    let written = files(&one, "magecloudkit.out/production");
    assert_eq!(written, files(&other, "there/out"));
    let stacks = manifest["stacks"].as_array().unwrap();
    assert_eq!(written.len(), stacks.len() + 1);
    for (position, stack) in stacks.iter().enumerate() {
        let file = stack["template"].as_str().unwrap();
        let template: Value = serde_json::from_str(&written[file]).unwrap();
        let resources = template["Resources"].as_object().unwrap();
        assert_eq!(stack["resources"], resources.len(), "{file}");
        for dependency in stack["dependencies"].as_array().unwrap() {
            let before = stacks[..position].iter().any(|it| it["id"] == *dependency);
            assert!(before, "{file} comes after {dependency}");
        }
    }
    one.run(&["synth"]).expect(0);
    assert_eq!(files(&one, "magecloudkit.out/production"), written);
}

#[test]
fn synth_takes_away_what_it_wrote_and_is_no_more() {
    let place = Place::with(&format!(
        "{SHOP}\n[app.blog]\npreset = \"wordpress\"\nsource = \".\"\nrouting.hosts = [\"blog.example.com\"]\n"
    ));
    place.run(&["synth"]).expect(0);
    place.write("magecloudkit.out/production/README.md", "mine");
    place.write("magecloudkit.toml", SHOP);
    place.run(&["synth"]).expect(0);
    let there = files(&place, "magecloudkit.out/production");
    assert!(!there.contains_key("app-blog.json"));
    assert!(there.contains_key("app-shop.json") && there.contains_key("README.md"));
}

#[test]
fn a_plan_ends_with_0_for_nothing_2_for_changes_and_1_for_failures() {
    let place = Place::with(SHOP);
    let plan = |arguments: &[&str]| place.run(&[&["plan"], arguments].concat());
    let nothing = plan(&["--from", "production"]).expect(0);
    assert!(nothing.stdout.contains("Nothing to do."), "{nothing}");
    place.write(
        "new.toml",
        &SHOP.replace("[dns]", "[cluster.app]\nservers.maximum = 9\n\n[dns]"),
    );
    let changes = plan(&["--from", "magecloudkit.toml", "--to", "new.toml"]).expect(2);
    for line in [
        "From: production of magecloudkit.toml",
        "To:   production of new.toml",
        "demo-production-cluster-app (us-east-1): change",
        "      MaxSize: \"6\" -> \"9\"",
        "1 to change in 1 stack.",
        "USD a month (0.00)",
    ] {
        assert!(changes.stdout.contains(line), "{line} is not in {changes}");
    }
    for wrong in [
        &["--nonsense"] as &[_],
        &["--from", "nowhere.toml"],
        &["--from", "productoin"],
        &["--from", "a.toml", "--against", "out"],
        &["--against", "nowhere"],
    ] {
        let outcome = plan(wrong).expect(1);
        assert!(outcome.stderr.starts_with("error: "), "{outcome}");
    }
}

#[test]
fn a_plan_against_a_folder_is_that_against_its_file() {
    let place = Place::with(SHOP);
    place.run(&["synth"]).expect(0);
    let folder = "magecloudkit.out/production";
    place.run(&["plan", "--against", folder]).expect(0);
    place.write("old.toml", SHOP);
    place.write(
        "magecloudkit.toml",
        &SHOP.replace("[dns]", "[database]\nbackups.retention = \"9d\"\n\n[dns]"),
    );
    let against = place.run(&["plan", "--against", folder, "--json"]);
    let from = place.run(&["plan", "--from", "old.toml", "--json"]);
    let value = |outcome: &crate::harness::Outcome| -> Value {
        assert_eq!(outcome.code, 2, "{outcome}");
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let (against, from) = (value(&against), value(&from));
    assert_eq!(against["stacks"], from["stacks"]);
    assert_eq!(against["counts"]["update"], 1);
    let resource = &against["stacks"][0]["resources"][0];
    assert_eq!(resource["type"], "AWS::RDS::DBCluster");
    assert_eq!(resource["properties"][0]["path"], "BackupRetentionPeriod");
    assert_eq!(
        cents(&against["cost"]["before"]),
        cents(&from["cost"]["before"])
    );
}

#[test]
fn a_plan_that_loses_data_is_refused_until_it_is_named() {
    let place = Place::with(SHOP);
    place.write(
        "new.toml",
        &SHOP.replace(
            "[dns]",
            "[storage]\nenabled = false\n\n[network]\ncidr = \"10.9.0.0/16\"\n\n[dns]",
        ),
    );
    let arguments = [
        "plan",
        "--from",
        "magecloudkit.toml",
        "--to",
        "new.toml",
        "--json",
    ];
    let outcome = place.run(&arguments).expect(1);
    assert!(outcome.stderr.contains("data would be lost: "), "{outcome}");
    let plan: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let refused = plan["refused"].as_array().unwrap();
    let names: Vec<&str> = refused.iter().map(|name| name.as_str().unwrap()).collect();
    assert!(
        names.iter().any(|name| name.starts_with("data/")),
        "{names:?}"
    );
    let mut allowed = arguments.to_vec();
    for name in &names {
        allowed.extend(["--allow-data-loss", name]);
    }
    let outcome = place.run(&allowed).expect(2);
    let plan: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(plan["refused"].as_array().unwrap().len(), 0);
    let idle = place.run(&[
        "plan",
        "--from",
        "production",
        "--allow-data-loss",
        "data/Nothing",
    ]);
    assert!(
        idle.expect(0)
            .stderr
            .contains("`data/Nothing` loses no data")
    );
}

#[test]
fn two_environments_are_compared_by_what_they_are() {
    let place = Place::with(SHOP);
    let outcome = place.run(&["plan", "--from", "staging", "--json"]);
    let plan: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let stacks = plan["stacks"].as_array().unwrap();
    let resources = stacks
        .iter()
        .flat_map(|it| it["resources"].as_array().unwrap());
    let kinds: Vec<&str> = resources
        .filter(|it| it["action"] == "create")
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"AWS::EC2::NatGateway"), "{kinds:?}");
    assert!(kinds.contains(&"AWS::RDS::DBInstance"), "{kinds:?}");
    assert!(cents(&plan["cost"]["change"]) > 0);
    assert!(!outcome.stdout.contains("demo-staging"), "{outcome}");
}

/// Resources of a type in all templates of a folder.
fn resources(files: &BTreeMap<String, String>, kind: &str) -> Vec<Value> {
    let templates = files.iter().filter(|(name, _)| *name != "manifest.json");
    templates
        .flat_map(|(_, text)| {
            let template: Value = serde_json::from_str(text).unwrap();
            let all = template["Resources"].as_object().unwrap().clone();
            all.into_iter().map(|(_, resource)| resource)
        })
        .filter(|resource| resource["Type"] == kind)
        .collect()
}

/// What is paid for is what is made: the estimate's quantities are those of the templates.
#[test]
fn the_estimate_counts_what_the_templates_make() {
    let everything = SHOP.replace(
        "[dns]",
        "[jenkins]\nenabled = true\nhost = \"ci.example.com\"\nallow-from = [\"203.0.113.0/24\"]\n\n\
         [message-broker]\nenabled = true\n\n[cache.memcached]\nnodes = 2\n\n[dns]",
    );
    let no_way_out = SHOP.replace("[dns]", "[network]\nnat = \"none\"\n\n[dns]");
    for settings in [everything.as_str(), &no_way_out, SHOP] {
        let place = Place::with(settings);
        place.run(&["synth"]).expect(0);
        let files = files(&place, "magecloudkit.out/production");
        let count = |kind: &str| resources(&files, kind).len();
        let cost = place.run(&["cost", "--json"]).json();
        let quantity = |component: &str, what: &str| {
            let lines = cost["lines"].as_array().unwrap().iter();
            let mut lines = lines.filter(|it| it["component"] == component && it["what"] == what);
            let quantity = lines
                .next()
                .map_or(0.0, |it| it["quantity"].as_f64().unwrap());
            // Hours are a month's; the rest are pieces.
            let pieces = if quantity >= 730.0 {
                quantity / 730.0
            } else {
                quantity
            };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let pieces = pieces.round() as usize;
            pieces
        };
        let endpoints = resources(&files, "AWS::EC2::VPCEndpoint").into_iter();
        let endpoint_zones: usize = endpoints
            .filter_map(|it| Some(it["Properties"]["SubnetIds"].as_array()?.len()))
            .sum();
        let load_balancers = resources(&files, "AWS::ElasticLoadBalancingV2::LoadBalancer");
        let nodes = load_balancers[0]["Properties"]["Subnets"]
            .as_array()
            .unwrap()
            .len();
        let sum = |kind: &str, pointer: &str| -> usize {
            let all = resources(&files, kind);
            let numbers = all
                .iter()
                .map(|it| it["Properties"].pointer(pointer).unwrap());
            let texts = numbers.map(|it| it.to_string().trim_matches('"').to_owned());
            texts.map(|it| it.parse::<usize>().unwrap()).sum()
        };
        let redis = quantity("caches", "redis-cache") + quantity("caches", "redis-session");
        let groups = "AWS::ElastiCache::ReplicationGroup";
        assert_eq!(redis, sum(groups, "/NumCacheClusters"));
        let domains = "AWS::OpenSearchService::Domain";
        let managed_password = 1;
        for (component, what, made) in [
            ("network", "NAT gateways", count("AWS::EC2::NatGateway")),
            ("network", "interface endpoints", endpoint_zones),
            (
                "network",
                "public IPv4 addresses",
                count("AWS::EC2::EIP") + nodes,
            ),
            (
                "search",
                "instances",
                sum(domains, "/ClusterConfig/InstanceCount"),
            ),
            ("database", "instances", count("AWS::RDS::DBInstance")),
            ("edge", "load balancer", load_balancers.len()),
            ("edge", "web ACL", count("AWS::WAFv2::WebACL")),
            ("observability", "alarms", count("AWS::CloudWatch::Alarm")),
            (
                "observability",
                "dashboard",
                count("AWS::CloudWatch::Dashboard"),
            ),
            (
                "other",
                "secrets",
                count("AWS::SecretsManager::Secret") + managed_password,
            ),
            ("other", "keys", count("AWS::KMS::Key")),
            ("other", "hosted zones", count("AWS::Route53::HostedZone")),
        ] {
            assert_eq!(quantity(component, what), made, "{what} with {settings}");
        }
    }
}
