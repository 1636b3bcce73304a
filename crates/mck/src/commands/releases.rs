//! `mck releases`

use jiff::Timestamp;
use mck_blueprint::views::Table;
use mck_local::{
    client::{self, KeptRelease, ReleaseState, Use},
    supervisor::deployment::DeploymentState,
};
use serde::Serialize;

use super::{
    choose_app, on_aws,
    release_table::{self, Row},
    require_root,
    status::short_revision,
};
use crate::{cli::ReleasesOptions, failure::Failure, session::Session, time::relative};

/// The releases of an app.
#[derive(Debug, Serialize)]
struct AppReleases {
    app: String,
    releases: Vec<KeptRelease>,
}

pub fn run(session: &Session<'_>, options: &ReleasesOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::releases::run(session, options);
    }
    require_root()?;
    let local = session.applied_or_planned()?;
    let names = match &options.app {
        Some(name) => vec![choose_app(&local.blueprint, Some(name))?],
        None => local
            .blueprint
            .apps
            .iter()
            .map(|app| app.name.clone())
            .collect(),
    };
    let mut all = Vec::new();
    for app in names {
        let releases = client::releases(&local.layout, &app)?;
        all.push(AppReleases { app, releases });
    }
    let printer = session.printer;
    if options.json {
        printer.json(&all);
        return Ok(());
    }
    let next = [
        ("mck build", "makes one"),
        ("mck up", "makes one and runs it"),
    ];
    release_table::show(printer, &table(&all, Timestamp::now()), &next);
    Ok(())
}

fn table(all: &[AppReleases], now: Timestamp) -> Table {
    let rows = all.iter().flat_map(|of| {
        of.releases.iter().map(move |kept| Row {
            app: of.app.clone(),
            release: kept.release.id.clone(),
            details: [
                short_revision(&kept.release.revision).to_owned(),
                kept.made
                    .map_or_else(String::new, |made| relative(made, now)),
            ],
            state: word(kept.state),
            deployments: kept.deployments.iter().map(tell).collect(),
        })
    });
    release_table::table(["Revision", "Made"], rows)
}

const fn word(state: ReleaseState) -> &'static str {
    match state {
        ReleaseState::Deploying => "deploying",
        ReleaseState::Serving => "serving",
        ReleaseState::Previous => "previous",
        ReleaseState::Available => "available",
    }
}

/// A deployment in a few words.
fn tell(it: &Use) -> String {
    let outcome = match it.outcome {
        DeploymentState::InProgress => "in progress",
        DeploymentState::Completed => "",
        DeploymentState::RolledBack(_) => "rolled back",
        DeploymentState::Failed(_) => "failed",
        DeploymentState::Superseded => "superseded",
    };
    release_table::deployment(it.number, &it.by, outcome)
}

#[cfg(test)]
mod tests {
    use mck_local::release::Release;

    use super::*;
    use crate::{style::Style, table};

    #[test]
    fn each_release_has_a_row_with_its_deployments() {
        let used = |number, outcome| Use {
            number,
            by: "ann@host".to_owned(),
            started: Timestamp::UNIX_EPOCH,
            outcome,
        };
        let kept = |id: &str, minutes: i64, state, deployments| KeptRelease {
            release: Release {
                id: id.to_owned(),
                revision: format!("{id}{id}"),
            },
            path: "/releases".into(),
            made: Timestamp::from_second(1_800_000_000 - minutes * 60).ok(),
            state,
            deployments,
        };
        let failed = DeploymentState::RolledBack("broken".to_owned());
        let all = AppReleases {
            app: "shop".to_owned(),
            releases: vec![
                kept(
                    "cccccccccccc",
                    1,
                    ReleaseState::Available,
                    vec![used(3, failed)],
                ),
                kept(
                    "bbbbbbbbbbbb",
                    5,
                    ReleaseState::Serving,
                    vec![
                        used(2, DeploymentState::Completed),
                        used(4, DeploymentState::Completed),
                    ],
                ),
                kept(
                    "aaaaaaaaaaaa",
                    90,
                    ReleaseState::Previous,
                    vec![used(1, DeploymentState::Completed)],
                ),
            ],
        };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        insta::assert_snapshot!(table::render(&table(&[all], now), Style::new(false), None));
    }
}
