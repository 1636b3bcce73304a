//! Drills that take something away.

use mck_blueprint::Blueprint;
use mck_local::{
    client::{self, ClientError},
    layout::Layout,
    supervisor::{record::Record, snapshot::State},
};

use super::{
    scene::{Restore, Scene, Stage},
    settle::settle,
};
use crate::{exit::Exit, failure::Failure};

/// The cluster that keeps sessions.
const SESSIONS: &str = "redis-session";

/// One of the app's tasks is killed.
pub fn task<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    let (layout, app) = place(stage);
    let (task, _) = serving_task(stage)?;
    Ok(Scene {
        app,
        description: format!("kill the processes of task {task}"),
        inject: Box::new(move || {
            client::kill_task(layout, &task)?;
            Ok(vec![format!("Killed the processes of task {task}")])
        }),
        restore: heals(layout, app),
    })
}

/// The App Server of one of the app's tasks is lost.
pub fn server<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    let (layout, app) = place(stage);
    let (_, server) = serving_task(stage)?;
    let lost = server.clone();
    Ok(Scene {
        app,
        description: format!("take the App Server {server} away with its tasks"),
        inject: Box::new(move || {
            client::lose_server(layout, &server)?;
            Ok(vec![format!("Took {server} away")])
        }),
        restore: Box::new(move || {
            let is_lost = |record: &Record| record.lost_servers.contains(&lost);
            give_back(layout, app, &lost, is_lost, || {
                client::restore_server(layout, &lost)
            })
        }),
    })
}

/// The zone of the database's writer is lost: no other loses more.
pub fn zone<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    let (layout, app) = place(stage);
    let writer = writer_name(&stage.local.blueprint, &record(layout)?)?;
    let nodes = stage.local.blueprint.nodes();
    let zone = nodes.into_iter().find(|node| node.name == writer);
    let zone = zone.map(|node| node.zone.clone()).ok_or_else(no_database)?;
    let lost = zone.clone();
    Ok(Scene {
        app,
        description: format!("take the zone {zone} away, with the database's writer {writer}"),
        inject: Box::new(move || {
            client::lose_zone(layout, &zone)?;
            Ok(vec![format!("Took {zone} away")])
        }),
        restore: Box::new(move || {
            let is_lost = |record: &Record| record.lost_zones.contains(&lost);
            give_back(layout, app, &lost, is_lost, || {
                client::restore_zone(layout, &lost)
            })
        }),
    })
}

/// A node of the load balancer is killed; there must be another.
pub fn balancer<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    let (layout, app) = place(stage);
    let nodes = &stage.local.blueprint.load_balancer.nodes;
    let [first, _, ..] = nodes.as_slice() else {
        return Err(Failure::new(
            Exit::Usage,
            "the load balancer has no second node to go on with",
        ));
    };
    let name = first.name.clone();
    Ok(Scene {
        app,
        description: format!("kill the load-balancer node {name}"),
        inject: Box::new(move || {
            client::kill_node(layout, &name)?;
            Ok(vec![format!("Killed {name}")])
        }),
        restore: heals(layout, app),
    })
}

/// The database's writer is killed.
pub fn writer<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    let (layout, app) = place(stage);
    let blueprint = &stage.local.blueprint;
    let name = writer_name(blueprint, &record(layout)?)?;
    Ok(Scene {
        app,
        description: format!("kill the database's writer {name}"),
        inject: Box::new(move || {
            client::kill_node(layout, &name)?;
            Ok(vec![format!("Killed {name}")])
        }),
        restore: heals(layout, app),
    })
}

/// The primary of the session cache is killed.
pub fn session_primary<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    let (layout, app) = place(stage);
    let name = primary_name(&stage.local.blueprint, &record(layout)?)?;
    Ok(Scene {
        app,
        description: format!("kill the primary {name} of the session cache"),
        inject: Box::new(move || {
            client::kill_node(layout, &name)?;
            Ok(vec![format!("Killed {name}")])
        }),
        restore: heals(layout, app),
    })
}

fn place<'a>(stage: &'a Stage<'a>) -> (&'a Layout, &'a str) {
    (&stage.local.layout, stage.app.name.as_str())
}

/// What was killed comes back by itself; that is waited for.
fn heals<'a>(layout: &'a Layout, app: &'a str) -> Restore<'a> {
    Box::new(move || settle(layout, app).map(|()| None))
}

/// Gives back what is lost, which a drill that ended early may not have taken away.
fn give_back(
    layout: &Layout,
    app: &str,
    name: &str,
    is_lost: impl Fn(&Record) -> bool,
    restore: impl FnOnce() -> Result<(), ClientError>,
) -> Result<Option<String>, Failure> {
    if !is_lost(&record(layout)?) {
        return Ok(None);
    }
    restore()?;
    settle(layout, app)?;
    Ok(Some(format!("{name} is back.")))
}

fn record(layout: &Layout) -> Result<Record, Failure> {
    let path = layout.state();
    Record::load(&path).map_err(|error| crate::client_failure::file(&path, &error))
}

/// A task that takes requests, and its App Server.
fn serving_task(stage: &Stage<'_>) -> Result<(String, String), Failure> {
    let snapshot = client::snapshot(&stage.local.layout)?;
    let app = snapshot.apps.iter().find(|app| app.name == stage.app.name);
    let mut tasks = app.into_iter().flat_map(|app| &app.tasks);
    let serving = tasks.find(|task| task.purpose.is_none() && task.state == State::Ready);
    let serving = serving.map(|task| (task.id.clone(), task.server.clone()));
    serving.ok_or_else(|| {
        let message = format!("no task of {} takes requests", stage.app.name);
        Failure::new(Exit::NotHealthy, message).hint("`mck status` shows why")
    })
}

fn writer_name(blueprint: &Blueprint, record: &Record) -> Result<String, Failure> {
    let first = blueprint.database.members.first();
    let first = first.map(|node| node.name.clone());
    record.writer.clone().or(first).ok_or_else(no_database)
}

fn no_database() -> Failure {
    Failure::new(Exit::Usage, "the environment has no database")
}

fn primary_name(blueprint: &Blueprint, record: &Record) -> Result<String, Failure> {
    let cluster = blueprint.redis.iter().find(|it| it.name == SESSIONS);
    let first = cluster.and_then(|cluster| cluster.members.first());
    let first = first.map(|node| node.name.clone());
    let known = record.primaries.get(SESSIONS).cloned();
    known
        .or(first)
        .ok_or_else(|| Failure::new(Exit::Usage, "the environment has no session cache"))
}

#[cfg(test)]
mod tests {
    use mck_environment::EnvironmentFile;

    use super::*;
    use crate::session::plan;

    #[test]
    fn the_writer_and_the_primary_are_those_that_were_recorded_last() {
        let text = "project = \"demo\"\n[app.shop]\npreset = \"storefront\"\nsource = \".\"\n";
        let file = EnvironmentFile::parse("file", text.as_bytes()).unwrap();
        let blueprint = plan(&file.environment("local").unwrap()).unwrap();
        let mut record = Record::default();
        assert_eq!(writer_name(&blueprint, &record).unwrap(), "db-0");
        assert!(
            primary_name(&blueprint, &record)
                .unwrap()
                .starts_with(SESSIONS)
        );
        record.writer = Some("db-1".to_owned());
        record
            .primaries
            .insert(SESSIONS.to_owned(), "other".to_owned());
        assert_eq!(writer_name(&blueprint, &record).unwrap(), "db-1");
        assert_eq!(primary_name(&blueprint, &record).unwrap(), "other");
    }
}
