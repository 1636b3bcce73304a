//! What is emulated: the apps of an environment under the names that they have in an account.

use std::collections::BTreeMap;

use mck_aws_stacks::located::{LocatedApp, ecs_cluster};
use mck_blueprint::model::{App, Blueprint, HookStage};

use crate::names::Names;

/// The apps of an environment and where they are found.
#[derive(Debug, Clone)]
pub struct World {
    /// Where everything is.
    pub names: Names,
    /// The apps.
    pub apps: Vec<EmulatedApp>,
    /// How many App Servers each cluster has here.
    pub servers: BTreeMap<String, usize>,
}

/// An app.
#[derive(Debug, Clone)]
pub struct EmulatedApp {
    /// Its names in the account.
    pub located: LocatedApp,
    /// The app as the environment has it whose names are used: what task definitions are made of.
    pub named: App,
    /// The app as it runs here: the rules that are really kept.
    pub runs: App,
}

/// What a family of task definitions is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The service.
    Service,
    /// A scheduled job, by its name.
    Job(String),
    /// A hook.
    Hook(HookStage),
    /// Commands that people run.
    Run,
}

impl World {
    /// The apps that run in the blueprint `runs`, under the names that they have in `named`: the same
    /// one, or that of another environment of the file. Apps of one alone are left out.
    pub fn new(runs: &Blueprint, named: &Blueprint) -> Self {
        let apps = runs.apps.iter().filter_map(|app| {
            let there = named.apps.iter().find(|it| it.name == app.name)?;
            Some(EmulatedApp {
                located: LocatedApp::of(named, there),
                named: there.clone(),
                runs: app.clone(),
            })
        });
        Self {
            names: Names::new(&named.region),
            apps: apps.collect(),
            servers: runs
                .clusters
                .iter()
                .map(|it| (ecs_cluster(named, &it.name), it.servers.len()))
                .collect(),
        }
    }

    /// The app of a family, and what the family is for.
    pub fn family(&self, family: &str) -> Option<(&EmulatedApp, Role)> {
        self.apps.iter().find_map(|app| {
            let roles = app.families();
            let mut roles = roles.into_iter();
            let (_, role) = roles.find(|(name, _)| name == family)?;
            Some((app, role))
        })
    }

    /// An app by its name.
    pub fn app(&self, name: &str) -> Option<&EmulatedApp> {
        self.apps.iter().find(|app| app.runs.name == name)
    }

    /// The names of the clusters, each once.
    pub fn clusters(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .apps
            .iter()
            .map(|app| app.located.cluster.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl EmulatedApp {
    /// Its families of task definitions.
    pub fn families(&self) -> Vec<(String, Role)> {
        let located = &self.located;
        let mut families = vec![(located.family.clone(), Role::Service)];
        let jobs = located.jobs.iter();
        families.extend(jobs.map(|(job, family)| (family.clone(), Role::Job(job.clone()))));
        let hooks = located.hooks.iter();
        families.extend(hooks.map(|(stage, family)| (family.clone(), Role::Hook(*stage))));
        families.push((located.run_family.clone(), Role::Run));
        families
    }
}
