//! Addresses of tasks.

use std::{collections::BTreeSet, net::Ipv4Addr};

/// The lowest address of an inclusive range that nobody has; none where all are taken.
pub fn lowest_free(
    (first, last): (Ipv4Addr, Ipv4Addr),
    taken: &BTreeSet<Ipv4Addr>,
) -> Option<Ipv4Addr> {
    (u32::from(first)..=u32::from(last))
        .map(Ipv4Addr::from)
        .find(|address| !taken.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(10, 0, 0, 254), Ipv4Addr::new(10, 0, 1, 1));

    #[test]
    fn the_lowest_free_address_comes_first_and_none_is_given_twice() {
        let mut taken = BTreeSet::new();
        let mut given = Vec::new();
        while let Some(address) = lowest_free(RANGE, &taken) {
            assert!(taken.insert(address));
            given.push(address.to_string());
        }
        assert_eq!(given, ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"]);
        taken.remove(&Ipv4Addr::new(10, 0, 0, 255));
        assert_eq!(
            lowest_free(RANGE, &taken),
            Some(Ipv4Addr::new(10, 0, 0, 255))
        );
    }
}
