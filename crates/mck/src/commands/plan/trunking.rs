//! The account setting that lets App Servers have network interfaces for all of their tasks.

use mck_blueprint::trunking::crowded;
use serde_json::json;

use super::account::Connected;
use crate::{failure::Failure, printer::Printer};

/// What an apply has to change of the account's settings, as people read it; empty for nothing.
#[derive(Debug, Default)]
pub struct Trunking(Vec<String>);

impl Connected {
    /// Asks the account, where an App Cluster needs trunking.
    pub fn trunking(&self) -> Result<Trunking, Failure> {
        let crowded = crowded(&self.blueprint);
        let region = &self.blueprint.region;
        if crowded.is_empty() || self.account.has_trunking(region)? {
            return Ok(Trunking::default());
        }
        let notes = crowded.iter().map(|it| {
            format!(
                "`awsvpcTrunking` is off in account {} and {region}: an apply switches it on, since \
                 App Servers of `{}` ({}) have room for {} tasks and network interfaces for {}",
                self.identity.account, it.cluster, it.instance_type, it.tasks, it.interfaces
            )
        });
        Ok(Trunking(notes.collect()))
    }

    /// Switches it on where the plan said so.
    pub fn turn_on(
        &self,
        trunking: &Trunking,
        printer: &Printer,
        as_json: bool,
    ) -> Result<(), Failure> {
        if trunking.0.is_empty() {
            return Ok(());
        }
        let region = &self.blueprint.region;
        self.account.turn_on_trunking(region)?;
        if as_json {
            let setting = json!({
                "event": "account-setting",
                "name": "awsvpcTrunking",
                "value": "enabled",
                "region": region,
            });
            printer.json_line(&setting);
        } else {
            printer.note(format_args!(
                "`awsvpcTrunking` is on in account {} and {region}; App Servers that run already get \
                 more network interfaces when they are replaced.",
                self.identity.account
            ));
        }
        Ok(())
    }
}

impl Trunking {
    /// What an apply changes, for people.
    pub fn notes(&self) -> &[String] {
        &self.0
    }
}
