//! `mck status`

use jiff::Timestamp;
use mck_blueprint::views::Table;
use mck_local::{
    client,
    supervisor::{
        deployment::{Deployment, DeploymentState},
        snapshot::{AppStatus, Snapshot, State},
    },
};

use super::{on_aws, require_root, status_view};
use crate::{
    cli::StatusOptions,
    failure::Failure,
    interrupt::Interrupt,
    progress::{screen::Screen, state_word, watch::watch},
    session::Session,
    style::Style,
    table,
    time::{elapsed, relative},
};

pub fn run(session: &Session<'_>, options: &StatusOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::status::run(session, options);
    }
    require_root()?;
    let layout = session.layout()?;
    let printer = session.printer;
    if !options.watch {
        let snapshot = client::snapshot(&layout)?;
        let now = Timestamp::now();
        status_view::once(printer, &snapshot, options.json, |style, width| {
            render(&snapshot, style, width, now)
        });
        return Ok(());
    }
    let interrupt = Interrupt::listen()?;
    let mut screen = Screen::default();
    let mut last = None;
    watch(&layout, &interrupt, &mut |snapshot| {
        if last.as_ref() != Some(snapshot) {
            let now = Timestamp::now();
            status_view::again(
                printer,
                &mut screen,
                snapshot,
                options.json,
                |style, width| render(snapshot, style, width, now),
            );
            last = Some(snapshot.clone());
        }
        printer.is_closed()
    })
}

/// The beginning of a revision: all of it is in `--json` and in `/REVISION.txt`.
pub fn short_revision(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}

/// A snapshot as tables.
fn render(snapshot: &Snapshot, style: Style, width: Option<usize>, now: Timestamp) -> String {
    let state = match (&snapshot.problem, snapshot.settled) {
        (Some(problem), _) => style.red(format_args!(
            "failing: {}: {}",
            problem.subject,
            problem.message.replace('\n', " ")
        )),
        (None, true) => style.green("up"),
        (None, false) => style.yellow("changing"),
    };
    let tables = [
        apps(&snapshot.apps),
        deployments(&snapshot.apps, now),
        tasks(&snapshot.apps, now),
        jobs(&snapshot.apps, now),
        components(snapshot),
    ];
    let name = (snapshot.project.as_str(), snapshot.environment.as_str());
    status_view::page(name, &state.to_string(), &tables, style, width)
}

fn apps(apps: &[AppStatus]) -> Table {
    let row = |app: &AppStatus| {
        [
            app.name.clone(),
            status_view::healthy(app.healthy, app.desired),
            app.revision
                .as_deref()
                .map_or("", short_revision)
                .to_owned(),
            app.urls.join(" "),
        ]
    };
    status_view::apps("Revision", apps.iter().map(row))
}

/// How many deployments of an app are shown; all that are kept are in `--json`.
const SHOWN_DEPLOYMENTS: usize = 5;

fn deployments(apps: &[AppStatus], now: Timestamp) -> Table {
    let rows = apps.iter().flat_map(|app| {
        let newest = app.deployments.iter().rev().take(SHOWN_DEPLOYMENTS);
        newest.map(|deployment| {
            let release = deployment.release.as_ref();
            vec![
                app.name.clone(),
                deployment.number.to_string(),
                release.map_or_else(String::new, |it| it.id.clone()),
                deployment.by.clone(),
                relative(deployment.started, now),
                took(deployment, now),
                deployment_word(&deployment.state),
            ]
        })
    });
    let columns = ["App", "No.", "Release", "By", "Began", "Took", "State"];
    table::table("Deployments", &columns, rows.collect())
}

fn took(deployment: &Deployment, now: Timestamp) -> String {
    let end = deployment.ended.unwrap_or(now);
    let length = std::time::Duration::try_from(end.duration_since(deployment.started));
    length.map_or_else(|_| String::new(), elapsed)
}

fn deployment_word(state: &DeploymentState) -> String {
    let with = |word: &str, reason: &str| format!("{word}: {}", without_words(reason));
    match state {
        DeploymentState::InProgress => "in progress".to_owned(),
        DeploymentState::Completed => "completed".to_owned(),
        DeploymentState::RolledBack(reason) => with("rolled back", reason),
        DeploymentState::Failed(reason) => with("failed", reason),
        DeploymentState::Superseded => "superseded".to_owned(),
    }
}

/// A reason without a container's last words: those are in `mck events` and `--json`.
pub fn without_words(reason: &str) -> String {
    let beginning = match reason.find("last words: ") {
        Some(at) => reason[..at]
            .rsplit_once("; ")
            .map_or("", |(before, _)| before),
        None => reason,
    };
    beginning.replace('\n', " ")
}

fn tasks(apps: &[AppStatus], now: Timestamp) -> Table {
    let rows = apps.iter().flat_map(|app| &app.tasks).map(|task| {
        let detail = match (&task.purpose, &task.detail) {
            (Some(purpose), Some(detail)) => format!("{purpose}: {detail}"),
            (Some(text), None) | (None, Some(text)) => text.clone(),
            (None, None) => String::new(),
        };
        [
            task.id.clone(),
            state_word(task.state).to_owned(),
            task.zone.clone(),
            task.server.clone(),
            task.address.to_string(),
            relative(task.created, now),
            detail,
        ]
    });
    status_view::tasks(rows)
}

fn jobs(apps: &[AppStatus], now: Timestamp) -> Table {
    let rows = apps
        .iter()
        .flat_map(|app| app.jobs.iter().map(move |job| (app, job)))
        .map(|(app, job)| {
            let when = |time: Option<Timestamp>| {
                time.map_or("never".to_owned(), |time| relative(time, now))
            };
            let result = match (job.last_started, job.last_ended, job.last_exit_code) {
                (None, ..) => String::new(),
                (Some(_), None, _) => "running".to_owned(),
                (Some(_), Some(_), Some(0)) => "done".to_owned(),
                (Some(_), Some(_), Some(code)) => format!("failed with exit code {code}"),
                (Some(_), Some(_), None) => "ended; how is not known".to_owned(),
            };
            vec![
                app.name.clone(),
                job.name.clone(),
                job.schedule.clone(),
                when(job.last_started),
                result,
                job.next
                    .map_or_else(String::new, |next| relative(next, now)),
            ]
        });
    let columns = ["App", "Job", "Schedule", "Last run", "Result", "Next run"];
    table::table("Scheduled jobs", &columns, rows.collect())
}

fn components(snapshot: &Snapshot) -> Table {
    let rows = snapshot.components.iter().map(|component| {
        let restarts = match component.restarts {
            0 => String::new(),
            count => count.to_string(),
        };
        let what = match (&component.detail, component.state) {
            (Some(detail), state) if state != State::Ready => detail.clone(),
            _ => component.description.clone(),
        };
        vec![
            component.name.clone(),
            state_word(component.state).to_owned(),
            component.zone.clone().unwrap_or_default(),
            component
                .address
                .map(|address| address.to_string())
                .unwrap_or_default(),
            restarts,
            what,
        ]
    });
    let columns = ["Component", "State", "Zone", "Address", "Restarts", "What"];
    table::table("Components", &columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::example::snapshot;

    #[test]
    fn an_environment_is_shown_without_colour_and_without_a_width() {
        let now = Timestamp::from_second(1_800_000_300).unwrap();
        insta::assert_snapshot!(render(&snapshot(), Style::new(false), None, now));
    }

    #[test]
    fn the_newest_deployments_are_shown_with_what_became_of_them() {
        use crate::progress::deployment::example::{deployment, in_progress};
        let mut snapshot = in_progress();
        let why = "2 tasks failed in a row; the last one: answers 500; php-fpm's last words: a";
        let why = why.to_owned();
        let deployments = &mut snapshot.apps[0].deployments;
        deployments.push(deployment(3, "bad", DeploymentState::RolledBack(why)));
        deployments.extend((4..8).map(|it| deployment(it, "old", DeploymentState::Completed)));
        let now = Timestamp::from_second(1_800_000_300).unwrap();
        let table = deployments_of(&snapshot, now);
        assert!(!table.contains(" 2  "), "{table}");
        insta::assert_snapshot!(table);
    }

    fn deployments_of(snapshot: &Snapshot, now: Timestamp) -> String {
        table::render(&deployments(&snapshot.apps, now), Style::new(false), None)
    }

    #[test]
    fn it_fits_a_narrow_terminal() {
        let now = Timestamp::from_second(1_800_000_300).unwrap();
        let text = render(&snapshot(), Style::new(false), Some(100), now);
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(100), "{text}");
    }
}
