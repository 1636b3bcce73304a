//! A blueprint as tables, for `mck show`.
//!
//! Views decide what a person sees, not how: whoever prints them chooses widths and colours.

mod apps;
mod platform;

use serde::Serialize;

use crate::model::{Blueprint, Peer, PortRange};

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
    /// Who may reach whom, and why.
    Access,
    /// Apps, containers, routes, jobs, hooks.
    Apps,
    /// Database, caches, file system.
    Data,
    /// Names of the private and the public zone.
    Dns,
    /// Secrets by name.
    Secrets,
    /// App Clusters, App Servers and other server roles.
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
            View::Access => platform::access(self),
            View::Apps => apps::apps(self),
            View::Data => platform::data(self),
            View::Dns => platform::dns(self),
            View::Secrets => platform::secrets(self),
            View::Clusters => platform::clusters(self),
            View::Alarms => platform::alarms(self),
            View::Integrations => platform::integrations(self),
        };
        tables
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect()
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
