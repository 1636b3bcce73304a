//! An apply after a deployment that nobody followed to its end, or that goes on.

use std::fs;

use serde_json::{Value, json};

use crate::{
    environment::{Environments, aws},
    stand_in::{Kind, beside},
    whole::SHOP,
};

const RELEASE: &str = "/shop/production/shop/release";
/// A change of the app's stack, and another one.
const FIRST: &str = "\n[cluster.app]\nvolume-size = \"60 GiB\"\n\n[app.shop.job.sitemap]\nschedule = \"cron(0 3 * * ? *)\"\ncommand = [\"true\"]\n";
const CHANGE: &str = "\n[app.shop.container.php-fpm]\nmemory = \"2GiB\"\n";

fn recorded() -> String {
    let told = aws(&["ssm", "get-parameter", "--name", RELEASE]);
    let value = told["Parameter"]["Value"].as_str();
    value.expect("a value").to_owned()
}

fn record(release: &str) {
    let put = ["ssm", "put-parameter", "--name", RELEASE, "--overwrite"];
    aws(&[&put[..], &["--value", release]].concat());
}

fn definition(family: &str) -> Value {
    let told = aws(&[
        "ecs",
        "describe-task-definition",
        "--task-definition",
        family,
    ]);
    told["taskDefinition"].clone()
}

fn release_of(family: &str) -> String {
    let definition = definition(family);
    let variables = definition["containerDefinitions"][0]["environment"].as_array();
    let variables = variables.expect("variables").iter();
    let mut revision = variables.filter(|it| it["name"] == "REVISION");
    let value = revision.next().and_then(|it| it["value"].as_str());
    value.expect("a release").to_owned()
}

/// What a deployment does whose client is killed as soon as ECS goes on alone.
fn deploy_without_an_end(release: &str) {
    let now = definition("shop-production-shop");
    let mut containers = now["containerDefinitions"].clone();
    for container in containers.as_array_mut().expect("containers") {
        // The stand-in tells these as a template writes them, and takes them as ECS does.
        let container = container.as_object_mut().expect("a container");
        container.retain(|key, _| !["secrets", "ulimits", "dependsOn"].contains(&key.as_str()));
        for variable in container["environment"].as_array_mut().expect("variables") {
            if variable["name"] == "REVISION" {
                variable["value"] = release.into();
            }
        }
    }
    let request = json!({
        "family": now["family"],
        "networkMode": now["networkMode"],
        "taskRoleArn": now["taskRoleArn"],
        "executionRoleArn": now["executionRoleArn"],
        "volumes": now["volumes"],
        "containerDefinitions": containers,
    });
    let request = request.to_string();
    let told = aws(&[
        "ecs",
        "register-task-definition",
        "--cli-input-json",
        &request,
    ]);
    let arn = told["taskDefinition"]["taskDefinitionArn"].as_str();
    let service = ["--cluster", "shop-production-app", "--service", "shop"];
    let update = [
        "ecs",
        "update-service",
        "--task-definition",
        arn.expect("an ARN"),
    ];
    aws(&[&update[..], &service].concat());
}

#[test]
fn an_apply_settles_what_has_ended_and_leaves_alone_what_goes_on() {
    let name = "rollouts::an_apply_settles_what_has_ended_and_leaves_alone_what_goes_on";
    beside(Kind::MinistackOfAllTypes, name, || {
        let shop = Environments::of(name, SHOP);
        shop.mck(&["apply", "--yes"]).ended(0, &[]);
        // The first deployment, as far as an apply sees it: the stack makes the service.
        record("r1");
        shop.write(&format!("{SHOP}{FIRST}"));
        shop.mck(&["apply", "--yes"]).ended(0, &[]);
        assert_eq!(release_of("shop-production-shop"), "r1");
        shop.mck(&["plan"]).ended(0, &["Nothing to do."]);

        deploy_without_an_end("r2");
        going_on(&shop);
        ended(&shop);
    });
}

fn going_on(shop: &Environments) {
    let sign = shop.folder().join("rolling-out");
    fs::write(&sign, "").expect("the file can be written");
    // A plan is no other for it, and tells.
    let (code, plan) = shop.plan();
    assert_eq!(code, 0, "{plan:#}");
    assert_eq!(
        plan["deployments"],
        json!([{ "app": "shop", "release": "r2", "recorded": "r1", "rolled-out": false }])
    );
    // What does not concern it can change.
    let text = fs::read_to_string(shop.folder().join("magecloudkit.toml")).expect("the file");
    shop.write(&format!(
        "{text}[database]\ninstance-class = \"db.r6g.xlarge\"\n"
    ));
    shop.mck(&["apply", "--yes"])
        .ended(0, &["shop gets release r2 now", "1 changed"]);
    assert_eq!(recorded(), "r1", "nothing is recorded that may still fail");
    let text = format!("{text}[database]\ninstance-class = \"db.r6g.xlarge\"\n{CHANGE}");
    shop.write(&text);
    let words = [
        "shop gets release r2 now, and changing its stack would go back to release r1",
        "hint: `mck deploy shop -e production --release r2` follows it",
    ];
    shop.mck(&["apply", "--yes"]).ended(8, &words);
    assert_eq!(
        release_of("shop-production-shop"),
        "r2",
        "it was left alone"
    );
    fs::remove_file(&sign).expect("it is there");
}

fn ended(shop: &Environments) {
    let words = ["shop is of release r2, which is not recorded yet: an apply does that first"];
    shop.mck(&["plan"]).ended(2, &words);
    assert_eq!(recorded(), "r1", "a plan changes nothing");
    shop.mck(&["apply", "--yes"])
        .ended(0, &["shop: release r2 is recorded", "1 changed"]);
    assert_eq!(recorded(), "r2");
    for family in ["shop-production-shop", "shop-production-shop_run"] {
        assert_eq!(release_of(family), "r2", "{family}");
    }
    let definition = definition("shop-production-shop");
    let image = definition["containerDefinitions"][0]["image"].as_str();
    assert!(image.is_some_and(|it| it.ends_with(":r2")), "{image:?}");
    shop.mck(&["plan"]).ended(0, &["Nothing to do."]);

    // Without any other change it is reason enough for an apply.
    deploy_without_an_end("r3");
    shop.mck(&["plan"])
        .ended(2, &["release r3, which is not recorded yet"]);
    let applied = shop.mck(&["apply", "--yes", "--json"]).ended(0, &[]);
    let event = json!({ "event": "recorded", "app": "shop", "release": "r3" });
    let told = applied
        .out
        .lines()
        .any(|line| serde_json::from_str::<Value>(line).is_ok_and(|it| it == event));
    assert!(told, "{}", applied.out);
    assert_eq!(recorded(), "r3");
    shop.mck(&["plan"]).ended(0, &["Nothing to do."]);
}
