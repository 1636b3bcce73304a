//! The estimate.

use mck_blueprint::Blueprint;
use serde::Serialize;

use crate::{
    Money, PriceTable, RegionPrices, Usage, components,
    inventory::{DeployedStack, Inventory},
};

/// What no estimate counts.
pub const NOT_COUNTED: [&str; 12] = [
    "taxes, AWS Support",
    "reservations, Savings Plans and the free tier, which make it cheaper",
    "tasks and App Servers that scaling adds: `up to` counts the servers at their maximum",
    "CPU credits of burstable instances beyond what they earn",
    "replacement servers while old and new run side by side",
    "S3: access logs, requests, and the bucket through which templates go",
    "EFS throughput of Jenkins, Infrequent Access, restores from backups",
    "CloudWatch metrics beyond the free ones, stored logs, queries, API calls",
    "requests to Secrets Manager, KMS, Route 53, ECR and SNS",
    "data between regions",
    "domains, and certificates that ACM did not issue",
    "vendors: Cloudflare, Datadog, New Relic and others charge by themselves",
];

/// What an environment costs a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Estimate {
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// The region.
    pub region: String,
    /// The date of the prices, `YYYY-MM-DD`.
    pub prices_of: String,
    /// The currency: `USD`.
    pub currency: String,
    /// Its lines, component by component.
    pub lines: Vec<Line>,
    /// What it costs whatever visitors do.
    pub fixed: Money,
    /// What use adds, under the assumptions.
    pub assumed: Money,
    /// Both.
    pub total: Money,
    /// Both, with as many App Servers and database capacity units as scaling may reach.
    pub up_to: Money,
    /// What has no price, and is in none of the sums.
    pub unknown: Vec<String>,
    /// Whether another region's prices stand for some of this one's.
    pub approximate: bool,
    /// What that means, where it is so.
    pub approximation: Option<String>,
    /// The assumptions.
    pub usage: Usage,
    /// What is not counted.
    pub not_counted: Vec<&'static str>,
}

/// A line of an estimate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    /// What it belongs to.
    pub component: Component,
    /// What is paid for, the same for every size of it, such as `cluster app: on demand`.
    pub what: String,
    /// Of which size, or under which assumption.
    pub detail: String,
    /// How much of it.
    pub quantity: f64,
    /// In which unit, such as `instance-hours`.
    pub unit: &'static str,
    /// US dollars for a unit; none where there is no price.
    pub unit_price: Option<f64>,
    /// What it costs a month; none where there is no price.
    pub monthly: Option<Money>,
    /// What it costs at most, where scaling decides.
    pub up_to: Option<Money>,
    /// How sure it is.
    pub kind: Kind,
    /// Whether another region's price stands for this one's.
    pub approximate: bool,
}

/// How sure a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The architecture decides it.
    Fixed,
    /// It rests on an assumption.
    Assumed,
    /// There is no price.
    Unknown,
}

/// What a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// App Servers.
    AppServers,
    /// Aurora.
    Database,
    /// Redis, Valkey, Memcached.
    Caches,
    /// OpenSearch.
    Search,
    /// RabbitMQ.
    MessageBroker,
    /// EFS.
    FileSystem,
    /// NAT, endpoints, addresses, traffic.
    Network,
    /// Load balancer, CDN, WAF.
    Edge,
    /// Bastion, Jenkins.
    ServerRoles,
    /// Logs, alarms, dashboard.
    Observability,
    /// Secrets, zones, registry.
    Other,
}

impl Component {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::AppServers,
        Self::Database,
        Self::Caches,
        Self::Search,
        Self::MessageBroker,
        Self::FileSystem,
        Self::Network,
        Self::Edge,
        Self::ServerRoles,
        Self::Observability,
        Self::Other,
    ];

    /// Its name for a person.
    pub const fn title(self) -> &'static str {
        match self {
            Self::AppServers => "App Servers",
            Self::Database => "Database",
            Self::Caches => "Caches",
            Self::Search => "Search",
            Self::MessageBroker => "Message broker",
            Self::FileSystem => "File system",
            Self::Network => "Network",
            Self::Edge => "Edge",
            Self::ServerRoles => "Server roles",
            Self::Observability => "Observability",
            Self::Other => "Other",
        }
    }
}

impl Estimate {
    /// What an environment costs, with the prices that come with the program.
    pub fn of(blueprint: &Blueprint, usage: &Usage) -> Self {
        Self::with(PriceTable::embedded(), blueprint, usage)
    }

    /// What an environment costs, with other prices.
    pub fn with(table: &PriceTable, blueprint: &Blueprint, usage: &Usage) -> Self {
        Self::priced(table, blueprint, &Inventory::of(blueprint), usage)
    }

    /// What the stacks of an environment that are there cost, with the same prices and under the same
    /// assumptions; none where there are none. What templates leave open, such as how many App Servers
    /// a cluster has within its limits, is as the blueprint of the same environment wants it.
    pub fn of_deployed(
        stacks: &[DeployedStack<'_>],
        wanted: &Blueprint,
        usage: &Usage,
    ) -> Option<Self> {
        let there = Inventory::deployed(stacks, &Inventory::of(wanted));
        let table = PriceTable::embedded();
        (!stacks.is_empty()).then(|| Self::priced(table, wanted, &there, usage))
    }

    fn priced(
        table: &PriceTable,
        blueprint: &Blueprint,
        inventory: &Inventory,
        usage: &Usage,
    ) -> Self {
        let prices = table.in_region(&blueprint.region);
        let lines = components::lines(inventory, &prices, usage);
        let sum = |kind| {
            let of_kind = lines.iter().filter(|line| line.kind == kind);
            of_kind.filter_map(|line| line.monthly).sum::<Money>()
        };
        let (fixed, assumed) = (sum(Kind::Fixed), sum(Kind::Assumed));
        let approximate = lines.iter().any(|line| line.approximate);
        Self {
            project: blueprint.project.clone(),
            environment: blueprint.environment.clone(),
            region: blueprint.region.clone(),
            prices_of: table.date.clone(),
            currency: table.currency.clone(),
            fixed,
            assumed,
            total: fixed + assumed,
            up_to: lines
                .iter()
                .filter_map(|line| line.up_to.or(line.monthly))
                .sum(),
            unknown: lines
                .iter()
                .filter(|line| line.kind == Kind::Unknown)
                .map(|line| format!("{} ({})", line.what, line.detail))
                .collect(),
            approximate,
            approximation: approximate.then(|| approximation(&prices, &blueprint.region)),
            usage: usage.clone(),
            not_counted: NOT_COUNTED.to_vec(),
            lines,
        }
    }

    /// What a component costs.
    pub fn subtotal(&self, component: Component) -> Money {
        let lines = self.lines.iter();
        lines
            .filter(|line| line.component == component)
            .filter_map(|line| line.monthly)
            .sum()
    }
}

fn approximation(prices: &RegionPrices<'_>, region: &str) -> String {
    let factor = prices.factor();
    let reference = prices.table().reference_region();
    if prices.is_listed() {
        format!(
            "lines marked `~` are prices of {reference} times {factor}, which is close for {region}"
        )
    } else {
        format!(
            "there are no prices of {region} here: lines marked `~` are those of {reference} times \
             {factor}, which is a guess"
        )
    }
}
