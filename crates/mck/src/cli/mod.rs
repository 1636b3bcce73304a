//! What can be typed.

mod arguments;
mod aws;
mod deployments;
mod emulate;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::environment_variables as variables;

pub use arguments::{
    AppName, CacheCommand, CheckOptions, CiService, CompletionsOptions, DatabaseCommand,
    DatabaseRestoreOptions, DatabaseShellOptions, DestroyOptions, DoctorOptions, EventsOptions,
    ExecOptions, ExportOptions, ImportOptions, InitApp, InitOptions, LogsOptions, Part,
    ReferenceOptions, RotateOptions, RunOptions, SecretCommand, ShowOptions, SnapshotName,
    SnapshotOptions, SshOptions, StatusOptions, UpOptions,
};
pub use aws::{ApplyOptions, CostOptions, DriftOptions, PlanOptions, SynthOptions, UsageOptions};
pub use deployments::{
    BadKind, BuildOptions, DeployOptions, Drill, DrillOptions, ReleasesOptions, RollbackOptions,
    ScaleOptions, parse_base,
};
pub use emulate::{EmulateCommand, EmulateEcsOptions};

/// Run a Magento, WordPress or other PHP store on its whole architecture.
///
/// One file, magecloudkit.toml, describes a project and its environments. `mck up` runs one of
/// them on this machine: network, load balancer, apps, database, caches, all of them for real.
#[derive(Debug, Parser)]
#[command(
    name = "mck",
    version,
    propagate_version = true,
    disable_help_subcommand = false,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: GlobalOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// The environment file [default: magecloudkit.toml, here or above]
    #[arg(long, global = true, env = variables::FILE, hide_env_values = true, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// The environment [default: local; of plan, apply, drift, synth and cost: production, or the only one on AWS]
    #[arg(long, short, global = true, env = variables::ENVIRONMENT, hide_env_values = true, value_name = "NAME")]
    pub environment: Option<String>,
    /// Print results only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print every step
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Whether to use colour
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub color: ColorChoice,
}

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR says otherwise
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented magecloudkit.toml
    Init(InitOptions),
    /// Find mistakes and unwise choices in all environments of the file
    Check(CheckOptions),
    /// Print the JSON Schema of magecloudkit.toml, for editors
    Schema,
    /// Show the architecture that comes of an environment
    Show(ShowOptions),
    /// Estimate what an environment on AWS costs a month
    Cost(CostOptions),
    /// Write an environment's CloudFormation templates to a folder
    Synth(SynthOptions),
    /// Show what an apply does to an environment on AWS, or compare files without an account
    Plan(PlanOptions),
    /// Make an environment on AWS as the file says
    Apply(ApplyOptions),
    /// Show what was changed on AWS behind the stacks' back
    Drift(DriftOptions),
    /// Say what this machine lacks to run an environment, and how to mend it
    Doctor(DoctorOptions),
    /// Run an environment on this machine and wait until it is healthy
    Up(UpOptions),
    /// Stop an environment; its data stays
    Stop,
    /// Make a release of an app's source without deploying it
    Build(BuildOptions),
    /// List the releases of apps
    Releases(ReleasesOptions),
    /// Deploy a release, task by task, and wait until it serves
    Deploy(DeployOptions),
    /// Go back to the deployment before
    Rollback(RollbackOptions),
    /// Change the number of an app's tasks or of a cluster's App Servers
    Scale(ScaleOptions),
    /// Break something on purpose under load, and report what it did to the users
    Drill(DrillOptions),
    /// Show how an environment is
    Status(StatusOptions),
    /// Show what containers print
    Logs(LogsOptions),
    /// Run a command in a running container
    Exec(ExecOptions),
    /// Run a command in a task of its own
    Run(RunOptions),
    /// Log in to a server through the Bastion
    Ssh(SshOptions),
    /// Work with the database
    #[command(subcommand)]
    Db(DatabaseCommand),
    /// Work with the caches
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Work with secrets
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Show what happened
    Events(EventsOptions),
    /// Answer on this machine as a service of AWS does, for tests
    #[command(subcommand)]
    Emulate(EmulateCommand),
    /// Remove an environment with all its data
    Destroy(DestroyOptions),
    /// Print completions for a shell
    Completions(CompletionsOptions),
    /// Write the reference pages
    #[command(hide = true)]
    Reference(ReferenceOptions),
}
