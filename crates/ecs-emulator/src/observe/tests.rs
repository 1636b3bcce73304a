use jiff::{SignedDuration, Timestamp};
use mck_blueprint::{Blueprint, rollout::CircuitBreaker};
use mck_environment::EnvironmentFile;
use mck_local::{
    release::Release,
    supervisor::{
        deployment::{Deployment, DeploymentState},
        snapshot::{AppStatus, Snapshot, State as LocalState, TaskStatus},
    },
};
use serde_json::Value;

use super::observe;
use crate::{ids::Ids, services, state::State, tasks, world::World};

const FILE: &str = r#"
project = "shop"
[app.shop]
preset = "storefront"
source = "src"
[environment.local]
[environment.production]
"#;

fn world() -> World {
    let file = EnvironmentFile::parse("magecloudkit.toml", FILE.as_bytes()).unwrap();
    let plan = |name| Blueprint::plan(&file.environment(name).unwrap()).unwrap();
    World::new(&plan("local"), &plan("production"))
}

/// What is observed, moment by moment.
struct Scene {
    world: World,
    state: State,
    snapshot: Snapshot,
    now: Timestamp,
    story: Vec<(&'static str, &'static str)>,
}

impl Scene {
    /// A service of two tasks of the release `one`, which is complete.
    fn new() -> Self {
        let app = AppStatus {
            name: "shop".to_owned(),
            urls: Vec::new(),
            admin_url: None,
            admin_user: None,
            admin_password_secret: None,
            revision: None,
            desired: 2,
            healthy: 2,
            tasks: Vec::new(),
            jobs: Vec::new(),
            deployments: Vec::new(),
        };
        let mut scene = Self {
            world: world(),
            state: State {
                ids: Ids::new("a test's"),
                ..State::default()
            },
            snapshot: Snapshot {
                apps: vec![app],
                ..Snapshot::default()
            },
            now: Timestamp::from_second(1_764_000_000).unwrap(),
            story: Vec::new(),
        };
        scene.begin("one", "mck up");
        scene.task("a", "one", LocalState::Ready);
        scene.task("b", "one", LocalState::Ready);
        scene.end(DeploymentState::Completed);
        scene.look();
        scene
    }

    fn app(&mut self) -> &mut AppStatus {
        &mut self.snapshot.apps[0]
    }

    fn begin(&mut self, release: &str, by: &str) {
        let (started, app) = (self.now, self.world.apps[0].runs.clone());
        let deployments = &mut self.app().deployments;
        deployments.push(Deployment {
            number: deployments.len() as u64 + 1,
            revision: format!("mark of {release}"),
            release: Some(Release {
                id: release.to_owned(),
                revision: release.to_owned(),
            }),
            images: Default::default(),
            started,
            ended: None,
            by: by.to_owned(),
            state: DeploymentState::InProgress,
            breaker: CircuitBreaker::new(&app.deployment),
        });
    }

    fn end(&mut self, state: DeploymentState) {
        self.app().deployments.last_mut().unwrap().state = state;
    }

    /// Makes a task be so, or adds it.
    fn task(&mut self, id: &str, release: &str, state: LocalState) {
        let created = self.now;
        let tasks = &mut self.app().tasks;
        tasks.retain(|it| it.id != id);
        tasks.push(TaskStatus {
            id: id.to_owned(),
            state,
            detail: Some("health check got 500".to_owned()),
            revision: format!("mark of {release}"),
            zone: "us-east-1a".to_owned(),
            server: "app-1".to_owned(),
            address: [10, 0, 0, 1].into(),
            purpose: None,
            created,
        });
    }

    fn gone(&mut self, id: &str) {
        self.app().tasks.retain(|it| it.id != id);
    }

    fn look(&mut self) {
        self.now += SignedDuration::from_secs(1);
        let story = |task: &str| {
            let of_task = self.story.iter().filter(|(id, _)| *id == task);
            of_task.map(|(_, message)| (*message).to_owned()).collect()
        };
        observe(
            &mut self.state,
            &self.world,
            &self.snapshot,
            &story,
            self.now,
        );
    }

    fn described(&self) -> Value {
        services::describe(&self.state, &self.world, &self.world.apps[0], self.now).unwrap()
    }

    /// Status, release, tasks that run, and state of each deployment that is shown.
    fn deployments(&self) -> Vec<String> {
        let described = self.described();
        let deployments = described["deployments"].as_array().unwrap();
        let told = deployments.iter().map(|it| {
            let definition = self
                .state
                .definitions
                .find(it["taskDefinition"].as_str().unwrap());
            let repositories = &self.world.apps[0].located.repositories;
            let release = definition.unwrap().release(repositories).unwrap();
            let text = |name: &str| it[name].as_str().unwrap().to_owned();
            let (status, rollout) = (text("status"), text("rolloutState"));
            format!("{status} {release} {} {rollout}", it["runningCount"])
        });
        told.collect()
    }

    /// The events since the service was steady first, oldest first, without ids and ARNs.
    fn events(&self) -> Vec<String> {
        let described = self.described();
        let all = described["events"].as_array().unwrap();
        let said = all.iter().rev().map(|it| it["message"].as_str().unwrap());
        let plain = said.map(|message| {
            let words = message.split(' ').map(|word| {
                let is_id = word.starts_with("arn:")
                    || word.starts_with("ecs-svc/")
                    || word.trim_end_matches([')', '.']).len() == 32;
                if is_id { "*" } else { word }
            });
            words.collect::<Vec<_>>().join(" ")
        });
        plain.skip(5).collect()
    }
}

#[test]
fn a_deployment_takes_over_task_by_task() {
    let mut scene = Scene::new();
    assert_eq!(scene.deployments(), ["PRIMARY one 2 COMPLETED"]);
    scene.begin("two", "ann");
    scene.task("c", "two", LocalState::Starting);
    scene.look();
    let both = ["PRIMARY two 1 IN_PROGRESS", "ACTIVE one 2 COMPLETED"];
    assert_eq!(scene.deployments(), both);
    scene.task("c", "two", LocalState::Ready);
    scene.task("d", "two", LocalState::Ready);
    scene.task("a", "one", LocalState::Draining);
    scene.look();
    assert_eq!(scene.deployments()[1], "ACTIVE one 1 COMPLETED");
    scene.gone("a");
    scene.gone("b");
    scene.look();
    // The environment has not said yet that it is complete.
    assert_eq!(scene.deployments(), ["PRIMARY two 2 IN_PROGRESS"]);
    scene.end(DeploymentState::Completed);
    scene.look();
    assert_eq!(scene.deployments(), ["PRIMARY two 2 COMPLETED"]);
    assert_eq!(
        scene.events(),
        [
            "(service shop) has started 1 tasks: (task *",
            "(service shop) registered 1 targets in (target-group *",
            "(service shop) has started 1 tasks: (task *",
            "(service shop) registered 1 targets in (target-group *",
            "(service shop) has begun draining connections on 1 tasks.",
            "(service shop) deregistered 1 targets in (target-group *",
            "(service shop) has stopped 1 running tasks: (task *",
            "(service shop) has stopped 1 running tasks: (task *",
            "(service shop) (deployment * deployment completed.",
            "(service shop) has reached a steady state.",
        ]
    );
}

#[test]
fn after_a_failure_the_deployment_before_is_the_primary_again() {
    let mut scene = Scene::new();
    let before = scene.described()["deployments"][0]["id"].clone();
    scene.begin("two", "ann");
    scene.task("c", "two", LocalState::Starting);
    scene.look();
    scene.story = vec![
        ("c", "Unhealthy: health check got 500."),
        ("c", "Drains: its health check fails."),
    ];
    scene.task("c", "two", LocalState::Draining);
    scene.end(DeploymentState::RolledBack(
        "3 tasks failed in a row".to_owned(),
    ));
    scene.begin("one", "rollback of deployment 2");
    scene.look();
    let shown = ["PRIMARY one 2 IN_PROGRESS", "ACTIVE two 0 FAILED"];
    assert_eq!(scene.deployments(), shown);
    let described = scene.described();
    assert_eq!(described["deployments"][0]["id"], before);
    let reason = described["deployments"][0]["rolloutStateReason"]
        .as_str()
        .unwrap();
    assert!(
        reason.starts_with("ECS deployment circuit breaker: rolling back to "),
        "{reason}"
    );
    scene.gone("c");
    scene.end(DeploymentState::Completed);
    scene.look();
    let shown = ["PRIMARY one 2 COMPLETED", "ACTIVE two 0 FAILED"];
    assert_eq!(scene.deployments(), shown);
    let all = services::service_deployments(&scene.state, &scene.world, &scene.world.apps[0]);
    let statuses: Vec<&str> = all
        .iter()
        .map(|it| it["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["ROLLBACK_SUCCESSFUL"]);
    for _ in 0..20 {
        scene.look();
    }
    assert_eq!(scene.deployments(), ["PRIMARY one 2 COMPLETED"]);
    assert_eq!(
        scene.events(),
        [
            "(service shop) has started 1 tasks: (task *",
            "(service shop) (deployment * deployment failed: tasks failed to start.",
            "(service shop) rolling back to deployment *",
            "(service shop) (task * (port 80) is unhealthy in (target-group * due to (reason Health \
             checks failed with these codes: [500])",
            "(service shop) (deployment * deployment completed.",
            "(service shop) has stopped 1 running tasks: (task *",
            "(service shop) has reached a steady state.",
        ]
    );
}

#[test]
fn a_task_is_remembered_for_an_hour_with_how_it_ended() {
    let mut scene = Scene::new();
    scene.story = vec![("a", "Failed: its container php-fpm ended with exit code 70")];
    scene.gone("a");
    scene.look();
    let names = scene.world.names.clone();
    let (id, task) = scene
        .state
        .tasks
        .iter()
        .find(|(_, it)| it.stopped.is_some())
        .unwrap();
    let told = tasks::describe(&names, "shop-production-app", id, task);
    assert_eq!(told["lastStatus"], "STOPPED");
    assert_eq!(told["desiredStatus"], "STOPPED");
    assert_eq!(told["stopCode"], "EssentialContainerExited");
    let containers = told["containers"].as_array().unwrap();
    let php = containers
        .iter()
        .find(|it| it["name"] == "php-fpm")
        .unwrap();
    assert_eq!(php["exitCode"], 70);
    scene.now += SignedDuration::from_mins(59);
    scene.look();
    assert_eq!(scene.state.tasks.len(), 2);
    scene.now += SignedDuration::from_mins(1);
    scene.look();
    assert_eq!(scene.state.tasks.len(), 1);
}

#[test]
fn a_task_that_never_ran_tells_why() {
    let mut scene = Scene::new();
    scene.story = vec![("a", "Failed: no address is free")];
    scene.gone("a");
    scene.look();
    let task = scene.state.tasks.values().find(|it| it.stopped.is_some());
    let task = task.unwrap();
    assert_eq!(task.stop.as_ref().unwrap().code, "TaskFailedToStart");
    let reason = task.containers[0].reason.as_deref();
    assert_eq!(
        reason,
        Some("CannotStartContainerError: no address is free")
    );
}

#[test]
fn the_names_are_those_of_the_environment_that_is_named() {
    let scene = Scene::new();
    let told = scene.described();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    assert!(text("clusterArn").ends_with(":cluster/shop-production-app"));
    assert!(text("taskDefinition").ends_with(":task-definition/shop-production-shop:1"));
}

#[test]
fn to_look_again_changes_nothing() {
    let mut scene = Scene::new();
    let before = scene.state.clone();
    scene.look();
    assert_eq!(scene.state, before);
}
