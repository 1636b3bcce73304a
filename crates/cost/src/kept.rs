//! What goes on to cost something after an environment is removed.

use crate::prices::{Price, PriceTable, Rate};

/// The price of something that stays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeptPrice {
    /// US dollars a month.
    pub price: Price,
    /// What the price is of.
    pub per: KeptUnit,
}

/// What the price of something that stays is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptUnit {
    /// The thing itself.
    Piece,
    /// A gigabyte that it holds; how many there are is not known.
    Gb,
}

/// What a resource type costs where it stays, itself or as its last snapshot; none where the price
/// table does not know, such as for a search domain, whose servers go on.
pub fn kept(kind: &str, is_snapshot: bool, region: &str) -> Option<KeptPrice> {
    let (rate, per) = match (kind, is_snapshot) {
        ("AWS::RDS::DBCluster", true) => (Rate::DatabaseBackupGbMonth, KeptUnit::Gb),
        ("AWS::ElastiCache::ReplicationGroup", true) => (Rate::CacheBackupGbMonth, KeptUnit::Gb),
        ("AWS::EFS::FileSystem", false) => (Rate::FileSystemGbMonth, KeptUnit::Gb),
        // Databases are the cheaper part of a vault: the dearer price is told.
        ("AWS::Backup::BackupVault", false) => (Rate::FileSystemBackupGbMonth, KeptUnit::Gb),
        ("AWS::S3::Bucket", false) => (Rate::StaticGbMonth, KeptUnit::Gb),
        ("AWS::ECR::Repository", false) => (Rate::RepositoryGbMonth, KeptUnit::Gb),
        ("AWS::KMS::Key", false) => (Rate::KeyMonth, KeptUnit::Piece),
        ("AWS::SecretsManager::Secret", false) => (Rate::SecretMonth, KeptUnit::Piece),
        ("AWS::Route53::HostedZone", false) => (Rate::HostedZoneMonth, KeptUnit::Piece),
        _ => return None,
    };
    let price = PriceTable::embedded().in_region(region).rate(rate);
    Some(KeptPrice { price, per })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_has_its_price() {
        for (kind, is_snapshot, expected) in [
            ("AWS::RDS::DBCluster", true, Some((0.021, KeptUnit::Gb))),
            ("AWS::RDS::DBCluster", false, None),
            ("AWS::KMS::Key", false, Some((1.0, KeptUnit::Piece))),
            (
                "AWS::SecretsManager::Secret",
                false,
                Some((0.40, KeptUnit::Piece)),
            ),
            ("AWS::S3::Bucket", false, Some((0.023, KeptUnit::Gb))),
            ("AWS::OpenSearchService::Domain", false, None),
        ] {
            let told = kept(kind, is_snapshot, "us-east-1").map(|it| (it.price.dollars, it.per));
            assert_eq!(told, expected, "{kind}");
        }
    }
}
