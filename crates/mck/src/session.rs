//! What all commands begin with: the file, the environment, its folder on this machine.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mck_blueprint::Blueprint;
use mck_environment::{Environment, EnvironmentFile, settings::Target};
use mck_local::{
    layout::{self, Layout},
    origin::{self, Origin},
};

use crate::{
    cli::GlobalOptions, environment_variables, exit::Exit, failure::Failure, printer::Printer,
};

/// The file's usual name.
pub const FILE_NAME: &str = "magecloudkit.toml";

/// The environment of this machine.
const LOCAL: &str = "local";

/// A command's surroundings.
#[derive(Debug)]
pub struct Session<'a> {
    /// The only place that prints.
    pub printer: &'a Printer,
    file: Option<PathBuf>,
    environment: Option<String>,
}

/// A file as it was read.
#[derive(Debug)]
pub struct ReadFile {
    /// Its absolute path.
    pub path: PathBuf,
    /// The path for messages: relative to the current folder where it is below it.
    pub shown: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// An environment that runs here or may, with all that is known of it.
#[derive(Debug)]
pub struct LocalEnvironment {
    /// What the file says.
    pub environment: Environment,
    /// What comes of it.
    pub blueprint: Blueprint,
    /// Where it is kept.
    pub layout: Layout,
}

impl<'a> Session<'a> {
    /// A session as the command line asks for.
    pub fn new(options: &GlobalOptions, printer: &'a Printer) -> Self {
        Self {
            printer,
            file: options.file.clone(),
            environment: options.environment.clone(),
        }
    }

    /// The environment's name: `local` where none is named.
    pub fn environment_name(&self) -> &str {
        self.environment.as_deref().unwrap_or(LOCAL)
    }

    /// The environment that the command line names, if it names one.
    pub fn named_environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// The file that the command line names, if it names one.
    pub fn named_file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The folder of all local environments.
    pub fn state_folder(&self) -> PathBuf {
        environment_variables::state_folder()
    }

    /// Whether there is an environment file, or the command line names one.
    pub fn has_file(&self) -> bool {
        self.file.is_some()
            || std::env::current_dir().is_ok_and(|here| find_upwards(&here).is_some())
    }

    /// Finds and reads the environment file.
    pub fn read_file(&self) -> Result<ReadFile, Failure> {
        let here = here()?;
        match &self.file {
            Some(file) => read_file(&here, file),
            None => {
                let found = find_upwards(&here).ok_or_else(|| {
                    let message = format!("there is no {FILE_NAME} here or in a folder above");
                    Failure::new(Exit::File, message)
                        .hint("`mck init` writes one; `--file PATH` names another")
                })?;
                read_file(&here, &found)
            }
        }
    }

    /// Reads an environment file that is not the session's own.
    pub fn read_other_file(&self, path: &Path) -> Result<ReadFile, Failure> {
        read_file(&here()?, path)
    }
    /// The environment, from its file.
    pub fn environment(&self) -> Result<(ReadFile, Environment), Failure> {
        let read = self.read_file()?;
        let file = EnvironmentFile::parse(&read.shown, &read.bytes)?;
        let environment = file.environment(self.environment_name())?;
        Ok((read, environment))
    }

    /// Whether the command line names an environment that the file puts on AWS.
    pub fn is_on_aws(&self) -> bool {
        self.environment.is_some()
            && self
                .environment()
                .is_ok_and(|(_, environment)| environment.target() == Target::Aws)
    }

    /// The environment's blueprint, from its file.
    pub fn blueprint(&self) -> Result<Blueprint, Failure> {
        let (_, environment) = self.environment()?;
        plan(&environment)
    }

    /// An environment of this machine, from its file, whether it runs or not.
    pub fn local(&self) -> Result<(ReadFile, LocalEnvironment), Failure> {
        let (read, environment) = self.environment()?;
        if environment.target() != Target::Local {
            let message = format!(
                "environment `{}` is not for this machine",
                self.environment_name()
            );
            return Err(Failure::new(Exit::Usage, message)
                .hint("`--environment local` names the one that is"));
        }
        let blueprint = plan(&environment)?;
        let layout = self.layout_of(&environment)?;
        let local = LocalEnvironment {
            environment,
            blueprint,
            layout,
        };
        Ok((read, local))
    }

    /// The folder of an environment that was applied before. A file that has mistakes by now, or is
    /// gone, does not matter: what runs can be looked at and ended.
    pub fn layout(&self) -> Result<Layout, Failure> {
        if let Some(layout) = self.applied_from_this_file() {
            return Ok(layout);
        }
        let (_, environment) = self.environment()?;
        self.layout_of(&environment)
    }

    /// As [`Self::layout`], with what was applied last.
    pub fn applied(&self) -> Result<LocalEnvironment, Failure> {
        let layout = self.layout()?;
        let name = layout.id().clone();
        let origin = Origin::load(&layout)?;
        let origin = origin.ok_or_else(|| {
            Failure::new(Exit::NotRunning, format!("environment {name} does not run"))
                .hint("`mck up` starts it")
        })?;
        let environment = origin.environment()?;
        let blueprint = plan(&environment)?;
        Ok(LocalEnvironment {
            environment,
            blueprint,
            layout,
        })
    }

    /// What was applied last; where nothing was, what the file says.
    pub fn applied_or_planned(&self) -> Result<LocalEnvironment, Failure> {
        match self.applied_from_this_file() {
            Some(_) => self.applied(),
            None => self.local().map(|(_, local)| local),
        }
    }

    fn layout_of(&self, environment: &Environment) -> Result<Layout, Failure> {
        let id =
            origin::id(environment).map_err(|error| Failure::from_error(Exit::Internal, &error))?;
        Ok(Layout::new(&self.state_folder(), id))
    }

    fn applied_from_this_file(&self) -> Option<Layout> {
        let here = std::env::current_dir().ok()?;
        let path = match &self.file {
            Some(file) => here.join(file),
            None => find_upwards(&here).unwrap_or_else(|| here.join(FILE_NAME)),
        };
        let path = fs::canonicalize(&path).unwrap_or(path);
        let state_folder = self.state_folder();
        layout::environments(&state_folder)
            .into_iter()
            .map(|id| Layout::new(&state_folder, id))
            .find(|layout| {
                let origin = Origin::load(layout).ok().flatten();
                origin
                    .is_some_and(|it| it.file == path && it.environment == self.environment_name())
            })
    }
}

/// The blueprint of an environment.
pub fn plan(environment: &Environment) -> Result<Blueprint, Failure> {
    Blueprint::plan(environment).map_err(|error| Failure::from_error(Exit::File, &error))
}

fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::new(Exit::File, "the current folder can't be read").caused_by(&error)
    })
}

/// Reads a file that is named relative to a folder.
fn read_file(here: &Path, path: &Path) -> Result<ReadFile, Failure> {
    let path = here.join(path);
    let shown = path
        .strip_prefix(here)
        .unwrap_or(&path)
        .display()
        .to_string();
    let bytes = fs::read(&path).map_err(|error| {
        let failure = Failure::new(Exit::File, format!("{shown} can't be read")).caused_by(&error);
        match error.kind() {
            io::ErrorKind::NotFound => failure.hint("`mck init` writes one"),
            _ => failure,
        }
    })?;
    let path = fs::canonicalize(&path).unwrap_or(path);
    Ok(ReadFile { path, shown, bytes })
}

fn find_upwards(folder: &Path) -> Option<PathBuf> {
    let mut candidates = folder.ancestors().map(|folder| folder.join(FILE_NAME));
    candidates.find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_above_is_found() {
        let top = tempfile::tempdir().unwrap();
        let inner = top.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(top.path().join(FILE_NAME), "").unwrap();
        assert_eq!(find_upwards(&inner), Some(top.path().join(FILE_NAME)));
        fs::write(top.path().join("a").join(FILE_NAME), "").unwrap();
        assert_eq!(
            find_upwards(&inner),
            Some(top.path().join("a").join(FILE_NAME))
        );
    }
}
