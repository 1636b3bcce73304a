//! A snapshot for tests of what is drawn from one.

use jiff::Timestamp;
use mck_local::supervisor::snapshot::{
    AppStatus, ComponentStatus, JobStatus, Snapshot, State, TaskStatus,
};

fn component(name: &str, description: &str, state: State, detail: Option<&str>) -> ComponentStatus {
    ComponentStatus {
        name: name.to_owned(),
        description: description.to_owned(),
        state,
        detail: detail.map(str::to_owned),
        address: name
            .starts_with("db")
            .then(|| "172.31.6.10".parse().unwrap()),
        zone: name.starts_with("db").then(|| "a".to_owned()),
        restarts: u32::from(state == State::Failed),
    }
}

fn task(id: &str, state: State, detail: &str, purpose: Option<&str>) -> TaskStatus {
    TaskStatus {
        id: id.to_owned(),
        state,
        detail: Some(detail.to_owned()),
        revision: "new".to_owned(),
        zone: "a".to_owned(),
        server: "app-0".to_owned(),
        address: "172.31.3.20".parse().unwrap(),
        purpose: purpose.map(str::to_owned),
        created: Timestamp::from_second(1_800_000_000).unwrap(),
    }
}

/// An environment that is half up.
pub fn snapshot() -> Snapshot {
    Snapshot {
        project: "demo".to_owned(),
        environment: "local".to_owned(),
        settled: false,
        problem: None,
        components: vec![
            component(
                "network",
                "VPC 172.31.0.0/16 over 3 zones",
                State::Ready,
                None,
            ),
            component(
                "db-0",
                "Database writer (MariaDB), in a",
                State::Starting,
                None,
            ),
            component(
                "database-schemas",
                "Schemas and users of the database",
                State::Waiting,
                Some("waits for db-0"),
            ),
            component(
                "lb-a",
                "Load balancer (HAProxy), in a",
                State::Failed,
                Some("container lb-a did not start:\nno such file"),
            ),
        ],
        apps: vec![AppStatus {
            name: "shop".to_owned(),
            urls: vec!["http://shop.localhost:8080".to_owned()],
            admin_url: Some("http://shop.localhost:8080/admin".to_owned()),
            admin_user: Some("admin".to_owned()),
            admin_password_secret: Some("shop-admin-password".to_owned()),
            revision: Some("1a2b3c4".to_owned()),
            desired: 2,
            healthy: 1,
            tasks: vec![
                task("shop-00000001", State::Ready, "answers 200", None),
                task("shop-00000002", State::Starting, "not checked yet", None),
                task(
                    "shop-00000003",
                    State::Starting,
                    "starting",
                    Some("job cron"),
                ),
            ],
            jobs: vec![JobStatus {
                name: "cron".to_owned(),
                schedule: "rate(1 minute)".to_owned(),
                last_started: Some(Timestamp::from_second(1_800_000_270).unwrap()),
                last_ended: Some(Timestamp::from_second(1_800_000_271).unwrap()),
                last_exit_code: Some(0),
                next: Some(Timestamp::from_second(1_800_000_330).unwrap()),
            }],
            deployments: Vec::new(),
        }],
    }
}
