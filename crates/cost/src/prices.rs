//! The table of prices.

use std::{collections::BTreeMap, sync::OnceLock};

use mck_blueprint::instance_types;
use mck_environment::settings::RedisEngine;
use serde::{Deserialize, Serialize};

/// Prices of AWS on a date.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PriceTable {
    /// The date, `YYYY-MM-DD`.
    pub date: String,
    /// The currency: `USD`.
    pub currency: String,
    /// Hours of a month.
    pub hours_per_month: f64,
    /// What spot instances cost less than on demand, 0 to 1.
    pub spot_discount: f64,
    /// Where prices are from, and how they were checked.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
    reference_region: String,
    unlisted_region_factor: f64,
    valkey_share: f64,
    everywhere: BTreeMap<Rate, f64>,
    reference: BTreeMap<Rate, f64>,
    database: BTreeMap<String, f64>,
    cache: BTreeMap<String, f64>,
    search: BTreeMap<String, f64>,
    broker: BTreeMap<String, f64>,
    region: BTreeMap<String, Region>,
}

/// Where prices are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// Of what.
    pub what: String,
    /// AWS's page.
    pub url: String,
    /// How the figures were checked.
    pub checked: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Region {
    factor: f64,
    rate: BTreeMap<Rate, f64>,
    ec2_large: BTreeMap<String, f64>,
}

/// What is charged by the hour, the GB or the piece; the unit is the name's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(
    missing_docs,
    reason = "the names are what the table and AWS's pages say"
)]
pub enum Rate {
    NatGatewayHour,
    NatGatewayGb,
    InterfaceEndpointHour,
    InterfaceEndpointGb,
    LoadBalancerHour,
    LoadBalancerUnitHour,
    VolumeGbMonth,
    LogGb,
    InternetGb,
    PublicIpv4Hour,
    CrossZoneGb,
    WebAclMonth,
    WafRuleMonth,
    WafMillionRequests,
    ContentDeliveryGb,
    #[serde(rename = "content-delivery-10k-requests")]
    ContentDelivery10kRequests,
    HostedZoneMonth,
    KeyMonth,
    SecretMonth,
    AlarmMonth,
    DashboardMonth,
    RepositoryGbMonth,
    DatabaseCapacityUnitHour,
    DatabaseGbMonth,
    DatabaseMillionIo,
    DatabaseBackupGbMonth,
    VaultDatabaseGbMonth,
    CacheBackupGbMonth,
    SearchGbMonth,
    BrokerGbMonth,
    FileSystemGbMonth,
    FileSystemBackupGbMonth,
    FileSystemReadGb,
    FileSystemWrittenGb,
    StaticGbMonth,
}

impl Rate {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::NatGatewayHour,
        Self::NatGatewayGb,
        Self::InterfaceEndpointHour,
        Self::InterfaceEndpointGb,
        Self::LoadBalancerHour,
        Self::LoadBalancerUnitHour,
        Self::VolumeGbMonth,
        Self::LogGb,
        Self::InternetGb,
        Self::PublicIpv4Hour,
        Self::CrossZoneGb,
        Self::WebAclMonth,
        Self::WafRuleMonth,
        Self::WafMillionRequests,
        Self::ContentDeliveryGb,
        Self::ContentDelivery10kRequests,
        Self::HostedZoneMonth,
        Self::KeyMonth,
        Self::SecretMonth,
        Self::AlarmMonth,
        Self::DashboardMonth,
        Self::RepositoryGbMonth,
        Self::DatabaseCapacityUnitHour,
        Self::DatabaseGbMonth,
        Self::DatabaseMillionIo,
        Self::DatabaseBackupGbMonth,
        Self::VaultDatabaseGbMonth,
        Self::CacheBackupGbMonth,
        Self::SearchGbMonth,
        Self::BrokerGbMonth,
        Self::FileSystemGbMonth,
        Self::FileSystemBackupGbMonth,
        Self::FileSystemReadGb,
        Self::FileSystemWrittenGb,
        Self::StaticGbMonth,
    ];
}

/// A price of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Price {
    /// US dollars.
    pub dollars: f64,
    /// Whether it is another region's price, multiplied with a factor.
    pub approximate: bool,
}

/// Prices of a region.
#[derive(Debug, Clone, Copy)]
pub struct RegionPrices<'a> {
    table: &'a PriceTable,
    region: Option<&'a Region>,
    reference: &'a Region,
    is_reference: bool,
}

impl PriceTable {
    /// The region whose prices stand for those that are not known.
    pub fn reference_region(&self) -> &str {
        &self.reference_region
    }

    /// The table that comes with the program.
    pub fn embedded() -> &'static Self {
        static TABLE: OnceLock<PriceTable> = OnceLock::new();
        TABLE.get_or_init(|| {
            toml::from_str(include_str!("../prices/aws.toml"))
                .expect("the table is part of the program, and tests read it")
        })
    }

    /// The prices of a region, listed or not.
    pub fn in_region(&self, name: &str) -> RegionPrices<'_> {
        RegionPrices {
            table: self,
            region: self.region.get(name),
            reference: self
                .region
                .get(&self.reference_region)
                .expect("the reference region has a section, and tests look"),
            is_reference: name == self.reference_region,
        }
    }
}

impl<'a> RegionPrices<'a> {
    /// The table that they are from.
    pub const fn table(&self) -> &'a PriceTable {
        self.table
    }

    /// Whether the region has figures of its own.
    pub const fn is_listed(&self) -> bool {
        self.region.is_some()
    }

    /// What the region's other prices are, measured by the reference region's.
    pub fn factor(&self) -> f64 {
        self.region
            .map_or(self.table.unlisted_region_factor, |region| region.factor)
    }

    /// The price of what is charged by a rate.
    pub fn rate(&self, rate: Rate) -> Price {
        if let Some(dollars) = self.table.everywhere.get(&rate) {
            return Price {
                dollars: *dollars,
                approximate: false,
            };
        }
        if let Some(dollars) = self.region.and_then(|region| region.rate.get(&rate)) {
            return Price {
                dollars: *dollars,
                approximate: false,
            };
        }
        let reference = &self.table.reference;
        let dollars = reference
            .get(&rate)
            .or_else(|| self.reference.rate.get(&rate))
            .expect("every rate has a price in the reference region, and tests look");
        self.scaled(*dollars)
    }

    /// An instance-hour of an EC2 instance type; none for one that has no price here.
    pub fn instance(&self, name: &str) -> Option<Price> {
        instance_types::find(name)?;
        let (family, size) = name.split_once('.')?;
        let times = times_large(size)?;
        match self.region {
            Some(region) => Some(Price {
                dollars: region.ec2_large.get(family)? * times,
                approximate: false,
            }),
            None => Some(self.scaled(self.reference.ec2_large.get(family)? * times)),
        }
    }

    /// An instance-hour of Aurora MySQL.
    pub fn database(&self, class: &str) -> Option<Price> {
        self.table.database.get(class).map(|it| self.scaled(*it))
    }

    /// A node-hour of Redis or Valkey.
    pub fn redis(&self, node_type: &str, engine: RedisEngine) -> Option<Price> {
        let share = match engine {
            RedisEngine::Redis => 1.0,
            RedisEngine::Valkey => self.table.valkey_share,
        };
        let redis = self.table.cache.get(node_type)?;
        Some(self.scaled(redis * share))
    }

    /// A node-hour of Memcached.
    pub fn memcached(&self, node_type: &str) -> Option<Price> {
        self.table.cache.get(node_type).map(|it| self.scaled(*it))
    }

    /// An instance-hour of OpenSearch Service.
    pub fn search(&self, instance_type: &str) -> Option<Price> {
        self.table
            .search
            .get(instance_type)
            .map(|it| self.scaled(*it))
    }

    /// A node-hour of Amazon MQ for RabbitMQ.
    pub fn broker(&self, instance_type: &str) -> Option<Price> {
        self.table
            .broker
            .get(instance_type)
            .map(|it| self.scaled(*it))
    }

    fn scaled(&self, dollars: f64) -> Price {
        Price {
            dollars: dollars * self.factor(),
            approximate: !self.is_reference,
        }
    }
}

/// How many times an instance of size `large` one of another size costs: EC2's families double
/// from size to size.
fn times_large(size: &str) -> Option<f64> {
    let times = match size {
        "nano" => 0.0625,
        "micro" => 0.125,
        "small" => 0.25,
        "medium" => 0.5,
        "large" => 1.0,
        "xlarge" => 2.0,
        other => other.strip_suffix("xlarge")?.parse::<f64>().ok()? * 2.0,
    };
    Some(times)
}
