//! What becomes of data when its resource goes.

use serde::Serialize;
use serde_json::Value;

use super::{Action, template};

/// Data whose resource is replaced or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DataFate {
    /// What it is, such as `every table of every app`.
    pub what: &'static str,
    /// What is left of it.
    pub fate: Fate,
}

/// What is left of data whose resource is replaced or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Nothing.
    Gone,
    /// A last snapshot, from which it can be brought back by hand.
    Snapshot,
    /// The old resource, which nothing uses any more; the new one is empty.
    LeftBehind,
    /// All of it: the resource stays where it is, without its stack.
    Kept,
}

impl DataFate {
    /// Whether the environment loses it, so that it must be named to be accepted.
    pub const fn is_lost(&self) -> bool {
        !matches!(self.fate, Fate::Kept)
    }
}

/// A type of resource that holds data.
struct Store {
    kind: &'static str,
    what: &'static str,
    worth: Worth,
}

/// What data is worth to an environment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// It can't do without: a new resource without the old one's data is a loss though the old one
    /// stays.
    Needed,
    /// It can be read where it is.
    Record,
    /// It means something only while what it points at is there.
    Pointer,
}

const fn store(kind: &'static str, what: &'static str, worth: Worth) -> Store {
    Store { kind, what, worth }
}

const STORES: [Store; 14] = [
    store("AWS::AmazonMQ::Broker", "messages in queues", Worth::Needed),
    store("AWS::Backup::BackupVault", "backups", Worth::Record),
    store("AWS::ECR::Repository", "images of releases", Worth::Record),
    store(
        "AWS::EFS::FileSystem",
        "all files in the file system",
        Worth::Needed,
    ),
    store(
        "AWS::ElastiCache::CacheCluster",
        "cached entries",
        Worth::Needed,
    ),
    store(
        "AWS::ElastiCache::ReplicationGroup",
        "sessions or cached entries",
        Worth::Needed,
    ),
    store(
        "AWS::KMS::Key",
        "the key to all that is encrypted with it",
        Worth::Needed,
    ),
    store("AWS::Logs::LogGroup", "logs", Worth::Record),
    store(
        "AWS::OpenSearchService::Domain",
        "the search index",
        Worth::Needed,
    ),
    store(
        "AWS::RDS::DBCluster",
        "the database: every table of every app",
        Worth::Needed,
    ),
    store(
        "AWS::Route53::HostedZone",
        "the zone's records and name servers",
        Worth::Needed,
    ),
    store(
        "AWS::S3::Bucket",
        "all objects in the bucket",
        Worth::Needed,
    ),
    store(
        "AWS::SSM::Parameter",
        "which release is deployed",
        Worth::Pointer,
    ),
    store(
        "AWS::SecretsManager::Secret",
        "the secret's value",
        Worth::Needed,
    ),
];

/// What becomes of a resource's data when this happens to it.
pub fn of(resource: &Value, action: Action) -> Option<DataFate> {
    let kind = template::kind(resource);
    let store = STORES.iter().find(|store| store.kind == kind)?;
    let policy = match action {
        Action::Create | Action::Update => return None,
        Action::Replace | Action::MayReplace => "UpdateReplacePolicy",
        Action::Delete if store.worth == Worth::Pointer => return None,
        Action::Delete => "DeletionPolicy",
    };
    let fate = match resource.get(policy).and_then(Value::as_str) {
        Some("Retain" | "RetainExceptOnCreate") => {
            if action == Action::Delete || store.worth == Worth::Record {
                Fate::Kept
            } else {
                Fate::LeftBehind
            }
        }
        Some("Snapshot") => Fate::Snapshot,
        _ => Fate::Gone,
    };
    Some(DataFate {
        what: store.what,
        fate,
    })
}
