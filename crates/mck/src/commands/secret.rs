//! `mck secret`

use std::io::{self, IsTerminal, Read};

use mck_blueprint::model::{Secret, SecretOrigin};
use mck_local::secrets::{SecretError, SecretStore, random_text};
use serde_json::json;

use super::{on_aws, require_root};
use crate::{
    cli::{RotateOptions, SecretCommand},
    client_failure::file,
    exit::Exit,
    failure::{Failure, unknown},
    hidden,
    session::{LocalEnvironment, Session},
    table,
};

/// The longest value: AWS Secrets Manager's limit in bytes.
const LONGEST: u64 = 65_536;

pub fn run(session: &Session<'_>, command: &SecretCommand) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::secret::run(session, command);
    }
    require_root()?;
    let (_, local) = session.local()?;
    match command {
        SecretCommand::Set(secret) => set(session, &local, &secret.name),
        SecretCommand::List(options) => list(session, &local, options.json),
        SecretCommand::Show(secret) => show(session, &local, &secret.name),
        SecretCommand::Rotate(options) => rotate(session, &local, options),
    }
}

/// The secret of that name.
pub(super) fn find<'a>(secrets: &'a [Secret], name: &str) -> Result<&'a Secret, Failure> {
    secrets
        .iter()
        .find(|secret| secret.name == name)
        .ok_or_else(|| {
            let known: Vec<String> = secrets.iter().map(|secret| secret.name.clone()).collect();
            unknown("secret", name, &known).hint(format!(
                "the file declares a secret with `[secret.{name}]`, or where an app uses it"
            ))
        })
}

fn set(session: &Session<'_>, local: &LocalEnvironment, name: &str) -> Result<(), Failure> {
    find(&local.blueprint.secrets, name)?;
    let value = read_value(session, name)?;
    local
        .layout
        .prepare()
        .map_err(|error| file(local.layout.top(), &error))?;
    SecretStore::new(local.layout.secrets()).set(name, &value)?;
    session.printer.note(format_args!("{name} is set."));
    session.printer.next(&[("mck up", "hands it to the apps")]);
    Ok(())
}

/// The value from a prompt that shows nothing, or from the standard input without its last line
/// break; never empty.
pub(super) fn read_value(session: &Session<'_>, name: &str) -> Result<String, Failure> {
    let value = ask_value(session, name)?;
    if value.is_empty() {
        return Err(Failure::new(Exit::Usage, "the value is empty"));
    }
    Ok(value)
}

fn ask_value(session: &Session<'_>, name: &str) -> Result<String, Failure> {
    let failed =
        |error: &io::Error| Failure::new(Exit::Usage, "the value can't be read").caused_by(error);
    if io::stdin().is_terminal() {
        session
            .printer
            .draw(&format!("Value of {name} (not shown): "));
        let value = hidden::read_line().map_err(|error| failed(&error));
        session.printer.draw("\n");
        return value?
            .ok_or_else(|| Failure::new(Exit::Interrupted, "interrupted; nothing was changed"));
    }
    let mut value = String::new();
    let length = io::stdin()
        .lock()
        .take(LONGEST + 1)
        .read_to_string(&mut value)
        .map_err(|error| failed(&error))?;
    if length as u64 > LONGEST {
        return Err(Failure::new(
            Exit::Usage,
            format!("the value is longer than {LONGEST} bytes"),
        ));
    }
    let value = value.strip_suffix('\n').unwrap_or(&value);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

fn list(session: &Session<'_>, local: &LocalEnvironment, as_json: bool) -> Result<(), Failure> {
    let store = SecretStore::new(local.layout.secrets());
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for secret in &local.blueprint.secrets {
        let is_set = store.get(&secret.name)?.is_some();
        let (origin, state) = match (secret.origin, is_set) {
            (SecretOrigin::Generated(_), true) => ("made by the kit", "set"),
            (SecretOrigin::Generated(_), false) => ("made by the kit", "made by `mck up`"),
            (SecretOrigin::Provided, true) => ("given by you", "set"),
            (SecretOrigin::Provided, false) => ("given by you", "missing"),
        };
        rows.push(
            [&secret.name, origin, state, &secret.description]
                .map(str::to_owned)
                .to_vec(),
        );
        values.push(json!({
            "name": secret.name,
            "description": secret.description,
            "origin": secret.origin,
            "set": is_set,
        }));
    }
    let printer = session.printer;
    if as_json {
        printer.json(&values);
    } else {
        let all = table::table("Secrets", &["Name", "Origin", "State", "What for"], rows);
        printer.result(table::render(
            &all,
            printer.out_style(),
            printer.out_width(),
        ));
    }
    Ok(())
}

fn show(session: &Session<'_>, local: &LocalEnvironment, name: &str) -> Result<(), Failure> {
    find(&local.blueprint.secrets, name)?;
    require_terminal()?;
    match SecretStore::new(local.layout.secrets()).get(name)? {
        Some(value) => {
            session.printer.result(value);
            Ok(())
        }
        None => Err(
            Failure::new(Exit::SecretMissing, format!("{name} has no value yet"))
                .hint("`mck up` makes those of the kit, `mck secret set` sets yours"),
        ),
    }
}

/// An error unless a person looks at what is printed.
pub(super) fn require_terminal() -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        return Ok(());
    }
    let message = "a secret's value is shown on a terminal only, so that no log keeps it";
    Err(Failure::new(Exit::Usage, message))
}

/// A new random value. `mck up` hands it to the data stores and the apps together.
fn rotate(
    session: &Session<'_>,
    local: &LocalEnvironment,
    options: &RotateOptions,
) -> Result<(), Failure> {
    let name = options.name.as_str();
    let secret = find(&local.blueprint.secrets, name)?;
    let SecretOrigin::Generated(length) = secret.origin else {
        return Err(not_ours(name));
    };
    if local.blueprint.is_encryption_key(name) {
        let message = format!("{name} is the key of what apps have encrypted in the database");
        return Err(Failure::new(Exit::Usage, message).hint(
            "make a new one by Magento's own means (`bin/magento encryption:key:change`), then hand \
             that in with `mck secret set`",
        ));
    }
    if options.discard_old {
        let message = format!("there is no value of {name} from before that anything takes");
        return Err(Failure::new(Exit::Usage, message));
    }
    let value = random_text(length.into()).map_err(SecretError::Random)?;
    SecretStore::new(local.layout.secrets()).set(name, &value)?;
    session
        .printer
        .note(format_args!("{name} has a new value."));
    session.printer.next(&[("mck up", "hands it to the apps")]);
    Ok(())
}

/// The kit makes no value for what the user gives.
pub(super) fn not_ours(name: &str) -> Failure {
    let message = format!("{name} is yours: the kit makes no value for it");
    Failure::new(Exit::Usage, message).hint(format!("`mck secret set {name}` gives it a new one"))
}
