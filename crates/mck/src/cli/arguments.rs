//! Arguments of each verb.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use mck_blueprint::views::View;

use crate::time::parse_span;

/// `mck init`
#[derive(Debug, Args)]
pub struct InitOptions {
    /// What the project runs first
    #[arg(long, value_enum, default_value = "magento2")]
    pub app: InitApp,
    /// The project's name [default: the folder's]
    #[arg(long)]
    pub name: Option<String>,
    /// Also write a pipeline that checks, plans, builds and deploys; the environment file may be
    /// there already
    #[arg(long, value_enum, value_name = "SERVICE")]
    pub ci: Option<CiService>,
}

/// A service of continuous integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CiService {
    /// GitHub Actions: .github/workflows/magecloudkit.yml
    Github,
    /// CircleCI: .circleci/config.yml
    Circleci,
    /// GitLab CI/CD: .gitlab-ci.yml
    Gitlab,
    /// Jenkins: Jenkinsfile
    Jenkins,
}

/// The app of a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitApp {
    /// Magento Open Source or Adobe Commerce 2.4
    Magento2,
    /// Magento 1.9 or OpenMage
    Magento1,
    /// WordPress from the distribution's packages
    Wordpress,
    /// The example shop, or one built to its contract
    Storefront,
}

/// `mck check`
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `mck show`
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// The part to show
    #[arg(value_enum, default_value = "summary")]
    pub part: Part,
    /// Print JSON: the blueprint's own values
    #[arg(long)]
    pub json: bool,
}

/// A part of the blueprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// One line for each part
    Summary,
    /// Zones, subnets, routes, NAT gateways
    Network,
    /// Who may reach whom, and why
    Access,
    /// App Clusters, App Servers and other server roles
    Clusters,
    /// Apps, containers, routes, jobs, hooks
    Apps,
    /// Database, caches, file system
    Data,
    /// Names of the private and the public zone
    Dns,
    /// Secrets by name
    Secrets,
    /// Alarms
    Alarms,
    /// Vendors
    Integrations,
    /// Everything
    Blueprint,
}

impl Part {
    /// The views that it consists of; none for the summary.
    pub fn views(self) -> Vec<View> {
        match self {
            Self::Summary => Vec::new(),
            Self::Network => vec![View::Network],
            Self::Access => vec![View::Access],
            Self::Clusters => vec![View::Clusters],
            Self::Apps => vec![View::Apps],
            Self::Data => vec![View::Data],
            Self::Dns => vec![View::Dns],
            Self::Secrets => vec![View::Secrets],
            Self::Alarms => vec![View::Alarms],
            Self::Integrations => vec![View::Integrations],
            Self::Blueprint => View::ALL.to_vec(),
        }
    }
}

/// `mck doctor`
#[derive(Debug, Args)]
pub struct DoctorOptions {
    /// Install the Debian packages that are missing
    #[arg(long)]
    pub install: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `mck up`
#[derive(Debug, Args)]
pub struct UpOptions {
    /// Install the Debian packages that are missing
    #[arg(long)]
    pub install: bool,
    /// Do not wait until it is healthy
    #[arg(long)]
    pub detach: bool,
}

/// `mck status`
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print it again whenever it changes, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// `mck logs`
#[derive(Debug, Args)]
pub struct LogsOptions {
    /// An app, task, container of a task (TASK.CONTAINER) or server; all without it
    pub what: Option<String>,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// Begin so long ago, such as 90s, 10m, 2h or 1d
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub since: Option<Duration>,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `mck exec`
#[derive(Debug, Args)]
pub struct ExecOptions {
    /// An app, task, container of a task (TASK.CONTAINER) or server [default: the only app]
    pub what: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<String>,
}

/// `mck run`
#[derive(Debug, Args)]
pub struct RunOptions {
    /// The app whose code, settings and secrets the task gets [default: the only app]
    pub app: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<String>,
}

/// `mck ssh`
#[derive(Debug, Args)]
pub struct SshOptions {
    /// The Bastion or an App Server
    #[arg(default_value = "bastion")]
    pub server: String,
    /// A command to run instead of a shell
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<String>,
}

/// `mck db`
#[derive(Debug, Subcommand)]
pub enum DatabaseCommand {
    /// Open a database shell on the writer
    Shell(DatabaseShellOptions),
    /// Write a schema's tables and data as SQL
    Export(ExportOptions),
    /// Run SQL from a file or the standard input
    Import(ImportOptions),
    /// Take a snapshot of the whole database while it runs
    Snapshot(SnapshotOptions),
    /// List the snapshots, and the spans of time that can be restored
    Snapshots(SnapshotOptions),
    /// Prove a snapshot: restore it aside and check every table
    Verify(SnapshotName),
    /// Put the database back to a snapshot or a moment
    Restore(DatabaseRestoreOptions),
    /// Remove a snapshot
    DeleteSnapshot(SnapshotName),
    /// Make a reader the writer
    Failover,
    /// Make the apps' schemas and users, as the first deployment does
    Prepare,
}

/// `mck db snapshot` and `mck db snapshots`
#[derive(Debug, Args)]
pub struct SnapshotOptions {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A snapshot of the database.
#[derive(Debug, Args)]
pub struct SnapshotName {
    /// The snapshot, as `mck db snapshots` lists it
    pub snapshot: String,
}

/// `mck db restore`
#[derive(Debug, Args)]
pub struct DatabaseRestoreOptions {
    /// The snapshot, as `mck db snapshots` lists it
    #[arg(required_unless_present = "time", conflicts_with = "time")]
    pub snapshot: Option<String>,
    /// The moment before the first write of this second, such as 2026-01-02T03:04:05Z
    #[arg(long, value_name = "TIME")]
    pub time: Option<jiff::Timestamp>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// An app.
#[derive(Debug, Args)]
pub struct AppName {
    /// The app [default: the only app]
    pub app: Option<String>,
}

/// How the database of an environment on AWS is reached.
#[derive(Debug, Args)]
pub struct ReachOptions {
    /// The certificates of RDS' authorities, as AWS has them for download (AWS) [default:
    /// mck/rds-global-bundle.pem in the folder of the user's data]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub ca: Option<PathBuf>,
}

/// `mck db shell`
#[derive(Debug, Args)]
pub struct DatabaseShellOptions {
    /// The app [default: the only app]
    pub app: Option<String>,
    /// Be the master user instead of the app's (AWS; on this machine one is root)
    #[arg(long)]
    pub master: bool,
    #[command(flatten)]
    pub reach: ReachOptions,
    /// Arguments of the client, such as -e 'SELECT 1'
    #[arg(last = true, value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

/// `mck db export`
#[derive(Debug, Args)]
pub struct ExportOptions {
    /// The app [default: the only app]
    pub app: Option<String>,
    /// The file to write, compressed if its name ends with .gz or .zst [default: the standard
    /// output]
    #[arg(long, short, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub reach: ReachOptions,
}

/// `mck db import`
#[derive(Debug, Args)]
pub struct ImportOptions {
    /// The app [default: the only app]
    pub app: Option<String>,
    /// The file to read, which may be compressed by gzip or zstd [default: the standard input]
    #[arg(long, short, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub input: Option<PathBuf>,
    /// Do not ask (AWS; on this machine nothing is asked)
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub reach: ReachOptions,
}

/// `mck cache`
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Flush an app's caches as the app itself does it
    Flush(AppName),
}

/// `mck secret`
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Set a secret; its value is asked for, or read from the standard input
    Set(SecretName),
    /// List the environment's secrets; never their values
    List(ListOptions),
    /// Print a secret's value
    Show(SecretName),
    /// Give a secret that the kit makes a new random value
    Rotate(RotateOptions),
}

/// `mck secret rotate`
#[derive(Debug, Args)]
pub struct RotateOptions {
    /// The secret's name in the file
    pub name: String,
    /// Make no new value: let the database forget the one from before, when no task uses it any more
    #[arg(long)]
    pub discard_old: bool,
}

/// A secret.
#[derive(Debug, Args)]
pub struct SecretName {
    /// The secret's name in the file
    pub name: String,
}

/// `mck secret list`
#[derive(Debug, Args)]
pub struct ListOptions {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `mck events`
#[derive(Debug, Args)]
pub struct EventsOptions {
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `mck destroy`
#[derive(Debug, Args)]
pub struct DestroyOptions {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Delete this stack on AWS though it is protected, such as `data`
    #[arg(long, value_name = "STACK")]
    pub unprotect: Vec<String>,
    /// On AWS, remove the project's global stacks as well, where no other environment uses them
    #[arg(long)]
    pub global: bool,
    /// With `--global`: delete the image repositories, which stay otherwise, with all their images
    #[arg(long, requires = "global")]
    pub delete_images: bool,
}

/// `mck completions`
#[derive(Debug, Args)]
pub struct CompletionsOptions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `mck reference`
#[derive(Debug, Args)]
pub struct ReferenceOptions {
    /// The folder to write to
    #[arg(default_value = "docs", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
}
