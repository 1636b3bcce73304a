//! `mck releases` of an environment on AWS.

use std::time::SystemTime;

use jiff::Timestamp;
use mck_aws::{DeployedApp, PushedRelease, ReleaseState, Use, UseOutcome};
use mck_blueprint::views::Table;
use serde::Serialize;

use super::connect;
use crate::{
    cli::ReleasesOptions,
    commands::release_table::{self, Row},
    exit::Exit,
    failure::Failure,
    session::Session,
    table,
    time::relative,
    who,
};

/// The releases of an app.
#[derive(Debug, Serialize)]
struct AppReleases {
    app: String,
    releases: Vec<Told>,
}

/// A release.
#[derive(Debug, Serialize)]
struct Told {
    id: String,
    pushed: Option<Timestamp>,
    bytes: u64,
    state: &'static str,
    deployments: Vec<ToldUse>,
}

/// A deployment of a release.
#[derive(Debug, Serialize)]
struct ToldUse {
    number: u64,
    by: String,
    started: Option<Timestamp>,
    outcome: &'static str,
}

pub fn run(session: &Session<'_>, options: &ReleasesOptions) -> Result<(), Failure> {
    let on_aws = connect(session)?;
    let mut all = Vec::new();
    let apps = match &options.app {
        Some(name) => vec![on_aws.app(Some(name))?.0],
        None => on_aws.blueprint.apps.iter().collect(),
    };
    for app in apps {
        let deployed = DeployedApp::of(&on_aws.blueprint, app, who::asks());
        let releases = on_aws.account.releases(&deployed);
        let releases = releases.map_err(|error| match error {
            mck_aws::DeployError::Aws(error) => error.into(),
            error => Failure::from_error(Exit::Internal, &error),
        })?;
        all.push(AppReleases {
            app: app.name.clone(),
            releases: releases.iter().map(told).collect(),
        });
    }
    let printer = session.printer;
    if options.json {
        printer.json(&all);
        return Ok(());
    }
    let build = format!("mck build -e {}", session.environment_name());
    let next = [(build.as_str(), "makes one")];
    release_table::show(printer, &table(&all, Timestamp::now()), &next);
    Ok(())
}

fn told(release: &PushedRelease) -> Told {
    Told {
        id: release.id.clone(),
        pushed: release.pushed.and_then(timestamp),
        bytes: release.bytes,
        state: word(release.state),
        deployments: release.deployments.iter().map(told_use).collect(),
    }
}

fn told_use(of: &Use) -> ToldUse {
    ToldUse {
        number: of.number,
        by: of.by.clone(),
        started: timestamp(of.started),
        outcome: match of.outcome {
            UseOutcome::InProgress => "in-progress",
            UseOutcome::Completed => "completed",
            UseOutcome::NotCompleted => "not-completed",
        },
    }
}

fn timestamp(time: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(time).ok()
}

const fn word(state: ReleaseState) -> &'static str {
    match state {
        ReleaseState::Deploying => "deploying",
        ReleaseState::Serving => "serving",
        ReleaseState::Previous => "previous",
        ReleaseState::Available => "available",
    }
}

fn table(all: &[AppReleases], now: Timestamp) -> Table {
    let rows = all.iter().flat_map(|of| {
        of.releases.iter().map(move |it| Row {
            app: of.app.clone(),
            release: it.id.clone(),
            details: [
                it.pushed
                    .map_or_else(String::new, |pushed| relative(pushed, now)),
                it.pushed
                    .map_or_else(|| "gone".to_owned(), |_| table::size(it.bytes)),
            ],
            state: it.state,
            deployments: it.deployments.iter().map(tell).collect(),
        })
    });
    release_table::table(["Pushed", "Size"], rows)
}

/// A deployment in a few words.
fn tell(it: &ToldUse) -> String {
    let outcome = match it.outcome {
        "in-progress" => "in progress",
        "not-completed" => "not completed",
        _ => "",
    };
    release_table::deployment(it.number, &it.by, outcome)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::style::Style;

    #[test]
    fn each_release_has_a_row_with_its_deployments() {
        let at = |minutes: u64| {
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 - minutes * 60)
        };
        let used = |number: u64, outcome| Use {
            number,
            by: "ann@laptop".to_owned(),
            started: at(number),
            outcome,
        };
        let release = |id: &str, pushed, state, deployments| PushedRelease {
            id: id.to_owned(),
            pushed,
            bytes: 180_000_000,
            state,
            deployments,
        };
        let releases = [
            release("cccccccccccc", Some(at(1)), ReleaseState::Available, vec![]),
            release(
                "bbbbbbbbbbbb",
                Some(at(5)),
                ReleaseState::Serving,
                vec![
                    used(4, UseOutcome::NotCompleted),
                    used(5, UseOutcome::Completed),
                ],
            ),
            release(
                "aaaaaaaaaaaa",
                None,
                ReleaseState::Previous,
                vec![used(3, UseOutcome::Completed)],
            ),
        ];
        let all = [AppReleases {
            app: "shop".to_owned(),
            releases: releases.iter().map(told).collect(),
        }];
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let table = table(&all, now);
        insta::assert_snapshot!(table::render(&table, Style::new(false), None));
    }
}
