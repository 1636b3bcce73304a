//! The AWS regions and their availability zones.
//!
//! Source: AWS Regions and Availability Zones, <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>.

/// A region of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The name, such as `us-east-1`.
    pub name: &'static str,
    /// The letters of its zones.
    pub zones: &'static str,
    /// How many of them one account gets.
    pub zones_per_account: usize,
}

const fn region(name: &'static str, zones: &'static str) -> Region {
    Region {
        name,
        zones,
        zones_per_account: zones.len(),
    }
}

/// All regions, sorted by name.
pub const REGIONS: &[Region] = &[
    region("af-south-1", "abc"),
    region("ap-east-1", "abc"),
    region("ap-east-2", "abc"),
    Region {
        name: "ap-northeast-1",
        zones: "abcd",
        zones_per_account: 3,
    },
    region("ap-northeast-2", "abcd"),
    region("ap-northeast-3", "abc"),
    region("ap-south-1", "abc"),
    region("ap-south-2", "abc"),
    region("ap-southeast-1", "abc"),
    region("ap-southeast-2", "abc"),
    region("ap-southeast-3", "abc"),
    region("ap-southeast-4", "abc"),
    region("ap-southeast-5", "abc"),
    region("ap-southeast-6", "abc"),
    region("ap-southeast-7", "abc"),
    region("ca-central-1", "abd"),
    region("ca-west-1", "abc"),
    region("cn-north-1", "abd"),
    region("cn-northwest-1", "abc"),
    region("eu-central-1", "abc"),
    region("eu-central-2", "abc"),
    region("eu-north-1", "abc"),
    region("eu-south-1", "abc"),
    region("eu-south-2", "abc"),
    region("eu-west-1", "abc"),
    region("eu-west-2", "abc"),
    region("eu-west-3", "abc"),
    region("il-central-1", "abc"),
    region("me-central-1", "abc"),
    region("me-south-1", "abc"),
    region("mx-central-1", "abc"),
    region("sa-east-1", "abc"),
    region("us-east-1", "abcdef"),
    region("us-east-2", "abc"),
    region("us-gov-east-1", "abc"),
    region("us-gov-west-1", "abc"),
    Region {
        name: "us-west-1",
        zones: "abc",
        zones_per_account: 2,
    },
    region("us-west-2", "abcd"),
];

/// The region of that name.
pub fn find(name: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_sorted_and_unique() {
        assert!(REGIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
