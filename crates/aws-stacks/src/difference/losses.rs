//! Data that goes with a resource.

use serde::Serialize;
use serde_json::Value;

use super::{Action, template};

/// Data that an environment loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DataLoss {
    /// What is lost, such as `every table of every app`.
    pub what: &'static str,
    /// What is left of it.
    pub fate: Fate,
}

/// What is left of data that an environment loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Nothing.
    Gone,
    /// A last snapshot, from which it can be brought back by hand.
    Snapshot,
    /// The old resource, which nothing uses any more.
    LeftBehind,
}

/// A type of resource that holds data.
struct Store {
    kind: &'static str,
    what: &'static str,
    /// Whether a new resource without the old one's data is a loss though the old one stays. Old
    /// logs, images and backups can be read where they are.
    needed: bool,
}

const fn store(kind: &'static str, what: &'static str, needed: bool) -> Store {
    Store { kind, what, needed }
}

const STORES: [Store; 15] = [
    store("AWS::AmazonMQ::Broker", "messages in queues", true),
    store("AWS::Backup::BackupVault", "backups", false),
    store("AWS::ECR::Repository", "images of releases", false),
    store(
        "AWS::EFS::FileSystem",
        "all files in the shared file system",
        true,
    ),
    store("AWS::ElastiCache::CacheCluster", "cached entries", true),
    store(
        "AWS::ElastiCache::ReplicationGroup",
        "sessions or cached entries",
        true,
    ),
    store(
        "AWS::KMS::Key",
        "the key to all that is encrypted with it",
        true,
    ),
    store("AWS::Logs::LogGroup", "logs", false),
    store("AWS::OpenSearchService::Domain", "the search index", true),
    store(
        "AWS::RDS::DBCluster",
        "the database: every table of every app",
        true,
    ),
    store(
        "AWS::Route53::HostedZone",
        "the zone's records and name servers",
        true,
    ),
    store("AWS::S3::Bucket", "all objects in the bucket", true),
    store("AWS::SSM::Parameter", "which release is deployed", true),
    store("AWS::SecretsManager::Secret", "the secret's value", true),
    store(
        "AWS::EC2::EIP",
        "the public address, which others may have allowed",
        true,
    ),
];

/// What an environment loses when this happens to a resource.
pub(super) fn of(resource: &Value, action: Action) -> Option<DataLoss> {
    let kind = template::kind(resource);
    let store = STORES.iter().find(|store| store.kind == kind)?;
    let policy = match action {
        Action::Create | Action::Update => return None,
        Action::Replace | Action::MayReplace => "UpdateReplacePolicy",
        Action::Delete => "DeletionPolicy",
    };
    let fate = match resource.get(policy).and_then(Value::as_str) {
        Some("Retain") => {
            // What is deleted on purpose and stays is there for whoever asks.
            if action == Action::Delete || !store.needed {
                return None;
            }
            Fate::LeftBehind
        }
        Some("Snapshot") => Fate::Snapshot,
        _ => Fate::Gone,
    };
    Some(DataLoss {
        what: store.what,
        fate,
    })
}
