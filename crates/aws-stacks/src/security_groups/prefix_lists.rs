//! Prefix lists that AWS keeps.

/// CloudFront's addresses towards origins.
const CLOUDFRONT: &str = "com.amazonaws.global.cloudfront.origin-facing";

/// How many rules of a security group CloudFront's list counts for (Amazon CloudFront developer
/// guide, "Use the CloudFront managed prefix list").
#[cfg(test)]
pub(super) const CLOUDFRONT_WEIGHT: usize = 55;

/// The ids of CloudFront's list by region, as `aws ec2 describe-managed-prefix-lists` gives them. AWS
/// publishes no table; these are the regions on which several public sources agree.
const CLOUDFRONT_IDS: [(&str, &str); 20] = [
    ("af-south-1", "pl-c0aa4fa9"),
    ("ap-east-1", "pl-14b2577d"),
    ("ap-northeast-1", "pl-58a04531"),
    ("ap-northeast-2", "pl-22a6434b"),
    ("ap-south-1", "pl-9aa247f3"),
    ("ap-southeast-1", "pl-31a34658"),
    ("ap-southeast-2", "pl-b8a742d1"),
    ("ca-central-1", "pl-38a64351"),
    ("eu-central-1", "pl-a3a144ca"),
    ("eu-north-1", "pl-fab65393"),
    ("eu-south-1", "pl-1bbc5972"),
    ("eu-west-1", "pl-4fa04526"),
    ("eu-west-2", "pl-93a247fa"),
    ("eu-west-3", "pl-75b1541c"),
    ("me-south-1", "pl-17b2577e"),
    ("sa-east-1", "pl-5da64334"),
    ("us-east-1", "pl-3b927c52"),
    ("us-east-2", "pl-b6a144df"),
    ("us-west-1", "pl-4ea04527"),
    ("us-west-2", "pl-82a045eb"),
];

/// The id of a list in a region, where it is known.
pub(super) fn known(name: &str, region: &str) -> Option<&'static str> {
    if name != CLOUDFRONT {
        return None;
    }
    let found = CLOUDFRONT_IDS.iter().find(|(known, _)| *known == region);
    found.map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_is_one_region_s() {
        let ids: BTreeSet<&str> = CLOUDFRONT_IDS.iter().map(|(_, id)| *id).collect();
        assert_eq!(ids.len(), CLOUDFRONT_IDS.len());
        assert!(CLOUDFRONT_IDS.is_sorted());
        for (region, id) in CLOUDFRONT_IDS {
            assert!(mck_environment::regions::find(region).is_some(), "{region}");
            assert!(id.starts_with("pl-") && id.len() == 11, "{id}");
        }
    }
}
