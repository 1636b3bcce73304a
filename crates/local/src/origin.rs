//! Where an environment comes from, and what is made of it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mck_blueprint::{
    Blueprint, PlanningError,
    model::{Secret, SecretOrigin},
};
use mck_environment::{Diagnostics, Environment, EnvironmentFile};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::Accounts,
    id::{EnvironmentId, InvalidEnvironmentId},
    keys::{self, KeyError},
    layout::{Layout, write_atomically},
    secrets::{SecretError, SecretStore},
    servers::{
        Context,
        data::{control_secret, replication_secret},
        edge::STICKINESS_SECRET,
    },
};

/// An environment as it was asked for: the file's text, so that it can be planned again at any
/// time, and where the text came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Origin {
    /// The file's absolute path; sources of apps are relative to its folder.
    pub file: PathBuf,
    /// The environment's name.
    pub environment: String,
    /// The file's text.
    pub text: String,
}

/// Why an environment could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// The file has mistakes.
    #[error("{} has mistakes", file.display())]
    Environment {
        /// The file.
        file: PathBuf,
        /// The mistakes.
        source: Box<Diagnostics>,
    },
    /// No blueprint can be planned from it.
    #[error(transparent)]
    Planning(#[from] PlanningError),
    /// Its name can't be an id.
    #[error(transparent)]
    Id(#[from] InvalidEnvironmentId),
    /// A file could not be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Secrets could not be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Keys could not be had.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Origin {
    /// The environment that the text describes.
    ///
    /// # Errors
    /// When the text has mistakes.
    pub fn environment(&self) -> Result<Environment, OriginError> {
        let mistakes = |source| OriginError::Environment {
            file: self.file.clone(),
            source: Box::new(source),
        };
        EnvironmentFile::parse(&self.file.display().to_string(), self.text.as_bytes())
            .and_then(|file| file.environment(&self.environment))
            .map_err(mistakes)
    }

    /// The folder that sources of apps are relative to.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// What was applied last in a layout; none if nothing was.
    ///
    /// # Errors
    /// When the files can't be read.
    pub fn load(layout: &Layout) -> Result<Option<Self>, OriginError> {
        let path = layout.environment_origin();
        let at = |source| OriginError::File {
            path: path.clone(),
            source,
        };
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|error| at(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(error)),
        }
    }

    /// Writes down what is applied.
    ///
    /// # Errors
    /// When the files can't be written, as on a full disk.
    pub fn save(&self, layout: &Layout) -> Result<(), OriginError> {
        let path = layout.environment_origin();
        serde_json::to_vec(self)
            .map_err(io::Error::from)
            .and_then(|text| write_atomically(&path, &text))
            .map_err(|source| OriginError::File { path, source })
    }
}

/// The id of an environment on this machine.
///
/// # Errors
/// When its names can't be in one, which the check of the file rules out.
pub fn id(environment: &Environment) -> Result<EnvironmentId, InvalidEnvironmentId> {
    EnvironmentId::new(format!("{}-{}", environment.project, environment.name))
}

/// Everything that servers are planned from; `folder` is the environment file's. Makes secrets and keys that are missing.
///
/// # Errors
/// When no blueprint can be planned, or secrets, keys or the machine's users can't be had.
pub fn prepare(
    environment: &Environment,
    folder: &Path,
    layout: &Layout,
) -> Result<Context, OriginError> {
    let blueprint = Blueprint::plan(environment)?;
    let accounts = Accounts::read(Path::new("/")).map_err(|source| OriginError::File {
        path: PathBuf::from("/etc/passwd"),
        source,
    })?;
    let mut secrets = blueprint.secrets.clone();
    secrets.extend(local_secrets(&blueprint));
    let secrets = SecretStore::new(layout.secrets()).ensure(&secrets)?;
    let keys = keys::ensure(
        &layout.keys(),
        &shell_servers(&blueprint),
        &hosts(&blueprint),
    )?;
    Ok(Context {
        blueprint,
        folder: folder.to_owned(),
        layout: layout.clone(),
        accounts,
        secrets,
        keys,
    })
}

/// Secrets that only the servers of this target have among themselves.
fn local_secrets(blueprint: &Blueprint) -> Vec<Secret> {
    let redis = blueprint
        .redis
        .iter()
        .map(|redis| control_secret(&redis.name));
    let names = redis.chain([
        replication_secret().to_owned(),
        STICKINESS_SECRET.to_owned(),
    ]);
    names
        .map(|name| Secret {
            name,
            description: "between servers of the local target".to_owned(),
            symbols: String::new(),
            origin: SecretOrigin::Generated(40),
        })
        .collect()
}

/// The names of the servers that people log in to.
fn shell_servers(blueprint: &Blueprint) -> Vec<String> {
    let bastion = blueprint.bastion.iter().map(|bastion| &bastion.node);
    let servers = blueprint
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.servers)
        .map(|server| &server.node);
    bastion
        .chain(servers)
        .map(|node| node.name.clone())
        .collect()
}

/// The names that the load balancer's certificate is for.
fn hosts(blueprint: &Blueprint) -> Vec<String> {
    let rules = blueprint
        .apps
        .iter()
        .filter_map(|app| app.listener_rule.as_ref());
    let mut hosts: Vec<String> = rules.flat_map(|rule| rule.hosts.clone()).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}
