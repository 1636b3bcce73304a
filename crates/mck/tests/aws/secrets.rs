//! Secrets that people give a value, and that have none.

use serde_json::json;

use crate::{
    environment::{Environments, aws},
    stand_in::{Kind, beside},
    whole::SHOP,
};

const WITH_KEYS: &str =
    "\n[app.shop]\nsecrets = { PAYMENT_KEY = \"payment-key\", MAIL_KEY = \"mail-key\" }\n";
const KEYS: &str = "\n[secret.payment-key]\ndescription = \"Key of the payment provider\"\n\n\
                    [secret.mail-key]\ndescription = \"Key of the mail provider\"\n";
/// A change of the app's stack.
const CHANGE: &str = "\n[app.shop.container.php-fpm]\nmemory = \"2GiB\"\n";

fn text() -> String {
    SHOP.replace("\n[app.shop]\n", WITH_KEYS) + KEYS
}

fn shop(name: &str) -> Environments {
    Environments::of(name, &text())
}

fn create(secret: &str) {
    let name = format!("shop/production/{secret}");
    aws(&["secretsmanager", "create-secret", "--name", &name]);
}

fn give(shop: &Environments, secret: &str) {
    let mut command = shop.command("production", &["secret", "set", secret]);
    let given = shop.folder().join("given");
    std::fs::write(&given, "only-in-a-test\n").expect("the file can be written");
    command.stdin(std::fs::File::open(given).expect("it is there"));
    crate::run::outcome(&mut command).ended(0, &[]);
}

/// A release in the app's repositories, and the parameter of the deployed one.
fn release() {
    let parameter = "/shop/production/shop/release";
    let put = [
        "ssm",
        "put-parameter",
        "--name",
        parameter,
        "--value",
        "none",
    ];
    aws(&[&put[..], &["--type", "String"]].concat());
    let digest = format!("sha256:{:0>64}", "1");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": { "mediaType": "x", "size": 7, "digest": digest },
        "layers": [{ "mediaType": "x", "size": 1_000, "digest": digest }],
    });
    let manifest = manifest.to_string();
    for base in ["nginx", "php-fpm"] {
        let repository = format!("shop/production/shop/{base}");
        aws(&["ecr", "create-repository", "--repository-name", &repository]);
        let put = ["ecr", "put-image", "--repository-name", &repository];
        let rest = ["--image-tag", "r1", "--image-manifest", &manifest];
        aws(&[&put[..], &rest].concat());
    }
}

#[test]
fn plan_and_deploy_name_secrets_without_a_value() {
    let name = "secrets::plan_and_deploy_name_secrets_without_a_value";
    beside(Kind::Moto, name, || {
        let shop = shop(name);
        let words = [
            "warning: the secret payment-key has no value: tasks that use it can't start [MCK-S005]",
            "hint: `mck secret set payment-key -e production` gives it one, after the apply that makes it",
        ];
        shop.mck(&["plan"]).ended(2, &words);
        for secret in ["payment-key", "mail-key"] {
            create(secret);
        }
        release();
        let words = ["hint: `mck secret set mail-key -e production` gives it one\n"];
        shop.mck(&["plan"]).ended(2, &words);
        let words = [
            "error: secrets without a value: mail-key, payment-key",
            "hint: `mck secret set payment-key -e production` gives it a value",
            "hint: `mck secret set mail-key -e production` gives it a value",
        ];
        shop.mck(&["deploy", "shop"]).ended(14, &words);

        give(&shop, "payment-key");
        let (_, plan) = shop.plan();
        let findings = plan["findings"].as_array().expect("findings").iter();
        let mut found = findings.filter(|it| it["code"] == "MCK-S005");
        let told = found.next().expect("one has none still");
        assert_eq!(
            told["message"],
            "the secret mail-key has no value: tasks that use it can't start"
        );
        assert!(found.next().is_none());
        let refused = shop.mck(&["deploy", "shop"]);
        refused.ended(14, &["error: secrets without a value: mail-key"]);
        give(&shop, "mail-key");
        shop.mck(&["plan"]).ended(2, &[]).without("MCK-S005");
        // The task definition is missing next, which the stack makes.
        aws(&[
            "ecs",
            "create-cluster",
            "--cluster-name",
            "shop-production-app",
        ]);
        shop.mck(&["deploy", "shop"]).ended(9, &["task definition"]);
    });
}

#[test]
fn an_apply_names_them_and_keeps_tasks_from_being_replaced_by_such_as_can_t_start() {
    let name =
        "secrets::an_apply_names_them_and_keeps_tasks_from_being_replaced_by_such_as_can_t_start";
    beside(Kind::MinistackOfAllTypes, name, || {
        let shop = shop(name);
        // Nothing runs yet that could miss them.
        let words = ["the secret payment-key has no value"];
        shop.mck(&["apply", "--yes"]).ended(0, &words);
        let parameter = "/shop/production/shop/release";
        let put = ["ssm", "put-parameter", "--name", parameter, "--value", "r1"];
        aws(&[&put[..], &["--overwrite"]].concat());
        shop.write(&format!("{}{CHANGE}", text()));
        // The stack makes the service.
        shop.mck(&["apply", "--yes"]).ended(0, &words);

        shop.write(&text());
        let words = [
            "error: secrets without a value: mail-key, payment-key",
            "hint: `mck secret set mail-key -e production` gives it a value",
        ];
        shop.mck(&["apply", "--yes"]).ended(14, &words);
        give(&shop, "payment-key");
        give(&shop, "mail-key");
        let applied = shop.mck(&["apply", "--yes"]).ended(0, &[]);
        applied.without("has no value");
    });
}
