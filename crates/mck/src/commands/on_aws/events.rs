//! `mck events` of an environment on AWS: what ECS and CloudFormation say.

use std::{collections::HashSet, time::Duration};

use mck_aws::{Happening, Severity};
use mck_aws_stacks::located::{self, LocatedApp};
use mck_local::{
    events::{Event, Level},
    wait,
};

use super::connect;
use crate::{cli::EventsOptions, commands::events::print, failure::Failure, session::Session};

/// How often AWS is asked when following.
const INTERVAL: Duration = Duration::from_secs(5);

pub fn run(session: &Session<'_>, options: &EventsOptions) -> Result<(), Failure> {
    let on_aws = connect(session)?;
    let blueprint = &on_aws.blueprint;
    let apps = blueprint
        .apps
        .iter()
        .map(|app| LocatedApp::of(blueprint, app));
    let apps: Vec<LocatedApp> = apps.collect();
    let stacks = located::own_stacks(blueprint);
    let printer = session.printer;
    let mut seen: HashSet<String> = HashSet::new();
    loop {
        let all = on_aws
            .account
            .happenings(&blueprint.region, &apps, &stacks)?;
        for happening in all {
            if seen.insert(format!("{} {}", happening.subject, happening.id))
                && let Some(event) = event(happening)
            {
                print(printer, &event, options);
            }
        }
        if !options.follow {
            if seen.is_empty() && !options.json {
                printer.note("Nothing has happened yet.");
            }
            return Ok(());
        }
        if printer.is_closed() {
            return Ok(());
        }
        wait::pause(INTERVAL);
    }
}

fn event(happening: Happening) -> Option<Event> {
    Some(Event {
        time: happening.time.parse().ok()?,
        subject: happening.subject,
        message: happening.message,
        level: match happening.severity {
            Severity::Info => Level::Info,
            Severity::Warning => Level::Warning,
            Severity::Error => Level::Error,
        },
    })
}
