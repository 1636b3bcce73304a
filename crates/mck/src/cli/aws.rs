//! Arguments of the verbs for environments on AWS.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// `mck cost`
#[derive(Debug, Args)]
pub struct CostOptions {
    /// Assumptions about a month's use
    #[command(flatten)]
    pub usage: UsageOptions,
    /// Show where prices are from and how they were checked
    #[arg(long)]
    pub sources: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Assumptions about a month's use.
#[derive(Debug, Args)]
pub struct UsageOptions {
    /// Assume another use, such as `nat-gb=200`; `mck cost` lists all assumptions
    #[arg(long = "usage", value_name = "KEY=VALUE")]
    pub assumptions: Vec<String>,
}

/// `mck synth`
#[derive(Debug, Args)]
pub struct SynthOptions {
    /// The folder [default: magecloudkit.out/ENVIRONMENT beside the environment file]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Print the manifest as JSON
    #[arg(long)]
    pub json: bool,
}

/// `mck apply`
#[derive(Debug, Args)]
pub struct ApplyOptions {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Accept that this resource's data is lost, by its name or STACK/NAME
    #[arg(long, value_name = "NAME")]
    pub allow_data_loss: Vec<String>,
    /// Assumptions about a month's use
    #[command(flatten)]
    pub usage: UsageOptions,
    /// Print JSON, one line for the plan and one for each event
    #[arg(long)]
    pub json: bool,
}

/// `mck drift`
#[derive(Debug, Args)]
pub struct DriftOptions {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `mck plan`
#[derive(Debug, Args)]
pub struct PlanOptions {
    /// What there is: a file, FILE:ENVIRONMENT, or another environment of the file [default: the
    /// account]
    #[arg(long, value_name = "FILE[:ENVIRONMENT]", conflicts_with = "against")]
    pub from: Option<String>,
    /// What is wanted, in the same form [default: the file and its environment]
    #[arg(long, value_name = "FILE[:ENVIRONMENT]")]
    pub to: Option<String>,
    /// What there is: a folder that `mck synth` wrote
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub against: Option<PathBuf>,
    /// Accept that this resource's data is lost, by its name or STACK/NAME
    #[arg(long, value_name = "NAME")]
    pub allow_data_loss: Vec<String>,
    /// Assumptions about a month's use
    #[command(flatten)]
    pub usage: UsageOptions,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
