//! `mck secret` of an environment on AWS.

use jiff::Timestamp;
use mck_aws::{Rotated, SecretError, SecretState};
use mck_blueprint::{
    model::{Secret, SecretOrigin},
    views::Table,
};
use serde_json::json;

use super::{OnAws, connect};
use crate::{
    cli::{RotateOptions, SecretCommand},
    commands::secret::{find, not_ours, read_value, require_terminal},
    exit::Exit,
    failure::Failure,
    session::Session,
    table,
    time::relative,
};

/// What makes running tasks read their secrets again.
const DEPLOY: (&str, &str) = (
    "aws ecs update-service --force-new-deployment --cluster CLUSTER --service APP",
    "makes running tasks read it, which they do when they start; so does the next deployment",
);

pub fn run(session: &Session<'_>, command: &SecretCommand) -> Result<(), Failure> {
    let on_aws = connect(session)?;
    match command {
        SecretCommand::Set(secret) => set(session, &on_aws, &secret.name),
        SecretCommand::List(options) => list(session, &on_aws, options.json),
        SecretCommand::Show(secret) => show(session, &on_aws, &secret.name),
        SecretCommand::Rotate(options) => rotate(session, &on_aws, options),
    }
}

fn set(session: &Session<'_>, on_aws: &OnAws, name: &str) -> Result<(), Failure> {
    let secret = find(&on_aws.blueprint.secrets, name)?;
    let value = read_value(session, name)?;
    on_aws.account.set_secret(&on_aws.blueprint, name, &value)?;
    session.printer.note(format_args!("{name} is set."));
    if matches!(secret.origin, SecretOrigin::Generated(_)) {
        session
            .printer
            .hint("a data store that has this password is not told: it keeps the one it has");
    }
    session.printer.next(&[DEPLOY]);
    Ok(())
}

fn list(session: &Session<'_>, on_aws: &OnAws, as_json: bool) -> Result<(), Failure> {
    let states = on_aws.account.secret_states(&on_aws.blueprint)?;
    let secrets = on_aws.blueprint.secrets.iter().zip(&states);
    let printer = session.printer;
    if as_json {
        let values = secrets.map(|(secret, state)| {
            json!({
                "name": secret.name,
                "description": secret.description,
                "origin": secret.origin,
                "set": state.has_value,
                "changed": state.changed,
            })
        });
        printer.json(&values.collect::<Vec<_>>());
        return Ok(());
    }
    let secrets: Vec<_> = secrets.collect();
    let all = rows(&secrets, Timestamp::now());
    printer.result(table::render(
        &all,
        printer.out_style(),
        printer.out_width(),
    ));
    let missing: Vec<&str> = secrets
        .iter()
        .filter(|(secret, state)| secret.origin == SecretOrigin::Provided && !state.has_value)
        .map(|(secret, _)| secret.name.as_str())
        .collect();
    if !missing.is_empty() {
        printer.hint(format_args!(
            "tasks that use {} can't start before `mck secret set` gave a value",
            missing.join(", ")
        ));
    }
    Ok(())
}

fn rows(secrets: &[(&Secret, &SecretState)], now: Timestamp) -> Table {
    let rows = secrets.iter().map(|(secret, state)| {
        let (origin, word) = match (secret.origin, state.is_kept_by_rds, state.has_value) {
            (_, true, true) => ("kept by RDS", "set"),
            (_, true, false) => ("kept by RDS", "made by `mck apply`"),
            (SecretOrigin::Generated(_), _, true) => ("made by the kit", "set"),
            (SecretOrigin::Generated(_), _, false) => ("made by the kit", "made by `mck apply`"),
            (SecretOrigin::Provided, _, true) => ("given by you", "set"),
            (SecretOrigin::Provided, _, false) => ("given by you", "missing"),
        };
        let changed = state.changed.as_ref().filter(|_| state.has_value);
        let changed = changed.and_then(|time| time.parse().ok());
        vec![
            secret.name.clone(),
            origin.to_owned(),
            word.to_owned(),
            changed.map_or_else(|| "–".to_owned(), |time| relative(time, now)),
            secret.description.clone(),
        ]
    });
    let columns = ["Name", "Origin", "State", "Changed", "What for"];
    table::table("Secrets", &columns, rows.collect())
}

fn show(session: &Session<'_>, on_aws: &OnAws, name: &str) -> Result<(), Failure> {
    find(&on_aws.blueprint.secrets, name)?;
    require_terminal()?;
    match on_aws.account.secret_value(&on_aws.blueprint, name)? {
        Some(value) => {
            session.printer.result(value.expose());
            Ok(())
        }
        None => Err(
            Failure::new(Exit::SecretMissing, format!("{name} has no value yet"))
                .hint("`mck apply` makes those of the kit, `mck secret set` sets yours"),
        ),
    }
}

fn rotate(session: &Session<'_>, on_aws: &OnAws, options: &RotateOptions) -> Result<(), Failure> {
    let secret = find(&on_aws.blueprint.secrets, &options.name)?;
    let (account, blueprint) = (&on_aws.account, &on_aws.blueprint);
    let rotated = if options.discard_old {
        account.discard_old_secret(blueprint, secret)?
    } else {
        account.rotate_secret(blueprint, secret)?
    };
    let (name, printer) = (&secret.name, session.printer);
    match rotated {
        Rotated::Value => {
            printer.note(format_args!("{name} has a new value."));
            printer.next(&[DEPLOY]);
        }
        Rotated::BothValid => {
            printer.note(format_args!(
                "{name} has a new value. The database takes the one from before as well."
            ));
            let discard = format!("mck secret rotate {name} --discard-old");
            let after = "makes the database forget the old one, once no task uses it";
            printer.next(&[DEPLOY, (&discard, after)]);
        }
        Rotated::OldGone => printer.note(format_args!(
            "The database no longer takes the value of {name} from before."
        )),
        Rotated::ByRds => printer.note(format_args!(
            "RDS gives {name} a new value within a minute or so; no app uses it."
        )),
    }
    Ok(())
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Aws(error) => error.into(),
            SecretError::Database { name, source } => {
                Self::from(source).caused_by(&std::io::Error::other(format!(
                    "{name} was to get a new value; what apps use is valid as before"
                )))
            }
            SecretError::Provided { name } => not_ours(&name),
            SecretError::NotMade { .. } => Self::from_error(Exit::NotRunning, &error)
                .hint("`mck apply` makes it, without a value"),
            SecretError::KeptByRds { ref name } => {
                let hint = format!("`mck secret rotate {name}` makes RDS change it");
                Self::from_error(Exit::Usage, &error).hint(hint)
            }
            SecretError::Refused { ref steps, .. } => {
                let failure = Self::from_error(Exit::Usage, &error);
                steps
                    .iter()
                    .fold(failure, |failure, step| failure.hint(step.as_str()))
            }
            SecretError::NothingOld { .. } => Self::from_error(Exit::Usage, &error),
            SecretError::Unsettled { .. } => Self::from_error(Exit::NotHealthy, &error)
                .hint("the same command goes on where it was"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Style;

    #[test]
    fn each_secret_has_a_row_and_no_value() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let secret = |name: &str, origin| Secret {
            name: name.to_owned(),
            description: format!("What {name} is for"),
            symbols: String::new(),
            origin,
        };
        let state = |name: &str, has_value, is_kept_by_rds| SecretState {
            name: name.to_owned(),
            has_value,
            is_kept_by_rds,
            changed: Some("2027-01-15T07:00:00Z".to_owned()),
        };
        let all = [
            (
                secret("database-master-password", SecretOrigin::Generated(32)),
                state("database-master-password", true, true),
            ),
            (
                secret("shop-database-password", SecretOrigin::Generated(32)),
                state("shop-database-password", true, false),
            ),
            (
                secret("algolia-key", SecretOrigin::Provided),
                state("algolia-key", false, false),
            ),
        ];
        let all: Vec<_> = all.iter().map(|(secret, state)| (secret, state)).collect();
        insta::assert_snapshot!(table::render(&rows(&all, now), Style::new(false), None));
    }
}
