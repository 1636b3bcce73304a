//! Arguments of the verbs about releases, deployments, scale and drills.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, ValueHint};
use mck_drill::{DrillKind, MAXIMUM_RATE};

use crate::{environment_variables as variables, time::parse_span};

/// `mck build`
#[derive(Debug, Args)]
pub struct BuildOptions {
    /// The app [default: the only app]
    pub app: Option<String>,
    /// What /REVISION.txt says [default: git's revision, else the release's id]
    #[arg(long, value_parser = parse_revision)]
    pub revision: Option<String>,
    /// On AWS: the image that containers of a base image are built on, such as
    /// nginx=HOST/NAME:TAG or nginx=oci:FOLDER [default: the file's base-image]
    #[arg(
        long,
        value_name = "NAME=IMAGE",
        env = variables::BASE_IMAGES,
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = parse_base
    )]
    pub base: Vec<(String, String)>,
    /// On AWS: write the images into this folder, as OCI layouts, and send them nowhere
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with = "registry")]
    pub out: Option<PathBuf>,
    /// On AWS: send the images to this registry, not to the account's
    #[arg(long, value_name = "HOST")]
    pub registry: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub fn parse_base(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, image)) if !name.is_empty() && !image.is_empty() => {
            Ok((name.to_owned(), image.to_owned()))
        }
        _ => Err("write NAME=IMAGE".to_owned()),
    }
}

/// `mck releases`
#[derive(Debug, Args)]
pub struct ReleasesOptions {
    /// The app [default: all apps]
    pub app: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `mck deploy`
#[derive(Debug, Args)]
pub struct DeployOptions {
    /// The app [default: the only app]
    pub app: Option<String>,
    /// A release that there is, by its id or the beginning of it [default: one made of the source; on AWS
    /// the newest one that was pushed]
    #[arg(long, value_name = "ID", conflicts_with = "stop")]
    pub release: Option<String>,
    /// Stop the deployment in progress and go back to the one before
    #[arg(long)]
    pub stop: bool,
    /// Do not wait until it has ended
    #[arg(long)]
    pub detach: bool,
}

/// `mck rollback`
#[derive(Debug, Args)]
pub struct RollbackOptions {
    /// The app [default: the only app]
    pub app: Option<String>,
    /// Do not wait until it has ended
    #[arg(long)]
    pub detach: bool,
}

/// `mck scale`
#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub struct ScaleOptions {
    /// The app
    #[arg(required_unless_present = "cluster", conflicts_with = "cluster")]
    pub app: Option<String>,
    /// An App Cluster, whose App Servers are scaled
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// The number of tasks or App Servers
    #[arg(value_name = "N")]
    pub count: u32,
}

/// `mck drill`
#[derive(Debug, Args)]
pub struct DrillOptions {
    /// What to break
    #[arg(value_enum)]
    pub drill: Drill,
    /// The app that gets the load [default: the only app]
    #[arg(long)]
    pub app: Option<String>,
    /// Requests per second
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAXIMUM_RATE)))]
    pub rate: u32,
    /// How long the load lasts, such as 60s or 2m; longer where the recovery takes longer
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = parse_span)]
    pub duration: Duration,
    /// What is wrong with the release of `deploy-bad` [default: never-healthy]
    #[arg(long, value_enum)]
    pub kind: Option<BadKind>,
    /// How many deployments in a row `deploy-good` makes under one load [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10))]
    pub repeat: Option<u32>,
    /// Also write the report to a file: HTML or JSON, by its name's ending
    #[arg(long, value_name = "FILE", value_parser = parse_report, value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// What can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Drill {
    /// All that runs in the zone of the database's writer is lost
    ZoneLoss,
    /// An App Server is lost with its tasks
    ServerLoss,
    /// A task is killed
    TaskLoss,
    /// A node of the load balancer is killed
    LbLoss,
    /// The database's writer is killed
    DbFailover,
    /// The primary of the session cache is killed
    CacheFailover,
    /// A release that can't work is deployed
    DeployBad,
    /// A good release is deployed
    DeployGood,
}

impl Drill {
    /// The drill as its library knows it.
    pub const fn kind(self) -> DrillKind {
        match self {
            Self::ZoneLoss => DrillKind::ZoneLoss,
            Self::ServerLoss => DrillKind::ServerLoss,
            Self::TaskLoss => DrillKind::TaskLoss,
            Self::LbLoss => DrillKind::LbLoss,
            Self::DbFailover => DrillKind::DbFailover,
            Self::CacheFailover => DrillKind::CacheFailover,
            Self::DeployBad => DrillKind::DeployBad,
            Self::DeployGood => DrillKind::DeployGood,
        }
    }
}

/// What is wrong with a bad release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BadKind {
    /// Its health check fails from the beginning
    NeverHealthy,
    /// It becomes healthy, and its php-fpm ends soon after
    Crashing,
    /// It is the same release, with a table prefix that it refuses
    WrongConfig,
}

/// A revision: one line that a shell and a browser can show.
fn parse_revision(text: &str) -> Result<String, String> {
    let allowed = |one: char| one.is_ascii_graphic();
    if (1..=100).contains(&text.len()) && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("it must be 1 to 100 letters, digits and signs without a space".to_owned())
    }
}

fn parse_report(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("html" | "json") => Ok(path),
        _ => Err("it must end in `.html` or `.json`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_one_word() {
        assert_eq!(parse_revision("v1.2-rc/3"), Ok("v1.2-rc/3".to_owned()));
        for wrong in ["", "two words", "two\nlines", "ä", &"x".repeat(101)] {
            assert!(parse_revision(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_report_is_html_or_json() {
        assert!(parse_report("a/b.html").is_ok());
        assert!(parse_report("b.json").is_ok());
        assert!(parse_report("b.pdf").is_err());
        assert!(parse_report("html").is_err());
    }
}
