//! `mck drill`

mod bad_release;
mod deployments;
mod display;
mod losses;
mod observer;
mod scene;
mod settle;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use mck_blueprint::model::App;
use mck_drill::{DrillError, DrillPlan, DrillReport, FaultFn, StopFlag, render_html, render_text};
use mck_environment::settings::Target;
use mck_local::{client, supervisor::snapshot::Snapshot};

use self::{
    display::Display,
    observer::Watcher,
    scene::{Scene, Stage},
};
use super::{
    choose_app,
    confirm::{self, Question},
    require_root,
};
use crate::{
    cli::{BadKind, Drill, DrillOptions},
    client_failure::file,
    exit::Exit,
    failure::Failure,
    interrupt::Interrupt,
    session::{LocalEnvironment, Session},
};

/// How long a deployment may take under load: one that is given up waits for several tasks.
const DEPLOYMENT_WITHIN: Duration = Duration::from_secs(600);

pub fn run(session: &Session<'_>, options: &DrillOptions) -> Result<(), Failure> {
    require_root()?;
    check_options(options)?;
    let local = applied_here(session)?;
    let name = choose_app(&local.blueprint, options.app.as_deref())?;
    let app = local.blueprint.apps.iter().find(|app| app.name == name);
    // It was chosen among them.
    let Some(app) = app else { return Ok(()) };
    let before = client::snapshot(&local.layout)?;
    let plan = plan(options, &local, app, &before)?;
    if !options.yes {
        agree(session, &local, options.drill)?;
    }

    let interrupt = Interrupt::listen()?;
    let stop = StopFlag::new();
    let stage = Stage {
        local: &local,
        app,
        stop: stop.clone(),
        wrong: options.kind.unwrap_or(BadKind::NeverHealthy),
        repeat: options.repeat.unwrap_or(1),
    };
    let scene = stage.set(options.drill)?;
    let report = hold(session, &plan, scene, &local, &interrupt, &stop)?;
    finish(session, options, &report)
}

fn check_options(options: &DrillOptions) -> Result<(), Failure> {
    let only = |option: &str, drill: &str| {
        let message = format!("`{option}` is for `mck drill {drill}` only");
        Err(Failure::new(Exit::Usage, message))
    };
    if options.kind.is_some() && options.drill != Drill::DeployBad {
        return only("--kind", "deploy-bad");
    }
    if options.repeat.is_some() && options.drill != Drill::DeployGood {
        return only("--repeat", "deploy-good");
    }
    Ok(())
}

/// The environment, which must be one of this machine: nobody breaks a production by mistake.
fn applied_here(session: &Session<'_>) -> Result<LocalEnvironment, Failure> {
    let elsewhere = |target| target != Target::Local;
    if let Ok((_, environment)) = session.environment()
        && elsewhere(environment.target())
    {
        let message = format!(
            "environment `{}` is not on this machine; drills break things, and are for local ones",
            session.environment_name()
        );
        return Err(
            Failure::new(Exit::Usage, message).hint("`--environment local` names the one that is")
        );
    }
    session.applied()
}

fn agree(session: &Session<'_>, local: &LocalEnvironment, drill: Drill) -> Result<(), Failure> {
    let id = local.layout.id().as_str();
    let name = drill.kind().name();
    confirm::ask(
        session,
        &Question {
            what: &format!("the drill {name} on {id}"),
            consequence: &format!(
                "This puts load on {id}, leaves test data in it, and breaks it on purpose for a while."
            ),
            word: id,
            declined: "nothing was broken",
        },
    )
}

fn plan(
    options: &DrillOptions,
    local: &LocalEnvironment,
    app: &App,
    now: &Snapshot,
) -> Result<DrillPlan, Failure> {
    let settings = &local.environment.settings.local;
    let listen = match settings.listen {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        address => address,
    };
    let address = SocketAddr::new(listen, settings.http_port);
    let url = app.url.as_deref().and_then(|url| url.split_once("://"));
    let (Some((_, host)), Some(group)) = (url, &app.target_group) else {
        let message = format!(
            "app `{}` has no address that load could be sent to",
            app.name
        );
        return Err(Failure::new(Exit::Usage, message).hint(CONTRACT));
    };
    let mut plan = DrillPlan::new(
        options.drill.kind(),
        local.layout.id().as_str(),
        address,
        host,
    );
    plan.requests_per_second = options.rate;
    plan.health_check_interval = group.health_check.interval.into();
    if matches!(options.drill, Drill::DeployBad | Drill::DeployGood) {
        plan.recovery_limit = DEPLOYMENT_WITHIN;
        // Which release answers must be known of each phase, at a low rate too.
        plan.mix.whoami = 25;
    }
    let release = now.apps.iter().find(|it| it.name == app.name);
    let release = release.and_then(|it| it.revision.clone());
    plan.versions
        .insert("mck".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    plan.versions
        .extend(release.map(|release| ("release".to_owned(), release)));
    Ok(plan.lasting(options.duration))
}

/// Holds the drill and mends what it broke, however it ends.
fn hold(
    session: &Session<'_>,
    plan: &DrillPlan,
    scene: Scene<'_>,
    local: &LocalEnvironment,
    interrupt: &Interrupt,
    stop: &StopFlag,
) -> Result<DrillReport, Failure> {
    let printer = session.printer;
    let Scene {
        description,
        inject,
        restore,
        app,
    } = scene;
    printer.note(format_args!("The drill {} will {description}.", plan.kind));
    let mut fault = FaultFn::new(description, inject);
    let mut observer = Watcher::new(&local.layout, app);
    let mut display = Display::new(printer, plan.kind.name());
    let result = mck_drill::run(plan, &mut fault, &mut observer, stop, &mut |progress| {
        if interrupt.pressed() {
            stop.set();
        }
        display.show(progress);
    });
    display.clear();
    let restored = restore();
    if let Ok(Some(done)) = &restored {
        printer.note(done);
    }
    let report = result.map_err(|error| not_held(&error))?;
    restored?;
    Ok(report)
}

/// What an app must have for a drill.
const CONTRACT: &str = "drills need an app with the drill API: the storefront, or one that is built \
    to the contract in examples/storefront/README.md";

fn not_held(error: &DrillError) -> Failure {
    match error {
        DrillError::Plan { .. } | DrillError::UnknownKind { .. } => {
            Failure::from_error(Exit::Usage, error)
        }
        DrillError::NotWhole { .. } => Failure::from_error(Exit::NotHealthy, error)
            .hint("`mck status` shows what is not; `mck up` waits until all is"),
        DrillError::Prepare { .. } => Failure::from_error(Exit::Usage, error).hint(CONTRACT),
        DrillError::Fault { .. } => {
            Failure::from_error(Exit::NotHealthy, error).hint("`mck events` shows what happened")
        }
        DrillError::Stopped => Failure::from_error(Exit::Interrupted, error),
        DrillError::Thread(_) => Failure::from_error(Exit::Internal, error),
    }
}

fn finish(
    session: &Session<'_>,
    options: &DrillOptions,
    report: &DrillReport,
) -> Result<(), Failure> {
    let printer = session.printer;
    if options.json {
        printer.json(report);
    } else {
        printer.result(render_text(report).trim_end());
    }
    if let Some(path) = &options.report {
        write(path, report)?;
        printer.note(format_args!("The report is in {}.", path.display()));
    }
    if report.verdict.passed {
        Ok(())
    } else {
        Err(Failure::said(Exit::DrillFailed))
    }
}

fn write(path: &Path, report: &DrillReport) -> Result<(), Failure> {
    let text = match path.extension() {
        Some(ending) if ending == "html" => render_html(report),
        _ => report.to_json() + "\n",
    };
    std::fs::write(path, text).map_err(|error| file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_drill_from_being_held_has_its_exit_code_and_way_out() {
        let step = "GET /api/whoami".to_owned();
        let problem = "HTTP 404".to_owned();
        let failure = not_held(&DrillError::Prepare { step, problem });
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.hints[0].contains("storefront"), "{failure:?}");
        let detail = "1 of 2 tasks healthy".to_owned();
        assert_eq!(
            not_held(&DrillError::NotWhole { detail }).exit,
            Exit::NotHealthy
        );
        assert_eq!(not_held(&DrillError::Stopped).exit, Exit::Interrupted);
    }
}
