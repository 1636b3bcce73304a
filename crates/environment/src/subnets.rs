//! How a VPC's range is divided into subnets.

use ipnet::Ipv4Net;

/// The smallest subnet of AWS has this prefix, 16 addresses.
pub const LONGEST_PREFIX: u8 = 28;

/// The largest subnet or VPC of AWS has this prefix, 65,536 addresses.
pub const SHORTEST_PREFIX: u8 = 16;

/// The prefix of carved subnets where there is room for it: 251 usable addresses.
const USUAL_PREFIX: u8 = 24;

/// The ranges of a VPC's subnets, each list with one for each zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carved {
    /// The public subnets: the first ranges.
    pub public: Vec<Ipv4Net>,
    /// The app subnets: the next.
    pub app: Vec<Ipv4Net>,
    /// The persistence subnets: the last.
    pub persistence: Vec<Ipv4Net>,
}

/// Carves three equal subnets for each zone from the start of `cidr`: `/24` where there is room,
/// else the largest that fit. From `172.31.0.0/16` and three zones come public `.0` to `.2`, app
/// `.3` to `.5`, persistence `.6` to `.8`. `None` where they would be smaller than `/28`.
pub fn carve(cidr: Ipv4Net, zones: usize) -> Option<Carved> {
    let wanted = zones.checked_mul(3)?.next_power_of_two();
    let bits = u8::try_from(wanted.trailing_zeros()).ok()?;
    let prefix = cidr.prefix_len().checked_add(bits)?.max(USUAL_PREFIX);
    if prefix > LONGEST_PREFIX {
        return None;
    }
    let mut subnets = cidr.trunc().subnets(prefix).ok()?;
    let mut take = || subnets.by_ref().take(zones).collect::<Vec<_>>();
    Some(Carved {
        public: take(),
        app: take(),
        persistence: take(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carved(cidr: &str, zones: usize) -> Option<Carved> {
        carve(cidr.parse().unwrap(), zones)
    }

    #[test]
    fn the_default_range_gives_the_reference_layout() {
        let all = carved("172.31.0.0/16", 3).unwrap();
        assert_eq!(all.public[0].to_string(), "172.31.0.0/24");
        assert_eq!(all.app[0].to_string(), "172.31.3.0/24");
        assert_eq!(all.persistence[2].to_string(), "172.31.8.0/24");
    }

    #[test]
    fn a_small_range_gives_small_subnets_and_a_too_small_one_none() {
        assert_eq!(
            carved("10.0.0.0/24", 3).unwrap().persistence[2].to_string(),
            "10.0.0.128/28"
        );
        assert_eq!(carved("10.0.0.0/24", 6), None);
        assert_eq!(carved("10.0.0.0/25", 3), None);
        assert_eq!(
            carved("10.0.0.0/26", 1).unwrap().app[0].to_string(),
            "10.0.0.16/28"
        );
    }
}
