//! Cloudflare: the front of the load balancer.

use mck_environment::settings::Cloudflare;

use super::{Contribution, PublicApp, Vendor};
use crate::{model::DnsProvider, planning::context::Context};

/// Cloudflare's published IPv4 ranges, one a line.
const RANGES: &str = include_str!("cloudflare-ranges.txt");

impl Vendor for Cloudflare {
    fn name(&self) -> &'static str {
        "cloudflare"
    }

    fn contribute(&self, context: &Context<'_>, _: &[PublicApp]) -> Contribution {
        let mut contribution = Contribution {
            secrets: vec![(
                self.api_token.clone(),
                "Cloudflare API token for the zone".to_owned(),
            )],
            ..Contribution::default()
        };
        if context.is_local() {
            contribution.statements = vec![
                "Nothing locally: Cloudflare does not come between a browser and this machine"
                    .to_owned(),
            ];
            return contribution;
        }
        contribution.front_ranges = Some(ranges().map(str::to_owned).collect());
        contribution.public_dns = Some((DnsProvider::Cloudflare, self.zone_id.clone()));
        contribution.statements = vec![
            "Only Cloudflare's published ranges reach the load balancer".to_owned(),
            "The apps' hosts are proxied records of the Cloudflare zone".to_owned(),
        ];
        contribution
    }
}

fn ranges() -> impl Iterator<Item = &'static str> {
    RANGES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use ipnet::Ipv4Net;

    #[test]
    fn the_ranges_are_public_and_do_not_overlap() {
        let ranges: Vec<Ipv4Net> = super::ranges()
            .map(|range| range.parse().unwrap())
            .collect();
        assert_eq!(ranges.len(), 15);
        for (index, range) in ranges.iter().enumerate() {
            assert_eq!(*range, range.trunc());
            assert!(!range.network().is_private());
            assert!(
                ranges[index + 1..]
                    .iter()
                    .all(|other| !range.contains(other) && !other.contains(range))
            );
        }
    }
}
