//! `mck scale` of an environment on AWS.

use super::connect;
use crate::{
    cli::ScaleOptions,
    exit::Exit,
    failure::{Failure, unknown},
    session::Session,
};

pub fn run(session: &Session<'_>, options: &ScaleOptions) -> Result<(), Failure> {
    let on_aws = connect(session)?;
    let blueprint = &on_aws.blueprint;
    if let Some(cluster) = &options.cluster {
        let known: Vec<String> = blueprint
            .clusters
            .iter()
            .map(|it| it.name.clone())
            .collect();
        if !known.contains(cluster) {
            return Err(unknown("App Cluster", cluster, &known));
        }
        return Err(servers_follow_tasks(cluster));
    }
    let (app, located) = on_aws.app(options.app.as_deref())?;
    let (count, range) = (options.count, app.tasks);
    if !(range.minimum..=range.maximum).contains(&count) {
        let message = format!(
            "{} may have {} to {} tasks; change `tasks` in the file for others",
            app.name, range.minimum, range.maximum
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let environment = &blueprint.environment;
    let before = on_aws
        .account
        .scale_app(&blueprint.region, &located, count)?;
    let before = before.ok_or_else(|| {
        let message = format!("{} is not deployed yet", app.name);
        let deploy = format!("`mck deploy {} -e {environment}` deploys it", app.name);
        Failure::new(Exit::NotRunning, message).hint(deploy)
    })?;
    let printer = session.printer;
    printer.note(format_args!(
        "{count} tasks of {} are wanted from now on, before it was {before}. Auto scaling goes on from there, between {} and {}.",
        app.name, range.minimum, range.maximum
    ));
    let status = format!("mck status --watch -e {environment}");
    printer.next(&[(&status, "follows until they are there")]);
    Ok(())
}

/// The capacity provider's managed scaling brings the group to what the tasks need, whatever somebody
/// sets it to.
fn servers_follow_tasks(cluster: &str) -> Failure {
    let message =
        format!("the App Servers of {cluster} follow the tasks: ECS adds and removes them");
    Failure::new(Exit::Usage, message)
        .hint("`mck scale APP N` sets the number of tasks")
        .hint(format!(
            "`servers` of `[cluster.{cluster}]` in the file says how many there may be"
        ))
}
