//! `mck cache flush` of an environment on AWS: the apps' own hook, as after a deployment.

use mck_blueprint::model::{App, HookStage};

use super::{OnAws, connect, run::to_end};
use crate::{cli::AppName, exit::Exit, failure::Failure, interrupt::Interrupt, session::Session};

/// Flushes the caches of an app, or of all that have a hook for it.
pub fn flush(session: &Session<'_>, name: &AppName) -> Result<(), Failure> {
    let on_aws = connect(session)?;
    let apps: Vec<&App> = match name.app.as_deref() {
        Some(name) => vec![on_aws.app(Some(name))?.0],
        None => on_aws
            .blueprint
            .apps
            .iter()
            .filter(|it| can_flush(it))
            .collect(),
    };
    // From now on a task may be there that Ctrl-C must end.
    let interrupt = Interrupt::listen()?;
    if apps.is_empty() {
        return Err(without_hook(&on_aws, "no app has"));
    }
    let printer = session.printer;
    for app in apps {
        printer.note(format_args!("{}: runs its cache flush", app.name));
        let account = &on_aws.account;
        let code = to_end(printer, &on_aws, app, &interrupt, |deployed| {
            account.start_hook(deployed, HookStage::CacheFlush)
        })?;
        match code {
            None => return Err(without_hook(&on_aws, &format!("{} has no", app.name))),
            Some(0) => {}
            Some(code) => {
                let message = format!(
                    "the cache flush of {} ended with exit code {code}",
                    app.name
                );
                return Err(Failure::new(Exit::NotHealthy, message));
            }
        }
    }
    printer.note("The caches are empty.");
    Ok(())
}

fn can_flush(app: &App) -> bool {
    app.hooks.iter().any(|it| it.stage == HookStage::CacheFlush)
}

fn without_hook(on_aws: &OnAws, who: &str) -> Failure {
    let message = format!("{who} hook that flushes caches");
    let environment = &on_aws.blueprint.environment;
    Failure::new(Exit::Usage, message)
        .hint("`cache-flush` under `[app.NAME.hooks]` in the file is one")
        .hint(format!(
            "`mck run -e {environment} -- COMMAND` runs any command of an app"
        ))
}
