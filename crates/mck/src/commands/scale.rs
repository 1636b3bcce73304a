//! `mck scale`

use mck_local::{client, supervisor::control::Scaled};

use super::require_root;
use crate::{cli::ScaleOptions, failure::Failure, session::Session, who};

pub fn run(session: &Session<'_>, options: &ScaleOptions) -> Result<(), Failure> {
    require_root()?;
    let layout = session.layout()?;
    let (what, told) = match (&options.cluster, &options.app) {
        (Some(cluster), _) => {
            let told = format!("{} App Servers of cluster {cluster}", options.count);
            (Scaled::Cluster(cluster.clone()), told)
        }
        (None, app) => {
            let app = app.clone().unwrap_or_default();
            let told = format!("{} tasks of {app}", options.count);
            (Scaled::App(app), told)
        }
    };
    client::scale(&layout, what, options.count, &who::asks())?;
    session
        .printer
        .note(format_args!("{told} are wanted from now on."));
    session
        .printer
        .next(&[("mck status --watch", "follows until they are there")]);
    Ok(())
}
