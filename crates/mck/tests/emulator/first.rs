//! The first deployment of an environment on AWS: there is no service, and no schema, before it.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    build, commands,
    database::Database,
    services::{Services, tools},
    store::Store,
};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator/stacks.py");
/// The app's password in Secrets Manager; the quote must reach the database as one.
const PASSWORD: &str = "it's a secret";

/// What an apply leaves, with the stack of the app and the database's statements answered here.
struct Applied {
    server: Child,
    cloudformation: String,
    data_api: String,
}

impl Drop for Applied {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Applied {
    fn new(store: &Store, services: &Services<'_>, stack: &str, database: &Database) -> Self {
        store
            .run(&["synth", "--environment", "production"])
            .expect(0);
        let template = store
            .path()
            .join("magecloudkit.out/production/app-shop.json");
        let [ecs, others] = services.endpoints();
        let mut server = Command::new(tools().join("stand-ins/bin/python"))
            .args([Path::new(SERVER), &template])
            .args([stack, ecs, others])
            .arg(database.socket())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let at = |port| format!("http://127.0.0.1:{port}");
        let (cloudformation, data_api) = line.trim().split_once(' ').unwrap();
        Self {
            server,
            cloudformation: at(cloudformation),
            data_api: at(data_api),
        }
    }
}

/// Names in the account.
struct Names {
    prefix: String,
    secret: String,
    parameter: String,
    repositories: [String; 2],
}

impl Names {
    fn of(project: &str) -> Self {
        Self {
            prefix: format!("{project}-production"),
            secret: format!("{project}/production/shop-database-password"),
            parameter: format!("/{project}/production/shop/release"),
            repositories: ["nginx", "php-fpm"]
                .map(|base| format!("{project}/production/shop/{base}")),
        }
    }
}

#[test]
fn the_first_deployment_makes_schema_data_and_service() {
    let store = Store::up("first");
    let file = store.read("magecloudkit.toml");
    store.write(
        "magecloudkit.toml",
        &format!("{file}[environment.production]\n"),
    );
    let project = format!("first-{}", std::process::id());
    let names = Names::of(&project);
    let mut services = Services::before_the_first_deployment(&store);
    let database = Database::begin();
    services.make_repositories(&names.repositories);
    services.write_parameter(&names.parameter, "none");
    let stack = format!("{}-app-shop", names.prefix);
    let applied = Applied::new(&store, &services, &stack, &database);
    services.variables = vec![
        (
            "AWS_ENDPOINT_URL_CLOUDFORMATION",
            applied.cloudformation.clone(),
        ),
        ("AWS_ENDPOINT_URL_RDS_DATA", applied.data_api.clone()),
    ];
    store.write("src/README.md", "first on AWS");
    let first = build(&store);
    services.push(&names.repositories, &first);

    nothing_is_there_yet(&services);
    a_failing_hook_leaves_no_service(&store, &services, &names);
    without_a_secret_nothing_begins(&services, &names);
    services.keep_secret(&names.secret, PASSWORD);
    the_service_is_made(&store, &services, &names, &first);
    the_schema_is_the_app_s_alone(&database);
    the_next_one_is_rolled_out(&store, &services, &names, &first);
    commands::work_on(&services);
}

fn create_cluster(services: &Services<'_>, names: &Names, has_api: bool) {
    let id = format!("{}-db", names.prefix);
    let create = ["rds", "create-db-cluster", "--db-cluster-identifier", &id];
    let rest = ["--engine", "aurora-mysql", "--master-username", "admin"];
    // moto has the Data API for old serverless clusters alone.
    let api: &[&str] = if has_api {
        &[
            "--engine-mode",
            "serverless",
            "--engine-version",
            "5.7.mysql_aurora.2.08.3",
            "--enable-http-endpoint",
            "--manage-master-user-password",
        ]
    } else {
        &["--manage-master-user-password"]
    };
    services.aws(&[&services.at_endpoint(), &create[..], &rest, api].concat());
}

fn nothing_is_there_yet(services: &Services<'_>) {
    let outcome = services.mck(&["run", "shop", "--", "true"]).expect(9);
    assert!(outcome.stderr.contains("mck deploy shop"), "{outcome}");
    services.mck(&["rollback"]).expect(10);
    services.mck(&["deploy", "--stop"]).expect(10);
    services.mck(&["scale", "shop", "3"]).expect(9);
    let outcome = services.mck(&["deploy"]).expect(9);
    assert!(outcome.stderr.contains("mck apply"), "{outcome}");
}

/// The database has no Data API either: people are told at once, and again when it has mattered.
fn a_failing_hook_leaves_no_service(store: &Store, services: &Services<'_>, names: &Names) {
    create_cluster(services, names, false);
    let migration = store.path().join("src/migrations/9999_broken.sql");
    std::fs::write(&migration, "THIS IS NO SQL;").unwrap();
    let broken = build(store);
    std::fs::remove_file(&migration).unwrap();
    services.push(&names.repositories, &broken);
    let outcome = services.mck(&["deploy", "--release", &broken]).expect(19);
    for said in [
        "has no Data API",
        "hook failed",
        "ended with exit code",
        "nothing to go back to",
    ] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    let by_hand = "hint: where they were not made yet, `mck db shell --master -e production`";
    assert_eq!(outcome.stderr.matches(by_hand).count(), 2, "{outcome}");
    assert!(outcome.stderr.contains(&names.secret), "{outcome}");
    nothing_was_recorded(services, names);
    let id = format!("{}-db", names.prefix);
    let delete = ["rds", "delete-db-cluster", "--skip-final-snapshot"];
    services.aws(
        &[
            &services.at_endpoint(),
            &delete[..],
            &["--db-cluster-identifier", &id],
        ]
        .concat(),
    );
    // moto makes an automatic one, and names it by the minute.
    let rds = [&services.at_endpoint()[..], &["rds"]].concat();
    let found = services.aws(&[&rds[..], &["describe-db-cluster-snapshots"]].concat());
    for snapshot in found["DBClusterSnapshots"].as_array().unwrap() {
        let id = snapshot["DBClusterSnapshotIdentifier"].as_str().unwrap();
        let delete = ["delete-db-cluster-snapshot"];
        let of = ["--db-cluster-snapshot-identifier", id];
        services.aws(&[&rds[..], &delete, &of].concat());
    }
    create_cluster(services, names, true);
}

fn without_a_secret_nothing_begins(services: &Services<'_>, names: &Names) {
    let before = hooks(services, names, "install").len();
    let outcome = services.mck(&["deploy"]).expect(14);
    let set = "mck secret set shop-database-password";
    assert!(outcome.stderr.contains(set), "{outcome}");
    assert_eq!(hooks(services, names, "install").len(), before);
    nothing_was_recorded(services, names);
}

fn the_service_is_made(store: &Store, services: &Services<'_>, names: &Names, first: &str) {
    let before = ["install", "upgrade"].map(|it| hooks(services, names, it).len());
    let outcome = services.mck(&["deploy", "--release", first]).expect(0);
    for said in [
        "runs the hook install",
        "runs the hook upgrade",
        "app-shop: Service",
    ] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    assert!(!outcome.stderr.contains(PASSWORD), "{outcome}");
    let after = ["install", "upgrade"].map(|it| hooks(services, names, it).len());
    assert_eq!(after, before.map(|it| it + 1));
    assert_eq!(store.served(), first);
    assert_eq!(services.parameter(&names.parameter), first);
    let unchanged = services.mck(&["deploy", "--release", first]).expect(0);
    assert!(unchanged.stderr.contains("nothing to do"), "{unchanged}");
    let told = services.mck(&["releases", "--json"]).expect(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let releases = told[0]["releases"].as_array().unwrap();
    let serving = releases.iter().find(|it| it["id"] == first).unwrap();
    assert_eq!(serving["state"], "serving");
    // The stack's own revision, which is the newest, and none of ours after it.
    let family = format!("{}-shop", names.prefix);
    let describe = ["ecs", "describe-task-definition", "--task-definition"];
    let newest = services.aws(&[&describe[..], &[&family]].concat());
    let cluster = format!("{}-app", names.prefix);
    let describe = ["ecs", "describe-services", "--services", "shop"];
    let service = services.aws(&[&describe[..], &["--cluster", &cluster]].concat());
    assert_eq!(
        service["services"][0]["taskDefinition"],
        newest["taskDefinition"]["taskDefinitionArn"]
    );
}

fn the_schema_is_the_app_s_alone(database: &Database) {
    let create = "CREATE TABLE shop.t (n INT); SELECT SCHEMA_NAME FROM information_schema.SCHEMATA";
    let output = database.run("shop", PASSWORD, create);
    assert!(output.status.success(), "{output:?}");
    let schemas = String::from_utf8(output.stdout).unwrap();
    let mut schemas: Vec<&str> = schemas.lines().collect();
    schemas.sort_unstable();
    assert_eq!(schemas, ["information_schema", "shop"]);
    assert!(!database.run("shop", "another", "SELECT 1").status.success());
}

fn the_next_one_is_rolled_out(store: &Store, services: &Services<'_>, names: &Names, first: &str) {
    store.write("src/README.md", "second on AWS");
    let second = build(store);
    services.push(&names.repositories, &second);
    let before = hooks(services, names, "install").len();
    let outcome = services.mck(&["deploy"]).expect(0);
    assert!(outcome.stderr.contains("takes requests"), "{outcome}");
    assert!(!outcome.stderr.contains("hook install"), "{outcome}");
    assert_eq!(hooks(services, names, "install").len(), before);
    assert_eq!(store.served(), second);
    assert_eq!(services.parameter(&names.parameter), second);
    services.mck(&["rollback"]).expect(0);
    assert_eq!(store.served(), first);
}

/// Hooks of the app, by their stage, and how they ended.
fn hooks(services: &Services<'_>, names: &Names, stage: &str) -> Vec<Value> {
    let family = format!("{}-shop_hook_{stage}", names.prefix);
    let cluster = format!("{}-app", names.prefix);
    let on = ["--cluster", &cluster];
    let list = ["ecs", "list-tasks", "--desired-status", "STOPPED"];
    let listed = services.aws(&[&list[..], &on, &["--family", &family]].concat());
    let arns = listed["taskArns"].as_array().unwrap();
    let arns: Vec<&str> = arns.iter().map(|it| it.as_str().unwrap()).collect();
    if arns.is_empty() {
        return Vec::new();
    }
    let describe = ["ecs", "describe-tasks"];
    let tasks = services.aws(&[&describe[..], &on, &["--tasks"], &arns].concat());
    tasks["tasks"].as_array().unwrap().clone()
}

fn nothing_was_recorded(services: &Services<'_>, names: &Names) {
    assert_eq!(services.parameter(&names.parameter), "none");
    let cluster = format!("{}-app", names.prefix);
    let listed = services.aws(&["ecs", "list-services", "--cluster", &cluster]);
    assert_eq!(listed["serviceArns"].as_array().unwrap().len(), 0);
}
