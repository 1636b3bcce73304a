//! `mck exec` of an environment on AWS: ECS Exec.

use std::process::ExitCode;

use mck_aws_stacks::located::LocatedApp;
use mck_blueprint::Blueprint;

use super::{
    connect, plugin,
    tasks::{choose, quoted, task_name},
};
use crate::{
    cli::ExecOptions,
    commands::choose_app,
    exit::Exit,
    failure::{Failure, unknown},
    session::Session,
};

pub fn run(session: &Session<'_>, options: &ExecOptions) -> Result<ExitCode, Failure> {
    let on_aws = connect(session)?;
    let blueprint = &on_aws.blueprint;
    let what = match &options.what {
        Some(what) => what.clone(),
        None => choose_app(blueprint, None)?,
    };
    plugin::check()?;
    let mut running = Vec::new();
    for app in &blueprint.apps {
        let located = LocatedApp::of(blueprint, app);
        let found = on_aws
            .account
            .running_containers(&blueprint.region, &located)?;
        running.extend(found.into_iter().map(|it| (app.name.clone(), it)));
    }
    if running.is_empty() {
        let message = format!("no task of {} runs", blueprint.environment);
        let deploy = format!("`mck deploy -e {}` deploys an app", blueprint.environment);
        return Err(Failure::new(Exit::NotRunning, message).hint(deploy));
    }
    let target = choose(&running, &what).ok_or_else(|| {
        let name = |(app, it): &(String, mck_aws::ExecTarget)| {
            format!("{}.{}", task_name(app, &it.task), it.container)
        };
        let known: Vec<String> = running.iter().map(name).collect();
        unknown("running app, task or container", &what, &known)
    })?;
    check_allowed(blueprint, &target.cluster)?;
    let line = quoted(&options.command);
    let call = on_aws
        .account
        .execute_command(&blueprint.region, target, &line)?;
    match plugin::become_plugin(&call)? {}
}

/// ECS would say only that the task was started without ECS Exec.
fn check_allowed(blueprint: &Blueprint, ecs_cluster: &str) -> Result<(), Failure> {
    let mut clusters = blueprint.clusters.iter();
    let of_name = |name: &str| mck_aws_stacks::located::ecs_cluster(blueprint, name);
    match clusters.find(|it| of_name(&it.name) == ecs_cluster) {
        Some(cluster) if !cluster.exec => {
            let message = format!("the file forbids `mck exec` into cluster {}", cluster.name);
            let hint = format!(
                "`exec = true` under `[cluster.{}]` allows it in tasks that start after the next `mck apply`",
                cluster.name
            );
            Err(Failure::new(Exit::Usage, message).hint(hint))
        }
        _ => Ok(()),
    }
}
