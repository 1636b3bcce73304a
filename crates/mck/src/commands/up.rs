//! `mck up`

use std::{path::Path, time::Instant};

use mck_blueprint::model::SecretOrigin;
use mck_local::{
    client,
    doctor::{Doctor, Status},
    origin::Origin,
    secrets::{SecretError, SecretStore},
    supervisor::snapshot::{AppStatus, Problem, Snapshot},
};

use super::{doctor, launcher, require_root, status::short_revision};
use crate::{
    cli::UpOptions,
    exit::Exit,
    failure::Failure,
    interrupt::Interrupt,
    printer::Printer,
    progress::follow::{Ended, follow},
    session::{LocalEnvironment, ReadFile, Session},
    time::elapsed,
};

pub fn run(session: &Session<'_>, options: &UpOptions) -> Result<(), Failure> {
    let begin = Instant::now();
    let printer = session.printer;
    let (read, local) = session.local()?;
    require_root()?;
    check_machine(session, &local, options.install)?;
    check_sources(&read, &local)?;
    check_secrets(&local)?;

    // From here on Ctrl-C ends the waiting and not the work.
    let interrupt = Interrupt::listen()?;
    let applied = client::up(
        &local.layout,
        &origin(&read, session.environment_name())?,
        &launcher()?,
    )?;
    for change in &applied.changes {
        printer.detail(format_args!("changed: {change}"));
    }
    if options.detach {
        printer.note(format_args!(
            "{} comes up in the background.",
            local.layout.id()
        ));
        printer.next(&[("mck status --watch", "shows how far it is")]);
        return Ok(());
    }
    let name = format!("{} ({})", local.environment.project, local.environment.name);
    match follow(
        printer,
        &local.layout,
        &interrupt,
        &format!("Bringing up {name}"),
        begin,
    )? {
        Ended::Settled(snapshot) => {
            printer.note(format_args!("{name} is up ({}).", elapsed(begin.elapsed())));
            print_apps(printer, &snapshot, &local.layout.keys());
            recommend(printer, &snapshot);
            Ok(())
        }
        Ended::Failed(problem) => Err(failed(&problem)),
        Ended::Interrupted => Err(Failure::new(
            Exit::Interrupted,
            "interrupted; the environment goes on coming up",
        )
        .hint("`mck up` waits again, `mck stop` stops it")),
    }
}

/// Looks whether the machine has what is needed, and installs it if that is allowed.
fn check_machine(
    session: &Session<'_>,
    local: &LocalEnvironment,
    install: bool,
) -> Result<(), Failure> {
    let settings = &local.environment.settings.local;
    let doctor = Doctor::new(
        &local.blueprint,
        settings,
        &session.state_folder(),
        doctor::runs(local),
    );
    let mut findings = doctor.glance();
    if install {
        doctor::install(session.printer, &findings)?;
        findings = doctor.glance();
    }
    for finding in findings.iter().filter(|it| it.status == Status::Warning) {
        let message = format!("{}: {}", finding.name, finding.detail);
        session.printer.warning(message, finding.hint.as_deref());
    }
    doctor::failure(&findings).map_or(Ok(()), Err)
}

/// Folders with apps' code must be there: a release of nothing would only fail later.
fn check_sources(read: &ReadFile, local: &LocalEnvironment) -> Result<(), Failure> {
    let folder = read.path.parent().unwrap_or(Path::new("/"));
    for app in &local.blueprint.apps {
        let Some(source) = &app.source else { continue };
        if !folder.join(source).is_dir() {
            let (name, shown) = (&app.name, source.display());
            let message = format!("app `{name}` has its code in {shown}, which is no folder");
            return Err(Failure::new(Exit::File, message).hint(format!(
                "put the code there, or correct `app.{name}.source`; it is relative to {}",
                read.shown
            )));
        }
    }
    Ok(())
}

/// Secrets that only the user knows must have their values before anything begins.
fn check_secrets(local: &LocalEnvironment) -> Result<(), Failure> {
    let store = SecretStore::new(local.layout.secrets());
    let mut names = Vec::new();
    for secret in &local.blueprint.secrets {
        if secret.origin == SecretOrigin::Provided && store.get(&secret.name)?.is_none() {
            names.push(secret.name.clone());
        }
    }
    if names.is_empty() {
        Ok(())
    } else {
        Err(SecretError::Missing { names }.into())
    }
}

fn origin(read: &ReadFile, environment: &str) -> Result<Origin, Failure> {
    let text = String::from_utf8(read.bytes.clone())
        .map_err(|error| Failure::from_error(Exit::File, &error))?;
    Ok(Origin {
        file: read.path.clone(),
        environment: environment.to_owned(),
        text,
    })
}

/// Where each app is found and how to log in.
fn print_apps(printer: &Printer, snapshot: &Snapshot, keys: &Path) {
    let style = printer.out_style();
    for app in &snapshot.apps {
        let tasks = format!("{} of {} tasks healthy", app.healthy, app.desired);
        let revision = app
            .revision
            .as_ref()
            .map(|it| format!(", revision {}", short_revision(it)))
            .unwrap_or_default();
        printer.result(format_args!(
            "\n{}  {tasks}{revision}",
            style.bold(&app.name)
        ));
        for url in &app.urls {
            printer.result(format_args!("  {}", style.cyan(url)));
        }
        print_admin(printer, app);
    }
    let authority = keys.join(mck_local::keys::files::AUTHORITY);
    printer.detail(format_args!(
        "\nThe certificate authority of HTTPS is {}.",
        authority.display()
    ));
}

fn print_admin(printer: &Printer, app: &AppStatus) {
    let style = printer.out_style();
    let Some(url) = &app.admin_url else { return };
    printer.result(format_args!("  {}", style.cyan(url)));
    if let Some(user) = &app.admin_user {
        let password = app.admin_password_secret.as_ref().map(|secret| {
            format!(
                ", password: {}",
                style.cyan(format_args!("mck secret show {secret}"))
            )
        });
        printer.result(format_args!(
            "    user {user}{}",
            password.unwrap_or_default()
        ));
    }
}

fn recommend(printer: &Printer, snapshot: &Snapshot) {
    let app = snapshot.apps.first().map_or("APP", |app| app.name.as_str());
    let logs = format!("mck logs {app} --follow");
    printer.next(&[
        ("mck status", "shows every part"),
        (&logs, "shows what the app prints"),
        ("mck stop", "stops it; its data stays"),
    ]);
}

fn failed(problem: &Problem) -> Failure {
    let is_hook = ["install-", "upgrade-"]
        .iter()
        .any(|hook| problem.subject.starts_with(hook));
    let exit = match problem.subject.as_str() {
        Problem::DISK => Exit::DiskFull,
        _ if is_hook => Exit::HookFailed,
        _ => Exit::NotHealthy,
    };
    let mut lines = problem.message.splitn(2, '\n');
    let message = format!("{}: {}", problem.subject, lines.next().unwrap_or_default());
    let failure = Failure::new(exit, message);
    let failure = match lines.next() {
        Some(rest) => failure.caused_by(&std::io::Error::other(rest.to_owned())),
        None => failure,
    };
    let first = match exit {
        Exit::DiskFull => "free some room; nothing was lost",
        _ => "`mck logs` and `mck events` show what happened",
    };
    failure
        .hint(first)
        .hint("it is tried again in the background; `mck stop` stops that")
}
