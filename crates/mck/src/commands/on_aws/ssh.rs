//! `mck ssh` of an environment on AWS: Session Manager, which needs no open port and no key.

use std::process::ExitCode;

use super::{
    OnAws, bastion, connect, plugin,
    status::request,
    tasks::{is_meant, quoted, task_name},
};
use crate::{
    cli::SshOptions,
    failure::{Failure, unknown},
    session::Session,
};

/// What the Bastion is called on the command line.
const BASTION: &str = "bastion";

pub fn run(session: &Session<'_>, options: &SshOptions) -> Result<ExitCode, Failure> {
    let on_aws = connect(session)?;
    plugin::check()?;
    let instance = if options.server == BASTION {
        bastion::instance(&on_aws, "name an App Server; `mck status` lists them")?
    } else {
        app_server(&on_aws, &options.server)?
    };
    let command = (!options.command.is_empty()).then(|| quoted(&options.command));
    let region = &on_aws.blueprint.region;
    let call = on_aws
        .account
        .start_session(region, &instance, command.as_deref())?;
    match plugin::become_plugin(&call)? {}
}

/// An App Server by the id of its instance, or by a task that runs on it.
fn app_server(on_aws: &OnAws, name: &str) -> Result<String, Failure> {
    let overview = on_aws.account.overview(&request(&on_aws.blueprint))?;
    if let Some(server) = overview.servers.iter().find(|it| it.id == name) {
        return Ok(server.id.clone());
    }
    let tasks = || {
        overview
            .apps
            .iter()
            .flat_map(|app| app.tasks.iter().map(move |it| (app, it)))
    };
    let mut placed = tasks().filter(|(_, task)| !task.server.is_empty());
    if let Some((_, task)) = placed.find(|(app, task)| is_meant(&app.name, &task.id, name)) {
        return Ok(task.server.clone());
    }
    let servers = overview.servers.iter().map(|it| it.id.clone());
    let tasks = tasks().map(|(app, task)| task_name(&app.name, &task.id));
    let known: Vec<String> = [BASTION.to_owned()]
        .into_iter()
        .chain(servers)
        .chain(tasks)
        .collect();
    Err(unknown("server or task", name, &known))
}
