//! `mck scale`

use mck_local::{client, supervisor::control::Scaled};

use super::{choose_app, on_aws, require_root};
use crate::{
    cli::ScaleOptions,
    failure::{Failure, unknown},
    session::Session,
    who,
};

pub fn run(session: &Session<'_>, options: &ScaleOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::scale::run(session, options);
    }
    require_root()?;
    let local = session.applied()?;
    let (what, told) = match &options.cluster {
        Some(cluster) => {
            let clusters = local.blueprint.clusters.iter();
            let known: Vec<String> = clusters.map(|it| it.name.clone()).collect();
            if !known.contains(cluster) {
                return Err(unknown("App Cluster", cluster, &known));
            }
            let told = format!("{} App Servers of cluster {cluster}", options.count);
            (Scaled::Cluster(cluster.clone()), told)
        }
        None => {
            let app = choose_app(&local.blueprint, options.app.as_deref())?;
            let told = format!("{} tasks of {app}", options.count);
            (Scaled::App(app), told)
        }
    };
    client::scale(&local.layout, what, options.count, &who::asks())?;
    session
        .printer
        .note(format_args!("{told} are wanted from now on."));
    session
        .printer
        .next(&[("mck status --watch", "follows until they are there")]);
    Ok(())
}
