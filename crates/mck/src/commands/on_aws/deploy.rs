//! `mck deploy` and `mck rollback` of an environment on AWS.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use mck_aws::{
    Account, Begun, DatabaseError, DeployError, DeployedApp, DeploymentOutcome, DeploymentProgress,
    DeploymentRequest, RolloutView, StartedDeployment, TaskRole, TaskState,
};
use mck_aws_stacks::located;
use mck_blueprint::{
    Blueprint,
    model::{App, DatabaseSchema},
};
use mck_local::supervisor::snapshot::State;

use super::{OnAws, connect};
use crate::{
    cli::{DeployOptions, RollbackOptions},
    commands::{deploy::failed, plan::readiness::secrets_missing},
    exit::Exit,
    failure::Failure,
    interrupt::Interrupt,
    progress::{
        deployment::{Display, Outcome, Role, Task, View, waits_of_tasks},
        stacks::{Descriptions, StacksView},
    },
    session::Session,
    time::elapsed,
    who,
};

/// How often a display moves and Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(80);

/// What is asked for, and how it is told.
struct Asked<'a> {
    app: Option<&'a str>,
    /// What is done, as the beginning of a sentence.
    title: &'static str,
    request: DeploymentRequest,
    detach: bool,
}

pub fn run(session: &Session<'_>, options: &DeployOptions) -> Result<(), Failure> {
    let (title, request) = if options.stop {
        ("Going back", DeploymentRequest::Stop)
    } else {
        let release = options.release.clone();
        ("Deploying", DeploymentRequest::Deploy(release))
    };
    carry_out(
        session,
        &Asked {
            app: options.app.as_deref(),
            title,
            request,
            detach: options.detach,
        },
    )
}

pub fn rollback(session: &Session<'_>, options: &RollbackOptions) -> Result<(), Failure> {
    carry_out(
        session,
        &Asked {
            app: options.app.as_deref(),
            title: "Rolling back",
            request: DeploymentRequest::RollBack,
            detach: options.detach,
        },
    )
}

fn carry_out(session: &Session<'_>, asked: &Asked<'_>) -> Result<(), Failure> {
    let begin = Instant::now();
    let on_aws = connect(session)?;
    let (app, _) = on_aws.app(asked.app)?;
    let deployed = DeployedApp::of(&on_aws.blueprint, app, who::asks());
    let printer = session.printer;
    let name = app.name.clone();
    let commands = Commands::of(session, &name);
    let begun = on_aws.account.begin_deployment(&deployed, &asked.request);
    let started = match begun.map_err(|error| refused(error, &commands))? {
        Begun::Unchanged { release } => {
            printer.note(format_args!(
                "{name} is of release {release} already; there is nothing to do."
            ));
            let releases = commands.line("releases");
            printer.next(&[(&releases, "lists the releases that can be deployed")]);
            return Ok(());
        }
        Begun::Started(started) => started,
    };
    let by_hand = if started.is_first() && app.database_schema.is_some() {
        prepare_database(session, &on_aws, app)?
    } else {
        None
    };
    let (number, release) = (started.number, started.release.clone());
    let title = if started.is_followed {
        "Following"
    } else {
        asked.title
    };
    let title = format!("{title} {name}: deployment {number} of release {release}");
    let followed = Followed {
        title: &title,
        begin,
        detach: asked.detach,
        commands: &commands,
        number,
        release: &release,
    };
    let ended = follow(session, &followed, on_aws.account, deployed, started)?;
    let Some(outcome) = ended else {
        printer.note(format_args!(
            "Deployment {number} of release {release} of {name} goes on in ECS."
        ));
        let (again, stop) = (commands.again(&release), commands.stop());
        printer.next(&[
            (&again, "follows it, and records the release at its end"),
            (&stop, "stops it and goes back"),
        ]);
        return Ok(());
    };
    match outcome_of(outcome) {
        Outcome::Deployed => {
            let time = elapsed(begin.elapsed());
            printer.note(format_args!(
                "{name} is of release {release} now (deployment {number}, {time})."
            ));
            let (status, rollback) = (commands.line("status"), commands.of_app("rollback"));
            printer.next(&[
                (&status, "shows every part"),
                (&rollback, "goes back to the release before"),
            ]);
            Ok(())
        }
        outcome => {
            let failure = failed(&name, number, &outcome, commands.hints());
            Err(by_hand.into_iter().fold(failure, Failure::hint))
        }
    }
}

/// Schema and user of the app, which nothing but its first deployment needs before it is there. Where
/// they can't be made from here, the answer is what is left to people: who has done it needs no more,
/// and the hooks of who has not fail before anything is recorded.
fn prepare_database(
    session: &Session<'_>,
    on_aws: &OnAws,
    app: &App,
) -> Result<Option<String>, Failure> {
    let blueprint = &on_aws.blueprint;
    match on_aws.account.prepare_database(blueprint) {
        Err(error @ DatabaseError::NoDataApi { .. }) => {
            let schemas = blueprint.database.schemas.iter();
            let mut own = schemas.filter(|it| Some(&it.name) == app.database_schema.as_ref());
            let by_hand = own.next().map(|schema| by_hand(blueprint, schema));
            session.printer.note(format_args!("warning: {error}"));
            if let Some(by_hand) = &by_hand {
                session.printer.note(format_args!("hint: {by_hand}"));
            }
            Ok(by_hand)
        }
        done => {
            done?;
            Ok(None)
        }
    }
}

/// What makes a schema by hand.
fn by_hand(blueprint: &Blueprint, schema: &DatabaseSchema) -> String {
    let secret = located::secret_name(blueprint, &schema.password_secret);
    format!(
        "where they were not made yet, `mck db shell --master -e {}` makes the schema `{}` and the \
         user `{}` with all rights on it and the password of the secret {secret}",
        blueprint.environment, schema.name, schema.user
    )
}

/// A deployment that is followed.
struct Followed<'a> {
    title: &'a str,
    begin: Instant,
    detach: bool,
    commands: &'a Commands,
    number: u64,
    release: &'a str,
}

/// Carries a deployment out and shows it until it ends; none where ECS goes on alone because nobody
/// wants to wait.
fn follow(
    session: &Session<'_>,
    followed: &Followed<'_>,
    account: Account,
    app: DeployedApp,
    started: StartedDeployment,
) -> Result<Option<DeploymentOutcome>, Failure> {
    let interrupt = Interrupt::listen()?;
    let (sender, events) = mpsc::channel();
    let (done, result) = mpsc::channel();
    let mut display = Display::new(session.printer, followed.title, followed.begin);
    // It ends with this process.
    thread::spawn(move || {
        let _ = done.send(account.carry_out_deployment(&app, &started, &sender));
    });
    let mut shown = Shown::default();
    loop {
        if interrupt.pressed() {
            return Err(interrupted(followed));
        }
        match events.recv_timeout(TICK) {
            Ok(event) => {
                if followed.detach && is_rolling_out(&event) {
                    display.clear();
                    return Ok(None);
                }
                shown.note(event, &mut display);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if let Some(view) = &shown.view {
            display.show(view);
        }
    }
    let broken = |_| Failure::new(Exit::Internal, "the work on the deployment broke off");
    let ended = result.recv().map_err(broken)?;
    let ended = ended.map_err(|error| refused(error, followed.commands))?;
    if ended == DeploymentOutcome::Deployed {
        display.clear();
    }
    Ok(Some(ended))
}

/// Whether ECS now goes on by itself: no hook runs before it any more.
fn is_rolling_out(event: &DeploymentProgress) -> bool {
    matches!(event, DeploymentProgress::View(view) if view.tasks.iter().all(|it| it.role != TaskRole::Hook))
}

/// What was told last.
#[derive(Default)]
struct Shown {
    view: Option<View>,
    stack: Option<StacksView>,
}

impl Shown {
    fn note(&mut self, event: DeploymentProgress, display: &mut Display<'_>) {
        match event {
            DeploymentProgress::View(view) => {
                let mut now = view_of(&view);
                if is_of_hook(&now) {
                    self.keep_tasks(&mut now);
                }
                self.view = Some(now);
            }
            DeploymentProgress::Warning(text) => display.say(format_args!("warning: {text}")),
            DeploymentProgress::Stack(progress) => {
                // The stack's own lines take the place of the hook's.
                self.view = None;
                let new = || StacksView::new(Descriptions::new(), 1);
                let stack = self.stack.get_or_insert_with(new);
                if let Some(line) = stack.note(&progress, Instant::now()) {
                    display.say(line);
                }
            }
        }
    }
}

impl Shown {
    /// While a hook runs, the app's tasks are as they were told last.
    fn keep_tasks(&self, now: &mut View) {
        let Some(last) = &self.view else { return };
        now.desired = last.desired;
        now.failures = last.failures;
        let tasks = last.tasks.iter().filter(|it| it.role != Role::Hook);
        now.tasks.splice(0..0, tasks.cloned());
    }
}

/// Whether all that is told is a hook.
fn is_of_hook(view: &View) -> bool {
    !view.tasks.is_empty() && view.tasks.iter().all(|it| it.role == Role::Hook)
}

fn view_of(view: &RolloutView) -> View {
    let tasks: Vec<Task> = view
        .tasks
        .iter()
        .map(|it| Task {
            id: it.id.clone(),
            role: match it.role {
                TaskRole::New => Role::New,
                TaskRole::Old => Role::Old,
                TaskRole::Hook => Role::Hook,
            },
            state: match it.state {
                TaskState::Starting => State::Starting,
                TaskState::Ready => State::Ready,
                TaskState::Unhealthy => State::Unhealthy,
                TaskState::Draining => State::Draining,
            },
            detail: it.detail.clone(),
            place: it.place.clone(),
        })
        .collect();
    let hooks = tasks.iter().filter(|it| it.role == Role::Hook);
    let hooks = hooks.map(|it| format!("the hook {} to end", it.detail));
    let waits = hooks.chain(waits_of_tasks(&tasks));
    let waits = waits.chain(view.troubles.iter().cloned()).collect();
    View {
        desired: view.desired,
        failures: view.failures,
        waits,
        tasks,
    }
}

fn outcome_of(outcome: DeploymentOutcome) -> Outcome {
    match outcome {
        DeploymentOutcome::Deployed => Outcome::Deployed,
        DeploymentOutcome::RolledBack(reason) => Outcome::RolledBack(reason),
        DeploymentOutcome::Failed(reason) => Outcome::Failed(reason),
        DeploymentOutcome::Superseded => Outcome::Superseded,
    }
}

/// Commands as they are typed for this environment.
struct Commands {
    app: String,
    environment: String,
}

impl Commands {
    fn of(session: &Session<'_>, app: &str) -> Self {
        Self {
            app: app.to_owned(),
            environment: session.environment_name().to_owned(),
        }
    }

    fn line(&self, verb: &str) -> String {
        format!("mck {verb} -e {}", self.environment)
    }

    fn of_app(&self, verb: &str) -> String {
        format!("mck {verb} {} -e {}", self.app, self.environment)
    }

    fn again(&self, release: &str) -> String {
        format!("{} --release {release}", self.of_app("deploy"))
    }

    fn stop(&self) -> String {
        format!("{} --stop", self.of_app("deploy"))
    }

    fn hints(&self) -> [String; 2] {
        [
            format!("`{} --since 10m` shows what happened", self.of_app("logs")),
            format!("mend it and `{}` again", self.of_app("deploy")),
        ]
    }
}

fn interrupted(followed: &Followed<'_>) -> Failure {
    let Followed {
        commands, number, ..
    } = followed;
    let app = &commands.app;
    let message = format!("interrupted; deployment {number} of {app} goes on");
    Failure::new(Exit::Interrupted, message).hint(format!(
        "`{}` follows it again and records the release at its end, `{}` stops it and goes back",
        commands.again(followed.release),
        commands.stop()
    ))
}

/// Why nothing was begun, with its way out.
fn refused(error: DeployError, commands: &Commands) -> Failure {
    let of = |exit| Failure::from_error(exit, &error);
    match &error {
        DeployError::Aws(_) => {}
        DeployError::NotApplied { .. } => {
            return of(Exit::NotRunning).hint(format!("`{}` makes it", commands.line("apply")));
        }
        DeployError::NoReleases { .. } => {
            return of(Exit::Unknown).hint(format!("`{}` makes one", commands.of_app("build")));
        }
        DeployError::NoSuchRelease { known, .. } => {
            let failure =
                of(Exit::Unknown).hint(format!("`{}` makes one", commands.of_app("build")));
            let known: Vec<&str> = known.iter().take(5).map(String::as_str).collect();
            return match known.as_slice() {
                [] => failure,
                known => failure.hint(format!("there is {}", known.join(", "))),
            };
        }
        DeployError::SecretsMissing { names } => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return secrets_missing(&names, &commands.environment);
        }
        DeployError::Busy { .. } => {
            return of(Exit::Busy).hint(format!(
                "wait until it has ended, or stop it with `{}`",
                commands.stop()
            ));
        }
        DeployError::NothingBefore { .. } | DeployError::NoDeployment { .. } => {
            return of(Exit::NotHealthy).hint(format!(
                "`{}` shows what was deployed",
                commands.line("releases")
            ));
        }
    }
    match error {
        DeployError::Aws(error) => error.into(),
        error => Failure::from_error(Exit::Internal, &error),
    }
}
