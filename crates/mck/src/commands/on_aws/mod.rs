//! Verbs of environments on AWS that go around CloudFormation. They share their words and screens
//! with the local target's.

mod base_images;
mod bastion;
pub mod build;
pub mod cache;
mod data;
pub mod database;
mod database_client;
mod database_tools;
pub mod deploy;
pub mod events;
pub mod exec;
mod forward;
mod image_failure;
pub mod logs;
mod plugin;
pub mod releases;
pub mod run;
pub mod scale;
pub mod secret;
pub mod ssh;
pub mod status;
mod tasks;

use mck_aws::Account;
use mck_aws_stacks::located::LocatedApp;
use mck_blueprint::{Blueprint, model::App};

use super::choose_app;
use crate::{aws::AwsFile, failure::Failure, session::Session};

/// An environment on AWS, and the account that it is in.
pub struct OnAws {
    /// The environment.
    pub blueprint: Blueprint,
    /// The account, connected for the environment's region.
    pub account: Account,
}

/// Reads the file's environment, and finds out that we are somebody in the account: what fails for
/// want of credentials fails here, before anything is done.
pub fn connect(session: &Session<'_>) -> Result<OnAws, Failure> {
    let file = AwsFile::new(session.read_file()?)?;
    let blueprint = file.choose(session.named_environment())?.clone();
    let account = Account::connect(&blueprint.project, [blueprint.region.as_str()])?;
    account.identity()?;
    Ok(OnAws { blueprint, account })
}

impl OnAws {
    /// The named app, or the only one, and where it is found.
    pub fn app(&self, name: Option<&str>) -> Result<(&App, LocatedApp), Failure> {
        let name = choose_app(&self.blueprint, name)?;
        let found = self.blueprint.apps.iter().find(|app| app.name == name);
        let app = found.expect("it was chosen among the blueprint's apps");
        Ok((app, LocatedApp::of(&self.blueprint, app)))
    }
}
