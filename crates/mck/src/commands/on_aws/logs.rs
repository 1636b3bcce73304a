//! `mck logs` of an environment on AWS: CloudWatch Logs.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use mck_aws::LogEvent;
use mck_blueprint::Blueprint;
use mck_local::wait;

use super::{
    connect,
    tasks::{is_meant, parts, task_name},
};
use crate::{
    cli::LogsOptions,
    commands::logs::{Line, print},
    exit::Exit,
    failure::{Failure, unknown},
    session::Session,
};

/// How often CloudWatch Logs is asked when following.
const INTERVAL: Duration = Duration::from_secs(1);
/// Where a look begins if nobody says.
const RECENT: Duration = Duration::from_secs(10 * 60);

pub fn run(session: &Session<'_>, options: &LogsOptions) -> Result<(), Failure> {
    let on_aws = connect(session)?;
    let blueprint = &on_aws.blueprint;
    let selection = Selection::new(blueprint, options.what.as_deref())?;
    let since = SystemTime::now().checked_sub(options.since.unwrap_or(RECENT));
    let since = since.ok_or_else(|| Failure::new(Exit::Usage, "that is too long ago"))?;
    let groups = selection.sources.iter().map(|it| it.group.clone());
    let mut reader = on_aws.account.logs(&blueprint.region, groups, since);
    let printer = session.printer;
    let mut count = 0_usize;
    while !printer.is_closed() {
        match reader.read_new()? {
            Some(events) => {
                for line in events.into_iter().filter_map(|it| selection.line(it)) {
                    count += 1;
                    print(printer, &line, options.json);
                }
            }
            None if options.follow => wait::pause(INTERVAL),
            None => break,
        }
    }
    if count == 0 && !options.follow && !options.json {
        if reader.has_no_group() {
            let environment = &blueprint.environment;
            printer.note(format_args!(
                "There are no logs yet: `mck apply -e {environment}` makes what writes them."
            ));
        } else if options.since.is_none() {
            printer
                .note("Nothing was written in the last 10 min; `--since 1d` looks further back.");
        } else {
            printer.note("Nothing was written in that time.");
        }
    }
    Ok(())
}

/// A log group, and what writes to it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    group: String,
    /// The app; else the server or data store's name.
    name: String,
    is_app: bool,
}

/// Which lines are meant.
#[derive(Debug)]
struct Selection {
    sources: Vec<Source>,
    /// A task, and maybe one of its containers.
    task: Option<String>,
}

impl Selection {
    /// All apps; an app, or a server or data store by its log group; else a task of any app.
    fn new(blueprint: &Blueprint, what: Option<&str>) -> Result<Self, Failure> {
        let all = sources(blueprint);
        let apps = || all.iter().filter(|it| it.is_app).cloned().collect();
        let Some(what) = what else {
            return Ok(Self {
                sources: apps(),
                task: None,
            });
        };
        let exact = all.iter().filter(|it| it.name == what);
        if let Some(source) = exact.max_by_key(|it| it.is_app) {
            return Ok(Self {
                sources: vec![source.clone()],
                task: None,
            });
        }
        let (task, _) = parts(what);
        let of_app = |it: &&Source| {
            let id = task
                .strip_prefix(it.name.as_str())
                .and_then(|it| it.strip_prefix('-'));
            it.is_app && id.is_some_and(is_id)
        };
        let sources: Vec<Source> = match all.iter().find(of_app) {
            Some(source) => vec![source.clone()],
            None if is_id(task) => apps(),
            None => {
                let known: Vec<String> = all.iter().map(|it| it.name.clone()).collect();
                return Err(unknown("app, task or server", what, &known));
            }
        };
        Ok(Self {
            sources,
            task: Some(what.to_owned()),
        })
    }

    /// A line, if it is meant. CloudWatch Logs does not keep which of a container's two streams it was
    /// written to.
    fn line(&self, event: LogEvent) -> Option<Line> {
        let source = self.sources.iter().find(|it| it.group == event.group)?;
        let container = if source.is_app {
            let mut words = event.stream.rsplit('/');
            let (id, container) = (words.next()?, words.next()?);
            if let Some(what) = &self.task {
                let (task, wanted) = parts(what);
                let is_wanted = wanted.is_none_or(|it| it == container);
                if !is_wanted || !is_meant(&source.name, id, task) {
                    return None;
                }
            }
            format!("{}.{container}", task_name(&source.name, id))
        } else {
            format!("{}.{}", source.name, event.stream)
        };
        Some(Line {
            time: Timestamp::try_from(event.time).ok()?,
            container,
            stream: String::new(),
            text: event.text,
        })
    }
}

/// Whether it looks like a task's id of ECS's, or its beginning.
fn is_id(text: &str) -> bool {
    text.len() >= 8 && text.bytes().all(|one| one.is_ascii_hexdigit())
}

/// What writes logs: apps by their names, all else by the end of its log group's name.
fn sources(blueprint: &Blueprint) -> Vec<Source> {
    let own = format!("/{}/{}/", blueprint.project, blueprint.environment);
    let groups = blueprint.log_groups.iter().map(|group| {
        let app = blueprint
            .apps
            .iter()
            .find(|app| app.log_group == group.name);
        let rest = group
            .name
            .split_once(&own)
            .map_or(group.name.as_str(), |(_, rest)| rest);
        Source {
            group: group.name.clone(),
            name: app.map_or(rest, |app| &app.name).to_owned(),
            is_app: app.is_some(),
        }
    });
    groups.collect()
}
