//! A blueprint as tables, for `mck show`.
//!
//! Views decide what a person sees, not how: whoever prints them chooses widths and colours.

mod apps;
mod platform;
mod services;

use mck_environment::settings::Target;
use serde::Serialize;

use crate::model::{Blueprint, DnsTarget, Peer, PortRange};

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Table {
    /// What it is about.
    pub title: String,
    /// The columns' headings.
    pub columns: Vec<String>,
    /// Its rows, each with one cell for each column.
    pub rows: Vec<Vec<String>>,
}

/// A part of a blueprint that `mck show` can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Zones, subnets, routes, NAT gateways.
    Network,
    /// Who may reach whom, and why; what the firewall stops; how continuous integration comes in.
    Access,
    /// Apps, containers, routes, jobs, hooks.
    Apps,
    /// Database, caches, file system, search engine, message broker, backups.
    Data,
    /// Names of the private and the public zone.
    Dns,
    /// Secrets by name.
    Secrets,
    /// App Clusters, App Servers, daemons and other server roles.
    Clusters,
    /// Alarms.
    Alarms,
    /// Vendors.
    Integrations,
}

impl View {
    /// All views, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Network,
        Self::Access,
        Self::Clusters,
        Self::Apps,
        Self::Data,
        Self::Dns,
        Self::Secrets,
        Self::Alarms,
        Self::Integrations,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Access => "access",
            Self::Apps => "apps",
            Self::Data => "data",
            Self::Dns => "dns",
            Self::Secrets => "secrets",
            Self::Clusters => "clusters",
            Self::Alarms => "alarms",
            Self::Integrations => "integrations",
        }
    }

    /// The view of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }
}

impl Blueprint {
    /// The tables of a view; tables without rows are left out.
    pub fn tables(&self, view: View) -> Vec<Table> {
        let tables = match view {
            View::Network => platform::network(self),
            View::Access => [
                platform::access(self),
                vec![
                    services::firewall(self),
                    services::continuous_integration(self),
                ],
            ]
            .concat(),
            View::Apps => [apps::apps(self), vec![services::endpoints(self)]].concat(),
            View::Data => [platform::data(self), self.aws_data()].concat(),
            View::Dns => platform::dns(self),
            View::Secrets => platform::secrets(self),
            View::Clusters => [platform::clusters(self), vec![services::daemons(self)]].concat(),
            View::Alarms => platform::alarms(self),
            View::Integrations => platform::integrations(self),
        };
        tables
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect()
    }

    /// Tables of data that only AWS keeps.
    fn aws_data(&self) -> Vec<Table> {
        match self.target {
            Target::Local => Vec::new(),
            Target::Aws => vec![services::services(self), services::backups(self)],
        }
    }

    /// The whole blueprint on one page: one row for each part.
    pub fn summary(&self) -> Table {
        platform::summary(self)
    }
}

fn table<const N: usize>(
    title: &str,
    columns: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Table {
    Table {
        title: title.to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.into_iter().map(|row| row.to_vec()).collect(),
    }
}

fn peer(peer: &Peer) -> String {
    match peer {
        Peer::Group(name) => name.to_string(),
        Peer::Range(range) if range == "0.0.0.0/0" => "internet".to_owned(),
        Peer::Range(range) if range == "::/0" => "internet (IPv6)".to_owned(),
        Peer::Range(name) | Peer::PrefixList(name) => name.clone(),
    }
}

fn ports(range: PortRange) -> String {
    if range.first == range.last {
        range.first.to_string()
    } else {
        format!("{}-{}", range.first, range.last)
    }
}

/// What a name points at.
fn dns_target(target: &DnsTarget) -> String {
    match target {
        DnsTarget::DatabaseWriter => "the database's writer".to_owned(),
        DnsTarget::DatabaseReaders => "the database's readers".to_owned(),
        DnsTarget::RedisPrimary(name) => format!("the primary of {name}"),
        DnsTarget::Memcached => "the Memcached nodes".to_owned(),
        DnsTarget::FileSystem => "the mount targets".to_owned(),
        DnsTarget::Search => "the search engine".to_owned(),
        DnsTarget::MessageBroker => "the message broker".to_owned(),
    }
}

/// `yes` or `no`.
fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// What a list says where it is empty.
fn list(items: &[String], empty: &str) -> String {
    if items.is_empty() {
        empty.to_owned()
    } else {
        items.join(", ")
    }
}
