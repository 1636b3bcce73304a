//! Drills that deploy: good releases, and such that can't work.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use mck_drill::{FaultError, StopFlag};
use mck_local::{
    client::{self, Origin, ReleaseState},
    layout::Layout,
    release::Release,
    supervisor::deployment::Begun,
};

use super::{
    bad_release::{self, BadRelease},
    scene::{Scene, Stage},
    settle::settle,
};
use crate::{
    cli::BadKind,
    commands::launcher,
    exit::Exit,
    failure::Failure,
    progress::deployment::{Outcome, outcome},
    time::elapsed,
    who,
};

/// How often a deployment is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// Good releases, one after the other: the same code with another revision each.
pub fn good<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    let before = serving(stage)?;
    let (layout, app) = (&stage.local.layout, stage.app.name.as_str());
    let tree = before.path.clone();
    let inject = move || {
        let mut done = Vec::new();
        for _ in 0..stage.repeat {
            let revision = format!("drill-{}", Timestamp::now().as_millisecond());
            let built = client::build_from(layout, app, &tree, Some(&revision))?;
            done.push(deploy(layout, app, &built.release, &stage.stop)?);
            if stage.stop.is_set() {
                break;
            }
        }
        Ok(done)
    };
    let description = match stage.repeat {
        1 => format!("deploy a good release of {app}"),
        count => format!("deploy {count} good releases of {app}, one after the other"),
    };
    Ok(Scene {
        app,
        description,
        inject: Box::new(inject),
        restore: Box::new(move || back_to(layout, app, &before.release)),
    })
}

/// A release that can't work.
pub fn bad<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    if stage.wrong == BadKind::WrongConfig {
        return wrong_configuration(stage);
    }
    let before = serving(stage)?;
    let (layout, app) = (&stage.local.layout, stage.app.name.as_str());
    let bad = BadRelease::of(stage.app, &before.path, stage.wrong)?;
    let inject = move || {
        let release = bad.make(layout, app)?;
        Ok(vec![deploy(layout, app, &release, &stage.stop)?])
    };
    let description = match stage.wrong {
        BadKind::Crashing => format!("deploy a release of {app} that crashes once it is healthy"),
        _ => format!("deploy a release of {app} that never becomes healthy"),
    };
    Ok(Scene {
        app,
        description,
        inject: Box::new(inject),
        restore: Box::new(move || back_to(layout, app, &before.release)),
    })
}

/// The same release, with a table prefix that it refuses.
fn wrong_configuration<'a>(stage: &'a Stage<'a>) -> Result<Scene<'a>, Failure> {
    let (layout, app) = (&stage.local.layout, stage.app.name.as_str());
    let right = Origin::load(layout)?
        .ok_or_else(|| Failure::new(Exit::NotRunning, format!("{} does not run", layout.id())))?;
    let before = serving(stage).ok();
    let wrong = bad_release::wrong_configuration(&right, app)?;
    let launcher = launcher()?;
    let program = launcher.clone();
    let inject = move || {
        let before = last_number(layout, app)?;
        client::up(layout, &wrong, &program)?;
        let number = next_number(layout, app, before)?;
        Ok(vec![wait(layout, app, number, &stage.stop)?])
    };
    let restore = move || {
        client::up(layout, &right, &launcher)?;
        settle(layout, app)?;
        // What is applied is of the source as it is now, which may be newer than what served.
        match &before {
            Some(before) => back_to(layout, app, &before.release),
            None => Ok(Some(format!("{app} has its own configuration again."))),
        }
    };
    Ok(Scene {
        app,
        description: format!("deploy {app} with a table prefix that can't be"),
        inject: Box::new(inject),
        restore: Box::new(restore),
    })
}

/// The release that serves.
fn serving(stage: &Stage<'_>) -> Result<client::KeptRelease, Failure> {
    let app = &stage.app.name;
    let all = client::releases(&stage.local.layout, app)?;
    let serving = all.into_iter().find(|it| it.state == ReleaseState::Serving);
    serving.ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!("app `{app}` has no release that serves"),
        )
        .hint("this drill needs an app with a source of its own, not one that is live")
    })
}

/// Deploys a release and waits until that has ended; tells how.
fn deploy(
    layout: &Layout,
    app: &str,
    release: &Release,
    stop: &StopFlag,
) -> Result<String, FaultError> {
    match client::deploy(layout, app, Some(&release.id), &by())? {
        Begun::Unchanged { .. } => {
            Err(format!("{app} is of release {} already", release.id).into())
        }
        Begun::Deployment { number, .. } => wait(layout, app, number, stop),
    }
}

fn by() -> String {
    format!("mck drill, {}", who::asks())
}

/// Waits until a deployment has ended, or the drill is to end; tells how.
fn wait(layout: &Layout, app: &str, number: u64, stop: &StopFlag) -> Result<String, FaultError> {
    let begin = Instant::now();
    loop {
        let ended = outcome(&client::snapshot(layout)?, app, number);
        let after = elapsed(begin.elapsed());
        let how = match ended {
            Some(Outcome::Deployed) => format!("was complete after {after}"),
            Some(Outcome::RolledBack(_)) => format!("was rolled back by itself after {after}"),
            Some(Outcome::Failed(_)) => format!("failed after {after}"),
            Some(Outcome::Superseded) => format!("was superseded after {after}"),
            None if stop.wait_for(INTERVAL) => {
                "was in progress when the drill was stopped".to_owned()
            }
            None => continue,
        };
        return Ok(format!("Deployment {number} {how}"));
    }
}

fn last_number(layout: &Layout, app: &str) -> Result<u64, FaultError> {
    let snapshot = client::snapshot(layout)?;
    let app = snapshot.apps.iter().find(|it| it.name == app);
    let last = app.and_then(|app| app.deployments.last());
    Ok(last.map_or(0, |last| last.number))
}

/// The number of the deployment that begins after number `before`.
fn next_number(layout: &Layout, app: &str, before: u64) -> Result<u64, FaultError> {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        if last_number(layout, app)? > before {
            return Ok(before + 1);
        }
        mck_local::wait::pause(INTERVAL);
    }
    Err(format!("no deployment of {app} began").into())
}

/// Makes an app what it was before the drill, if it is not that already.
fn back_to(layout: &Layout, app: &str, release: &Release) -> Result<Option<String>, Failure> {
    let kept = client::releases(layout, app)?;
    let state = |wanted| {
        kept.iter()
            .find(|it| it.state == wanted)
            .map(|it| &it.release.id)
    };
    let under_way = state(ReleaseState::Deploying);
    let now = under_way.or(state(ReleaseState::Serving));
    if now != Some(&release.id) {
        client::deploy(layout, app, Some(&release.id), &by())?;
    }
    settle(layout, app)?;
    Ok(Some(format!("{app} is of release {} again.", release.id)))
}
