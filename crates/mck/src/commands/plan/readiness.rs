//! What only the account knows of an environment's apps before a change of their stacks: which secrets
//! have no value, and which deployments are not at their end.

use mck_aws::{AppStanding, DeployError, DeployedApp, SecretWithoutValue, Unrecorded};
use mck_aws_stacks::difference::{Difference, StackAction};
use mck_blueprint::model::App;
use mck_checker::{Finding, Severity};
use serde_json::{Value, json};

use super::account::Connected;
use crate::{exit::Exit, failure::Failure, printer::Printer, who};

/// The code of the finding that a secret has no value.
pub const SECRET_WITHOUT_VALUE: &str = "MCK-S005";

/// What only the account knows.
#[derive(Debug, Default)]
pub struct Readiness {
    apps: Vec<AppStanding>,
    secrets: Vec<SecretWithoutValue>,
}

impl Connected {
    /// Asks the account about the apps whose stacks are there.
    pub fn readiness(&self, is_there: impl Fn(&str) -> bool) -> Result<Readiness, Failure> {
        let apps = self.blueprint.apps.iter();
        let apps = apps.filter(|app| is_there(&stack_of(&app.name)));
        let apps: Vec<DeployedApp> = apps.map(|app| self.deployed(app)).collect();
        Ok(Readiness {
            apps: self.account.standing(&apps)?,
            secrets: self.account.secrets_without_value(&self.blueprint)?,
        })
    }

    fn deployed(&self, app: &App) -> DeployedApp {
        DeployedApp::of(&self.blueprint, app, who::asks())
    }

    /// Ends the deployments whose rollouts have come to their end: their releases are recorded, so that
    /// stacks do not go back to those before.
    pub fn settle(
        &self,
        readiness: &Readiness,
        printer: &Printer,
        json: bool,
    ) -> Result<(), Failure> {
        for (name, unrecorded) in readiness.unrecorded().filter(|(_, it)| it.is_rolled_out) {
            let Some(app) = self.blueprint.apps.iter().find(|it| it.name == name) else {
                continue;
            };
            let release = &unrecorded.release;
            let settled = self.account.settle_deployment(&self.deployed(app), release);
            settled.map_err(|error| match error {
                DeployError::Aws(error) => error.into(),
                error => Failure::from_error(Exit::NotRunning, &error),
            })?;
            if json {
                let event = json!({ "event": "recorded", "app": name, "release": release });
                printer.json_line(&event);
            } else {
                printer.note(format_args!(
                    "{name}: release {release} is recorded; its deployment had not been followed to its end."
                ));
            }
        }
        Ok(())
    }
}

impl Readiness {
    fn unrecorded(&self) -> impl Iterator<Item = (&str, &Unrecorded)> {
        let apps = self.apps.iter();
        apps.filter_map(|it| Some((it.app.as_str(), it.unrecorded.as_ref()?)))
    }

    /// Whether an apply has something to record.
    pub fn has_to_settle(&self) -> bool {
        self.unrecorded().any(|(_, it)| it.is_rolled_out)
    }

    /// Deployments that are not at their end, for people.
    pub fn notes(&self) -> Vec<String> {
        let told = self.unrecorded().map(|(app, it)| {
            let release = &it.release;
            if it.is_rolled_out {
                format!("{app} is of release {release}, which is not recorded yet: an apply does that first")
            } else {
                format!("{app} gets release {release} now: an apply does not touch it until that has ended")
            }
        });
        told.collect()
    }

    /// Deployments that are not at their end, for programs.
    pub fn described(&self) -> Vec<Value> {
        let told = self.unrecorded().map(|(app, it)| {
            json!({
                "app": app,
                "release": it.release,
                "recorded": it.recorded,
                "rolled-out": it.is_rolled_out,
            })
        });
        told.collect()
    }

    /// Secrets without a value, as findings.
    pub fn findings(&self, environment: &str) -> Vec<Finding> {
        let all = self.secrets.iter().map(|secret| {
            let name = &secret.name;
            let set = format!("`mck secret set {name} -e {environment}` gives it one");
            Finding {
                code: SECRET_WITHOUT_VALUE,
                severity: Severity::Warning,
                message: format!("the secret {name} has no value: tasks that use it can't start"),
                help: if secret.is_made {
                    set
                } else {
                    format!("{set}, after the apply that makes it")
                },
                setting: String::new(),
            }
        });
        all.collect()
    }

    /// Refuses a change that would undo a deployment in progress, or replace tasks by some that can't
    /// start. An app without tasks may change: nothing of it stops.
    pub fn refuse(&self, connected: &Connected, difference: &Difference) -> Result<(), Failure> {
        let environment = &connected.blueprint.environment;
        let is_changed = |app: &str| {
            let id = stack_of(app);
            let mut stacks = difference.stacks.iter();
            stacks.any(|it| it.id == id && it.action == StackAction::Update)
        };
        let mut moving = self.unrecorded().filter(|(_, it)| !it.is_rolled_out);
        if let Some((app, it)) = moving.find(|(app, _)| is_changed(app)) {
            return Err(rolling_out(app, it, environment));
        }
        let with_tasks = self.apps.iter().filter(|it| it.has_tasks);
        for standing in with_tasks.filter(|it| is_changed(&it.app)) {
            let app = connected.blueprint.apps.iter();
            let Some(app) = app.clone().find(|it| it.name == standing.app) else {
                continue;
            };
            let used = connected.deployed(app).provided_secrets;
            let unset = self.secrets.iter().filter(|secret| {
                // One that is not made yet can't have a value before its stack has made it.
                secret.is_made && used.iter().any(|(name, _)| *name == secret.name)
            });
            let names: Vec<&str> = unset.map(|it| it.name.as_str()).collect();
            if !names.is_empty() {
                return Err(secrets_missing(&names, environment));
            }
        }
        Ok(())
    }
}

/// That secrets have no value, with the commands that give them one.
pub fn secrets_missing(names: &[&str], environment: &str) -> Failure {
    let message = format!("secrets without a value: {}", names.join(", "));
    let failure = Failure::new(Exit::SecretMissing, message);
    names.iter().fold(failure, |failure, name| {
        let set = format!("mck secret set {name} -e {environment}");
        failure.hint(format!("`{set}` gives it a value"))
    })
}

fn rolling_out(app: &str, unrecorded: &Unrecorded, environment: &str) -> Failure {
    let Unrecorded {
        release, recorded, ..
    } = unrecorded;
    let back = match recorded {
        Some(recorded) => format!("go back to release {recorded}"),
        None => "take it away".to_owned(),
    };
    let deploy = format!("mck deploy {app} -e {environment}");
    let message = format!("{app} gets release {release} now, and changing its stack would {back}");
    Failure::new(Exit::Busy, message).hint(format!(
        "`{deploy} --release {release}` follows it to its end, `{deploy} --stop` goes back; then apply again"
    ))
}

/// The id of an app's stack.
fn stack_of(app: &str) -> String {
    mck_aws_stacks::StackId::App(app.to_owned()).name()
}
