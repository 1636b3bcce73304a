//! `mck deploy` and `mck rollback`

use std::{io, time::Instant};

use mck_local::{client, release::Release, supervisor::deployment::Begun};

use super::{choose_app, on_aws, require_root, status::short_revision};
use crate::{
    cli::{DeployOptions, RollbackOptions},
    exit::Exit,
    failure::Failure,
    progress::deployment::{Ended, Outcome, follow},
    session::{LocalEnvironment, Session},
    time::elapsed,
    who,
};

/// What is followed.
struct Asked<'a> {
    app: &'a str,
    /// What is done, as the beginning of a sentence.
    title: &'static str,
    detach: bool,
}

pub fn run(session: &Session<'_>, options: &DeployOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::deploy::run(session, options);
    }
    require_root()?;
    let local = session.applied()?;
    let app = choose_app(&local.blueprint, options.app.as_deref())?;
    let by = who::asks();
    let asked = |title| Asked {
        app: &app,
        title,
        detach: options.detach,
    };
    if options.stop {
        let begun = client::stop_deployment(&local.layout, &app, &by)?;
        return finish(session, &local, &asked("Going back"), begun);
    }
    if options.release.is_none() {
        session
            .printer
            .detail(format_args!("makes a release of {app}'s source"));
    }
    let begun = client::deploy(&local.layout, &app, options.release.as_deref(), &by)?;
    finish(session, &local, &asked("Deploying"), begun)
}

pub fn rollback(session: &Session<'_>, options: &RollbackOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::deploy::rollback(session, options);
    }
    require_root()?;
    let local = session.applied()?;
    let app = choose_app(&local.blueprint, options.app.as_deref())?;
    let begun = client::roll_back(&local.layout, &app, &who::asks())?;
    let asked = Asked {
        app: &app,
        title: "Rolling back",
        detach: options.detach,
    };
    finish(session, &local, &asked, begun)
}

fn finish(
    session: &Session<'_>,
    local: &LocalEnvironment,
    asked: &Asked<'_>,
    begun: Begun,
) -> Result<(), Failure> {
    let begin = Instant::now();
    let (printer, app) = (session.printer, asked.app);
    let (number, release) = match begun {
        Begun::Unchanged { release } => {
            let of = of(release.as_ref());
            printer.note(format_args!(
                "{app} is{of} already; there is nothing to do."
            ));
            printer.next(&[("mck releases", "lists the releases that can be deployed")]);
            return Ok(());
        }
        Begun::Deployment { number, release } => (number, release),
    };
    let of = of(release.as_ref());
    if asked.detach {
        printer.note(format_args!(
            "Deployment {number}{of} of {app} goes on in the background."
        ));
        recommend_following(session, app);
        return Ok(());
    }
    let title = format!("{} {app}: deployment {number}{of}", asked.title);
    match follow(printer, &local.layout, app, number, &title, begin)? {
        Ended::With(Outcome::Deployed) => {
            let time = elapsed(begin.elapsed());
            printer.note(format_args!("{app} is{of} now (deployment {number}, {time})."));
            let rollback = format!("mck rollback {app}");
            printer.next(&[
                ("mck status", "shows every part"),
                (&rollback, "goes back to the release before"),
            ]);
            Ok(())
        }
        Ended::With(outcome) => {
            let hints = [
                format!("`mck logs {app} --since 10m` and `mck events` show what happened"),
                format!("mend it and `mck deploy {app}` again"),
            ];
            Err(failed(app, number, &outcome, hints))
        }
        Ended::Interrupted => Err(Failure::new(
            Exit::Interrupted,
            format!("interrupted; deployment {number} of {app} goes on"),
        )
        .hint(format!(
            "`mck status --watch` follows it again, `mck deploy {app} --stop` stops it and goes back"
        ))),
    }
}

fn of(release: Option<&Release>) -> String {
    release.map_or_else(String::new, |it| {
        if it.revision == it.id {
            format!(" of release {}", it.id)
        } else {
            format!(" of release {} ({})", it.id, short_revision(&it.revision))
        }
    })
}

fn recommend_following(session: &Session<'_>, app: &str) {
    let stop = format!("mck deploy {app} --stop");
    session.printer.next(&[
        ("mck status --watch", "follows it"),
        (&stop, "stops it and goes back"),
    ]);
}

/// A deployment that did not come to its end, with why, and what helps.
pub fn failed(app: &str, number: u64, outcome: &Outcome, hints: [String; 2]) -> Failure {
    let what = format!("deployment {number} of {app}");
    let (failure, reason) = match outcome {
        Outcome::Deployed => return Failure::said(Exit::Ok),
        Outcome::RolledBack(reason) => {
            let message = format!("{what} was rolled back; the release before serves on");
            (Failure::new(Exit::RolledBack, message), reason)
        }
        Outcome::Failed(reason) => {
            let message = format!("{what} failed, and there is nothing to go back to");
            (Failure::new(Exit::DeploymentFailed, message), reason)
        }
        Outcome::Superseded => {
            let message = format!("another deployment took the place of {what}");
            return Failure::new(Exit::Superseded, message).hint("`mck status` shows it");
        }
    };
    let failure = story(reason).into_iter().fold(failure, |failure, part| {
        failure.caused_by(&io::Error::other(part))
    });
    hints.into_iter().fold(failure, Failure::hint)
}

/// A reason in its parts, the most general first; a container's last words as lines.
fn story(reason: &str) -> Vec<String> {
    let (before, words) = match reason.find("last words: ") {
        Some(at) => reason.split_at(at),
        None => (reason, ""),
    };
    let mut parts: Vec<String> = before.split("; ").map(str::to_owned).collect();
    if let (Some(last), false) = (parts.last_mut(), words.is_empty()) {
        last.push_str(&words.replacen(": ", ":\n", 1).replace(" | ", "\n"));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::What;

    #[test]
    fn why_it_failed_is_told_from_the_general_to_the_last_words() {
        let reason = "2 tasks failed in a row; the last one: its container php-fpm ended with exit \
            code 70; its last words: NOTICE: ready | ERROR: no such table; giving up";
        assert_eq!(
            story(reason),
            [
                "2 tasks failed in a row",
                "the last one: its container php-fpm ended with exit code 70",
                "its last words:\nNOTICE: ready\nERROR: no such table; giving up",
            ]
        );
        assert_eq!(story("stopped by ann@host"), ["stopped by ann@host"]);
    }

    #[test]
    fn each_end_has_its_exit_code() {
        let reason = "its upgrade hook failed".to_owned();
        let ends = [
            (Outcome::RolledBack(reason.clone()), Exit::RolledBack),
            (Outcome::Failed(reason.clone()), Exit::DeploymentFailed),
            (Outcome::Superseded, Exit::Superseded),
        ];
        for (outcome, exit) in ends {
            let failure = failed("shop", 3, &outcome, Default::default());
            assert_eq!(failure.exit, exit);
            let What::Message { message, causes } = failure.what else {
                panic!("it is a message");
            };
            assert!(message.contains("deployment 3 of shop"), "{message}");
            let told = causes == [reason.clone()];
            assert_eq!(told, exit != Exit::Superseded, "{causes:?}");
        }
    }
}
