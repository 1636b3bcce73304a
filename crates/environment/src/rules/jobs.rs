//! Scheduled jobs.

use super::{Rules, containers};
use crate::{
    schedule,
    settings::{App, Job},
    units::Duration,
};

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    for (name, app) in &settings.app {
        for (job, described) in &app.job {
            one(rules, app, &["app", name, "job", job], described);
        }
    }
}

fn one(rules: &mut Rules<'_>, app: &App, path: &[&str], job: &Job) {
    let at = |key| [path, &[key]].concat();
    let name = path.last().copied().unwrap_or_default();
    if job.schedule.is_empty() && job.enabled {
        let message = format!("Job `{name}` has no schedule.");
        let help = "Such as `rate(5 minutes)` or `cron(0 3 * * ? *)`, in UTC.";
        rules.wrong("missing_schedule", &at("schedule"), message, help);
    } else if rules.is_written(&at("schedule"))
        && let Err(error) = schedule::check(&job.schedule)
    {
        let message = format!("The schedule of job `{name}` can't be read: {error}.");
        let help = "Such as `rate(5 minutes)` or `cron(0 3 * * ? *)`, in UTC.";
        rules.wrong("bad_schedule", &at("schedule"), message, help);
    }
    if (job.enabled || rules.is_written(&at("command")))
        && job.command.first().is_none_or(String::is_empty)
    {
        let message = format!("Job `{name}` has no command.");
        let help = "Name the program and its arguments, such as [\"bin/magento\", \"cron:run\"].";
        let written = rules.is_written(&at("command"));
        let code = if written {
            "empty_command"
        } else {
            "missing_command"
        };
        rules.wrong(code, &at("command"), message, help);
    }
    if let Some(container) = &job.container {
        containers::known(rules, app, &at("container"), container);
    }
    if let Some(timeout) = job.timeout {
        let limits = (Duration::from_secs(1), Duration::from_days(1));
        rules.within(&at("timeout"), timeout, limits, "A job");
    }
}
