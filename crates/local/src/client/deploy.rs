//! Deployments, asked for.

use super::{
    ClientError,
    socket::{ask, unexpected},
};
use crate::{
    layout::Layout,
    supervisor::{
        control::{Answer, Request, Scaled},
        deployment::Begun,
    },
};

/// Asks for a deployment of an app: of the release with that id, or of one made of its source.
/// Answers when it has begun, or when there is nothing to do.
///
/// # Errors
/// When the environment does not run, or there is no such app or release.
pub fn deploy(
    layout: &Layout,
    app: &str,
    release: Option<&str>,
    by: &str,
) -> Result<Begun, ClientError> {
    begun(
        layout,
        &Request::Deploy {
            app: app.to_owned(),
            release: release.map(str::to_owned),
            by: by.to_owned(),
        },
    )
}

/// Asks to go back to the deployment before.
///
/// # Errors
/// When the environment does not run, or there is nothing to go back to.
pub fn roll_back(layout: &Layout, app: &str, by: &str) -> Result<Begun, ClientError> {
    begun(
        layout,
        &Request::RollBack {
            app: app.to_owned(),
            by: by.to_owned(),
        },
    )
}

/// Asks to stop the deployment in progress and go back.
///
/// # Errors
/// When the environment does not run, or no deployment is in progress.
pub fn stop_deployment(layout: &Layout, app: &str, by: &str) -> Result<Begun, ClientError> {
    begun(
        layout,
        &Request::StopDeployment {
            app: app.to_owned(),
            by: by.to_owned(),
        },
    )
}

fn begun(layout: &Layout, request: &Request) -> Result<Begun, ClientError> {
    match ask(layout, request)?.answer()? {
        Answer::Begun { begun } => Ok(begun),
        _ => Err(unexpected()),
    }
}

/// Asks for another number of an app's tasks or of a cluster's App Servers, within its limits.
///
/// # Errors
/// When the environment does not run, there is no such app or cluster, or the number is beyond its
/// limits.
pub fn scale(layout: &Layout, what: Scaled, count: u32, by: &str) -> Result<(), ClientError> {
    match ask(
        layout,
        &Request::Scale {
            what,
            count,
            by: by.to_owned(),
        },
    )?
    .answer()?
    {
        Answer::Accepted => Ok(()),
        _ => Err(unexpected()),
    }
}
