//! `mck deploy`, `mck rollback` and `mck releases` of an environment on AWS, over ECS's protocol.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{BROKEN, build, load::Load, services::Services, store::Store};

/// What `mck deploy` may add to what ECS needs.
const OVERHEAD: Duration = Duration::from_secs(2);

/// An environment in the account and its names there.
pub struct Account<'a> {
    pub store: &'a Store,
    pub services: Services<'a>,
    repositories: [String; 2],
    parameter: String,
    prefix: String,
}

#[test]
fn an_environment_on_aws_is_deployed_to_and_rolled_back() {
    let store = Store::up("account");
    let file = store.read("magecloudkit.toml");
    store.write(
        "magecloudkit.toml",
        &format!("{file}[environment.production]\n"),
    );
    let account = Account::of(&store);
    let first = store.served();
    nothing_can_be_deployed_yet(&account, &first);

    let second = a_good_release(&account, &first);
    let bad = a_bad_release_is_given_up(&account, &second);
    a_failing_hook_changes_nothing(&account, &second);
    back_to_the_release_before(&account, &first, &second);
    told_by_releases(&account, &first, &second, &bad);
    whoever_is_killed_goes_on(&account);
    a_deployment_is_stopped(&account);
    little_is_added_to_what_ecs_needs(&account);
}

impl<'a> Account<'a> {
    pub fn of(store: &'a Store) -> Self {
        let services = Services::beside(store);
        let clusters = services.aws(&["ecs", "list-clusters"]);
        let cluster = clusters["clusterArns"][0].as_str().unwrap();
        let prefix = cluster.rsplit('/').next().unwrap();
        let prefix = prefix.strip_suffix("-app").unwrap().to_owned();
        let project = prefix.strip_suffix("-production").unwrap();
        Self {
            store,
            services,
            repositories: ["nginx", "php-fpm"]
                .map(|base| format!("{project}/production/shop/{base}")),
            parameter: format!("/{project}/production/shop/release"),
            prefix,
        }
    }

    /// What the first deployment of a release leaves.
    pub fn is_applied(&self, release: &str) {
        self.services.write_parameter(&self.parameter, release);
        self.services.make_repositories(&self.repositories);
        self.services.push(&self.repositories, release);
    }

    /// A family of task definitions, by the end of its name.
    pub fn family(&self, end: &str) -> String {
        format!("{}-shop{end}", self.prefix)
    }

    pub fn cluster(&self) -> String {
        format!("{}-app", self.prefix)
    }

    /// Makes a release of a change, and pushes its images.
    pub fn release(&self, change: &str) -> String {
        self.store.write("src/README.md", change);
        let release = build(self.store);
        self.services.push(&self.repositories, &release);
        release
    }

    pub fn recorded(&self) -> String {
        self.services.parameter(&self.parameter)
    }

    /// The releases of the newest revisions of a family.
    pub fn release_of(&self, family: &str) -> String {
        let family = self.family(family);
        let describe = ["ecs", "describe-task-definition", "--task-definition"];
        let found = self.services.aws(&[&describe[..], &[&family]].concat());
        let containers = &found["taskDefinition"]["containerDefinitions"];
        let variables = containers[0]["environment"].as_array().unwrap();
        let revision = variables.iter().find(|it| it["name"] == "REVISION");
        revision.unwrap()["value"].as_str().unwrap().to_owned()
    }
}

fn nothing_can_be_deployed_yet(account: &Account<'_>, first: &str) {
    let services = &account.services;
    let outcome = services.mck(&["deploy"]).expect(9);
    assert!(outcome.stderr.contains("mck apply"), "{outcome}");
    services.write_parameter(&account.parameter, first);
    let outcome = services.mck(&["deploy"]).expect(11);
    assert!(outcome.stderr.contains("mck build shop"), "{outcome}");
    account.is_applied(first);
    let outcome = services.mck(&["deploy"]).expect(0);
    assert!(outcome.stderr.contains("nothing to do"), "{outcome}");
    let outcome = services.mck(&["deploy", "--release", "ffff"]).expect(11);
    assert!(outcome.stderr.contains(first), "{outcome}");
    services.mck(&["rollback"]).expect(10);
    services.mck(&["deploy", "--stop"]).expect(10);
}

fn a_good_release(account: &Account<'_>, first: &str) -> String {
    let second = account.release("second");
    let load = Load::begin(account.store);
    let outcome = account.services.mck(&["deploy", "shop"]).expect(0);
    load.end().expect_nothing_failed();
    for said in [
        "runs the hook upgrade",
        "takes requests",
        "runs the hook cache flush",
    ] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    assert_eq!(account.store.served(), second);
    assert_eq!(account.recorded(), second);
    assert_ne!(second, first);
    for family in ["", "_run", "_hook_upgrade"] {
        assert_eq!(account.release_of(family), second, "{family}");
    }
    second
}

fn a_bad_release_is_given_up(account: &Account<'_>, serving: &str) -> String {
    let good = account.store.read("src/pub/health_check.php");
    account.store.write("src/pub/health_check.php", BROKEN);
    let bad = account.release("bad");
    account.store.write("src/pub/health_check.php", &good);
    let load = Load::begin(account.store);
    let outcome = account.services.mck(&["deploy"]).expect(18);
    for said in ["rolled back", "failed ELB health checks", "hint: "] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    account.store.settle();
    load.end().expect_nothing_failed();
    assert_eq!(account.store.served(), serving);
    // Neither an apply nor a job goes to the bad one.
    assert_eq!(account.recorded(), serving);
    assert_eq!(account.release_of("_run"), serving);
    bad
}

fn a_failing_hook_changes_nothing(account: &Account<'_>, serving: &str) {
    let migration = account.store.path().join("src/migrations/9999_broken.sql");
    std::fs::write(&migration, "THIS IS NO SQL;").unwrap();
    account.release("with a broken migration");
    std::fs::remove_file(&migration).unwrap();
    let outcome = account.services.mck(&["deploy"]).expect(18);
    for said in ["its upgrade hook failed", "ended with exit code"] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    assert!(!outcome.stderr.contains("new task"), "{outcome}");
    assert_eq!(account.store.served(), serving);
    assert_eq!(account.recorded(), serving);
}

fn back_to_the_release_before(account: &Account<'_>, first: &str, second: &str) {
    let outcome = account.services.mck(&["rollback"]).expect(0);
    assert!(!outcome.stderr.contains("hook upgrade"), "{outcome}");
    assert_eq!(account.store.served(), first);
    assert_eq!(account.recorded(), first);
    assert_eq!(account.release_of("_run"), first);
    assert_ne!(first, second);
}

fn told_by_releases(account: &Account<'_>, first: &str, second: &str, bad: &str) {
    let told = account.services.mck(&["releases", "--json"]).expect(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let releases = told[0]["releases"].as_array().unwrap();
    let of = |id: &str| releases.iter().find(|it| it["id"] == id).unwrap();
    assert_eq!(of(first)["state"], "serving");
    assert_eq!(of(second)["state"], "previous");
    assert_eq!(of(bad)["state"], "available");
    assert_eq!(of(bad)["deployments"][0]["outcome"], "not-completed");
    let by = of(second)["deployments"][0]["by"].as_str().unwrap();
    assert!(by.starts_with("ann@"), "{by}");
}

/// A deployment whose client is killed goes on, and the next one ends it.
fn whoever_is_killed_goes_on(account: &Account<'_>) {
    let before = account.recorded();
    let release = account.release("killed");
    account.services.killed_when_said(&["deploy"], "new task");
    assert_eq!(account.recorded(), before);
    let outcome = account.services.mck(&["deploy"]).expect(0);
    assert!(outcome.stderr.contains("Following shop"), "{outcome}");
    assert!(!outcome.stderr.contains("hook upgrade"), "{outcome}");
    assert_eq!(account.store.served(), release);
    assert_eq!(account.recorded(), release);
}

fn a_deployment_is_stopped(account: &Account<'_>) {
    let serving = account.store.served();
    account.release("stopped");
    account.services.killed_when_said(&["deploy"], "new task");
    account.services.mck(&["deploy", "--stop"]).expect(0);
    assert_eq!(account.store.served(), serving);
    assert_eq!(account.recorded(), serving);
}

/// A rollback runs no hook before the rollout, and so is what `update-service` and `wait` do.
fn little_is_added_to_what_ecs_needs(account: &Account<'_>) {
    let services = &account.services;
    let serving = account.store.served();
    let begin = Instant::now();
    services.mck(&["rollback"]).expect(0);
    let ours = begin.elapsed();
    assert_ne!(account.store.served(), serving);
    let (cluster, family) = (account.cluster(), account.family(""));
    let revisions = ["ecs", "list-task-definitions", "--family-prefix", &family];
    let revisions = services.aws(&revisions);
    let revisions = revisions["taskDefinitionArns"].as_array().unwrap();
    // The one before the stopped one.
    let before = revisions[revisions.len() - 3].as_str().unwrap();
    let on_service = ["--cluster", &cluster, "--service", "shop"];
    let update = ["ecs", "update-service", "--task-definition", before];
    let begin = Instant::now();
    services.aws(&[&update[..], &on_service].concat());
    let wait = ["ecs", "wait", "services-stable", "--cluster", &cluster];
    services.aws(&[&wait[..], &["--services", "shop"]].concat());
    let theirs = begin.elapsed();
    assert!(
        ours < theirs + OVERHEAD,
        "{ours:?}, of which ECS needs {theirs:?}"
    );
}
