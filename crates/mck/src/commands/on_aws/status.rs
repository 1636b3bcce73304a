//! `mck status` of an environment on AWS.

use std::time::Duration;

use jiff::Timestamp;
use mck_aws::{AppStatus, DeploymentStatus, Overview, OverviewRequest, TaskHealth, TaskStatus};
use mck_aws_stacks::located::{self, LocatedApp};
use mck_blueprint::{Blueprint, views::Table};
use mck_local::wait;
use serde::Serialize;

use super::{connect, tasks::task_name};
use crate::{
    cli::StatusOptions,
    commands::{status::short_revision, status_view},
    exit::Exit,
    failure::Failure,
    interrupt::Interrupt,
    progress::screen::Screen,
    session::Session,
    style::Style,
    table,
    time::relative,
};

/// How often AWS is asked when watching.
const INTERVAL: Duration = Duration::from_secs(3);
/// How often Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(80);
/// How many failed tasks of an app are shown; all that ECS remembers are in `--json`.
const SHOWN_FAILURES: usize = 5;

/// An environment on AWS at a moment, as programs read it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Status<'a> {
    project: &'a str,
    environment: &'a str,
    region: &'a str,
    #[serde(flatten)]
    overview: &'a Overview,
}

/// What is looked at.
pub fn request(blueprint: &Blueprint) -> OverviewRequest {
    let apps = blueprint.apps.iter();
    let clusters = blueprint.clusters.iter();
    OverviewRequest {
        region: blueprint.region.clone(),
        apps: apps.map(|app| LocatedApp::of(blueprint, app)).collect(),
        clusters: clusters
            .map(|it| located::ecs_cluster(blueprint, &it.name))
            .collect(),
        database: located::database_cluster(blueprint),
        stacks: located::own_stacks(blueprint),
    }
}

pub fn run(session: &Session<'_>, options: &StatusOptions) -> Result<(), Failure> {
    let on_aws = connect(session)?;
    let blueprint = &on_aws.blueprint;
    let request = request(blueprint);
    let printer = session.printer;
    let interrupt = if options.watch {
        Some(Interrupt::listen()?)
    } else {
        None
    };
    let mut screen = Screen::default();
    let mut last = None;
    loop {
        let overview = on_aws.account.overview(&request)?;
        if is_nothing(&overview) {
            let message = format!("{} is not in the account", blueprint.environment);
            let apply = format!("`mck apply -e {}` makes it", blueprint.environment);
            return Err(Failure::new(Exit::NotRunning, message).hint(apply));
        }
        let Some(interrupt) = &interrupt else {
            let (status, now) = (status(blueprint, &overview), Timestamp::now());
            status_view::once(printer, &status, options.json, |style, width| {
                render(blueprint, &overview, style, width, now)
            });
            return Ok(());
        };
        if last.as_ref() != Some(&overview) {
            let (status, now) = (status(blueprint, &overview), Timestamp::now());
            status_view::again(
                printer,
                &mut screen,
                &status,
                options.json,
                |style, width| render(blueprint, &overview, style, width, now),
            );
            last = Some(overview);
        }
        let ticks = INTERVAL.as_millis() / TICK.as_millis();
        for _ in 0..ticks {
            if interrupt.pressed() || printer.is_closed() {
                return Ok(());
            }
            wait::pause(TICK);
        }
    }
}

fn is_nothing(overview: &Overview) -> bool {
    overview.stacks.is_empty()
        && overview.servers.is_empty()
        && overview.database.is_none()
        && overview
            .apps
            .iter()
            .all(|app| !app.is_deployed && app.release.is_none())
}

fn status<'a>(blueprint: &'a Blueprint, overview: &'a Overview) -> Status<'a> {
    Status {
        project: &blueprint.project,
        environment: &blueprint.environment,
        region: &blueprint.region,
        overview,
    }
}

fn render(
    blueprint: &Blueprint,
    overview: &Overview,
    style: Style,
    width: Option<usize>,
    now: Timestamp,
) -> String {
    let broken = overview
        .stacks
        .iter()
        .find(|it| it.status.ends_with("_FAILED"));
    let is_changing = overview.apps.iter().any(|app| !app.is_settled)
        || overview
            .stacks
            .iter()
            .any(|it| it.status.ends_with("_IN_PROGRESS"));
    let missing = overview.apps.iter().find(|app| !app.is_deployed);
    let state = match (broken, missing, is_changing) {
        (Some(stack), ..) => style.red(format_args!("failing: {}: {}", stack.name, stack.status)),
        (None, Some(app), _) => style.yellow(format_args!(
            "not deployed yet: `mck deploy {} -e {}`",
            app.name, blueprint.environment
        )),
        (None, None, true) => style.yellow("changing"),
        (None, None, false) => style.green("up"),
    };
    let tables = [
        apps(blueprint, &overview.apps),
        deployments(&overview.apps, now),
        tasks(&overview.apps, now),
        failures(&overview.apps, now),
        servers(overview),
        database(overview),
        stacks(overview),
    ];
    let name = (blueprint.project.as_str(), blueprint.environment.as_str());
    status_view::page(name, &state.to_string(), &tables, style, width)
}

fn apps(blueprint: &Blueprint, apps: &[AppStatus]) -> Table {
    let row = |app: &AppStatus| {
        let planned = blueprint.apps.iter().find(|it| it.name == app.name);
        let url = planned.and_then(|it| it.url.clone());
        let healthy = if app.is_deployed {
            status_view::healthy(app.healthy, app.desired)
        } else {
            "not deployed".to_owned()
        };
        let release = app.release.as_deref().map_or("", short_revision);
        [
            app.name.clone(),
            healthy,
            release.to_owned(),
            url.unwrap_or_default(),
        ]
    };
    status_view::apps("Release", apps.iter().map(row))
}

fn deployments(apps: &[AppStatus], now: Timestamp) -> Table {
    let row = |app: &AppStatus, it: &DeploymentStatus| {
        let state = match (it.status.as_str(), it.state.as_str()) {
            ("PRIMARY", "IN_PROGRESS") => "in progress",
            ("PRIMARY", "COMPLETED") => "completed",
            (_, "FAILED") => "failed",
            ("PRIMARY", "") if app.is_settled => "completed",
            ("PRIMARY", _) => "in progress",
            _ => "being replaced",
        };
        let latest = app.latest.as_ref().filter(|_| it.status == "PRIMARY");
        let detail = it
            .reason
            .as_ref()
            .filter(|_| state != "completed")
            .or(latest);
        vec![
            app.name.clone(),
            it.number.to_string(),
            it.desired.to_string(),
            it.running.to_string(),
            it.pending.to_string(),
            it.failed.to_string(),
            ago(it.started.as_deref(), now),
            detail.map_or_else(|| state.to_owned(), |detail| format!("{state}: {detail}")),
        ]
    };
    let rows = apps
        .iter()
        .flat_map(|app| app.deployments.iter().map(move |it| row(app, it)));
    let columns = [
        "App", "No.", "Desired", "Running", "Pending", "Failed", "Began", "State",
    ];
    table::table("Deployments", &columns, rows.collect())
}

fn tasks(apps: &[AppStatus], now: Timestamp) -> Table {
    let row = |app: &AppStatus, it: &TaskStatus| {
        [
            task_name(&app.name, &it.id),
            state(it).to_owned(),
            it.zone.clone(),
            it.server.clone(),
            it.address.clone(),
            ago(it.created.as_deref(), now),
            format!("deployment {}", it.number),
        ]
    };
    let rows = apps
        .iter()
        .flat_map(|app| app.tasks.iter().map(move |it| row(app, it)));
    status_view::tasks(rows)
}

/// A task's state in the words of the local target.
fn state(task: &TaskStatus) -> &'static str {
    match (task.status.as_str(), task.health) {
        ("RUNNING", TaskHealth::Unhealthy) => "unhealthy",
        ("RUNNING", _) => "ready",
        ("DEACTIVATING" | "STOPPING" | "DEPROVISIONING", _) => "draining",
        ("STOPPED", _) => "failed",
        ("PROVISIONING", _) => "waiting",
        _ => "starting",
    }
}

fn failures(apps: &[AppStatus], now: Timestamp) -> Table {
    let rows = apps.iter().flat_map(|app| {
        let newest = app.failed.iter().take(SHOWN_FAILURES);
        newest.map(|it| {
            let stopped = ago(it.stopped.as_deref(), now);
            vec![task_name(&app.name, &it.id), stopped, it.reason.clone()]
        })
    });
    table::table("Failed tasks", &["Task", "Stopped", "Why"], rows.collect())
}

fn servers(overview: &Overview) -> Table {
    let rows = overview.servers.iter().map(|it| {
        let state = match (it.status.as_str(), it.is_connected) {
            ("ACTIVE", true) => "ready",
            ("DRAINING", _) => "draining",
            (_, false) => "agent not connected",
            (_, true) => "starting",
        };
        let share = |free: u32, total: u32| format!("{free} of {total}");
        vec![
            it.id.clone(),
            state.to_owned(),
            it.cluster.clone(),
            it.zone.clone(),
            it.instance_type.clone(),
            it.tasks.to_string(),
            share(it.cpu.free, it.cpu.total),
            share(it.memory.free, it.memory.total),
        ]
    });
    let columns = [
        "App Server",
        "State",
        "Cluster",
        "Zone",
        "Type",
        "Tasks",
        "CPU units free",
        "MiB free",
    ];
    table::table("App Servers", &columns, rows.collect())
}

fn database(overview: &Overview) -> Table {
    let members = overview.database.iter().flat_map(|it| &it.members);
    let rows = members.map(|it| {
        let role = if it.is_writer { "writer" } else { "reader" };
        vec![
            it.name.clone(),
            role.to_owned(),
            it.status.clone(),
            it.zone.clone(),
            it.class.clone(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let title = overview.database.as_ref().map_or_else(String::new, |it| {
        format!("Database {}: {} ({})", it.name, it.status, it.engine)
    });
    table::table(&title, &["Member", "Role", "State", "Zone", "Class"], rows)
}

fn stacks(overview: &Overview) -> Table {
    let rows = overview.stacks.iter();
    let rows = rows.map(|it| vec![it.name.clone(), it.status.clone(), it.reason.clone()]);
    table::table("Stacks", &["Stack", "Status", "Why"], rows.collect())
}

fn ago(time: Option<&str>, now: Timestamp) -> String {
    let time = time.and_then(|it| it.parse::<Timestamp>().ok());
    time.map_or_else(String::new, |time| relative(time, now))
}

#[cfg(test)]
mod tests {
    use mck_environment::EnvironmentFile;

    use super::*;
    use crate::session::plan;

    #[test]
    fn what_is_not_there_yet_says_how_to_make_it() {
        let text = b"project = \"shop\"\n[app.shop]\npreset = \"magento2\"\nsource = \"src\"\n\
            routing.hosts = [\"www.example.com\"]\n[environment.production]\n";
        let file = EnvironmentFile::parse("magecloudkit.toml", text).expect("it is right");
        let environment = file.environment("production").expect("it is there");
        let blueprint = plan(&environment).expect("it can be planned");
        let overview = Overview {
            apps: vec![AppStatus {
                name: "shop".to_owned(),
                cluster: "shop-production-app".to_owned(),
                is_deployed: false,
                release: None,
                desired: 0,
                running: 0,
                pending: 0,
                healthy: 0,
                is_settled: true,
                latest: None,
                deployments: Vec::new(),
                tasks: Vec::new(),
                failed: Vec::new(),
            }],
            servers: Vec::new(),
            database: None,
            stacks: vec![mck_aws::StackStatus {
                name: "shop-production-network".to_owned(),
                status: "CREATE_COMPLETE".to_owned(),
                reason: String::new(),
            }],
        };
        assert!(!is_nothing(&overview));
        let now = Timestamp::UNIX_EPOCH;
        insta::assert_snapshot!(render(&blueprint, &overview, Style::new(false), None, now));
    }
}
