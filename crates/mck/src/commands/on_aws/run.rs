//! `mck run` of an environment on AWS: a task of its own.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use mck_aws::{CommandState, DeployError, DeployedApp, LogEvent, StartedCommand, StreamReader};
use mck_blueprint::model::App;
use mck_local::wait;

use super::{
    OnAws, connect,
    tasks::{parts, task_name},
};
use crate::{
    cli::RunOptions, commands::passed_on, exit::Exit, failure::Failure, interrupt::Interrupt,
    printer::Printer, session::Session, who,
};

/// How often the task and its output are looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// For how long nothing new may come after the command's end until its output counts as whole: lines
/// reach CloudWatch Logs some seconds after they were written.
const QUIET: Duration = Duration::from_secs(4);
/// The container that finds the app's configuration with the app's prefix.
const PHP: &str = "php-fpm";

pub fn run(session: &Session<'_>, options: &RunOptions) -> Result<ExitCode, Failure> {
    let on_aws = connect(session)?;
    let (name, container) = options.app.as_deref().map_or((None, None), |what| {
        let (app, container) = parts(what);
        (Some(app), container)
    });
    let (app, _) = on_aws.app(name)?;
    let line = command(app, container, &options.command)?;
    // From now on a task may be there that Ctrl-C must end.
    let interrupt = Interrupt::listen()?;
    let account = &on_aws.account;
    let code = to_end(session.printer, &on_aws, app, &interrupt, |deployed| {
        account.start_command(deployed, &line).map(Some)
    })?;
    Ok(code.map_or(Exit::Ok.into(), passed_on))
}

/// Starts a command of an app in a task and prints what it says until it has ended; gives its exit
/// code, or none where there was nothing to start.
pub(super) fn to_end(
    printer: &Printer,
    on_aws: &OnAws,
    app: &App,
    interrupt: &Interrupt,
    start: impl FnOnce(&DeployedApp) -> Result<Option<StartedCommand>, DeployError>,
) -> Result<Option<i32>, Failure> {
    let deployed = DeployedApp::of(&on_aws.blueprint, app, who::asks());
    let started = start(&deployed).map_err(|error| refused(error, on_aws, &app.name))?;
    let Some(started) = started else {
        return Ok(None);
    };
    let task = task_name(&app.name, &started.task);
    printer.detail(format_args!("Task {} runs the command.", started.task));
    let followed = Followed {
        on_aws,
        deployed: &deployed,
        started: &started,
        task: &task,
    };
    let ended = followed.follow(printer, interrupt)?;
    match ended {
        CommandState::Ended(code) => Ok(Some(code)),
        CommandState::Failed(reason) => {
            let message = format!("the task {task} of the command failed: {reason}");
            let status = format!(
                "`mck status -e {}` shows what there is",
                on_aws.blueprint.environment
            );
            Err(Failure::new(Exit::NotHealthy, message).hint(status))
        }
        CommandState::Starting(_) | CommandState::Running => {
            Err(Failure::new(Exit::Internal, "the command has not ended"))
        }
    }
}

/// The command with what it needs before it. On AWS commands run where the app's stack puts them.
fn command(app: &App, container: Option<&str>, words: &[String]) -> Result<Vec<String>, Failure> {
    let containers = &app.task_definition.containers;
    let php = containers.iter().find(|it| it.name == PHP);
    let own = php.or(containers.first()).map_or("", |it| it.name.as_str());
    if let Some(other) = container.filter(|it| *it != own) {
        let message = format!(
            "commands of {} run in its container {own}, not in {other}",
            app.name
        );
        let hint = format!("`mck exec TASK.{other}` runs one in a container that there is");
        return Err(Failure::new(Exit::Usage, message).hint(hint));
    }
    let prefix = if own == PHP {
        app.command_prefix.as_slice()
    } else {
        &[]
    };
    Ok(prefix.iter().chain(words).cloned().collect())
}

fn refused(error: DeployError, on_aws: &OnAws, app: &str) -> Failure {
    match error {
        DeployError::Aws(error) => error.into(),
        error => {
            let deploy = format!(
                "`mck deploy {app} -e {}` deploys it",
                on_aws.blueprint.environment
            );
            Failure::from_error(Exit::NotRunning, &error).hint(deploy)
        }
    }
}

/// A command that is followed.
struct Followed<'a> {
    on_aws: &'a OnAws,
    deployed: &'a DeployedApp,
    started: &'a StartedCommand,
    task: &'a str,
}

impl Followed<'_> {
    /// Prints the command's output until it has ended. Ctrl-C ends the command.
    fn follow(&self, printer: &Printer, interrupt: &Interrupt) -> Result<CommandState, Failure> {
        let account = &self.on_aws.account;
        let region = &self.deployed.region;
        let output = self.started.output.clone();
        let mut output = output.map(|stream| account.stream(region, stream));
        let mut told = String::new();
        loop {
            let state = account.command_state(self.deployed, self.started)?;
            read(output.as_mut(), printer)?;
            match &state {
                CommandState::Ended(_) | CommandState::Failed(_) => {
                    self.drain(output.as_mut(), printer)?;
                    return Ok(state);
                }
                CommandState::Starting(word) if *word != told => {
                    printer.note(format_args!(
                        "Task {} is {}.",
                        self.task,
                        word.to_lowercase()
                    ));
                    told.clone_from(word);
                }
                CommandState::Starting(_) | CommandState::Running => {}
            }
            if interrupt.pressed() {
                account.stop_command(self.deployed, self.started)?;
                let message = format!(
                    "interrupted; task {} of the command is being stopped",
                    self.task
                );
                return Err(Failure::new(Exit::Interrupted, message));
            }
            wait::pause(INTERVAL);
        }
    }

    /// What comes after the end.
    fn drain(
        &self,
        mut output: Option<&mut StreamReader<'_>>,
        printer: &Printer,
    ) -> Result<(), Failure> {
        if output.is_none() {
            return Ok(());
        }
        let mut last = Instant::now();
        while last.elapsed() < QUIET {
            wait::pause(INTERVAL);
            if read(output.as_deref_mut(), printer)? > 0 {
                last = Instant::now();
            }
        }
        Ok(())
    }
}

/// Prints what is new, and says how many lines that were.
fn read(output: Option<&mut StreamReader<'_>>, printer: &Printer) -> Result<usize, Failure> {
    let Some(output) = output else { return Ok(0) };
    let lines: Vec<LogEvent> = output.read_new()?;
    for line in &lines {
        printer.result(&line.text);
    }
    Ok(lines.len())
}
