//! The region, the VPC, its zones and subnets.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net};

use super::Rules;
use crate::{
    diagnostic::{quoted_list, suggestion},
    regions,
    settings::ExistingVpc,
    subnets::{self, LONGEST_PREFIX, SHORTEST_PREFIX},
};

/// Private addresses (RFC 1918) and shared ones (RFC 6598).
const PRIVATE: [&str; 4] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
];

/// The longest prefix of a VPC of ours.
const LONGEST_VPC_PREFIX: u8 = 24;

pub(super) fn check(rules: &mut Rules<'_>) {
    region(rules);
    repeated_zones(rules);
    let network = &rules.settings.network;
    if let Some(existing) = &network.existing {
        existing_vpc(rules, existing);
    } else if vpc_range(rules) {
        given_subnets(rules);
    }
}

fn region(rules: &mut Rules<'_>) {
    let name = rules.settings.region.as_str();
    let Some(region) = regions::find(name) else {
        let names = || regions::REGIONS.iter().map(|region| region.name);
        let message = format!("There is no AWS region `{name}`.");
        let close = suggestion(name, names());
        let help = if close.is_empty() {
            format!("Regions are {}.", quoted_list(names()))
        } else {
            close
        };
        rules.wrong("unknown_region", &["region"], message, &help);
        return;
    };
    let zones = &rules.settings.network.zones;
    let letters: Vec<String> = region.zones.chars().map(String::from).collect();
    for (index, zone) in zones
        .iter()
        .enumerate()
        .filter(|(_, zone)| !letters.contains(zone))
    {
        let message = format!("Region `{name}` has no zone `{zone}`.");
        let help = format!(
            "Its zones are {}: set `network.zones`.",
            quoted_list(letters.iter())
        );
        rules.wrong(
            "unknown_zone",
            &["network", "zones", &index.to_string()],
            message,
            &help,
        );
    }
    if zones.len() > region.zones_per_account && zones.len() <= region.zones.len() {
        let most = region.zones_per_account;
        let message = format!(
            "Region `{name}` gives an account {most} zones, not {}.",
            zones.len()
        );
        let help = "Name those of your account: `aws ec2 describe-availability-zones`.";
        rules.wrong("too_many_zones", &["network", "zones"], message, help);
    }
    if rules.on_aws() && zones.len() < 2 {
        let message = "A load balancer and a database on AWS need two zones.".to_owned();
        let help = format!("Zones of `{name}` are {}.", quoted_list(letters.iter()));
        rules.wrong("too_few_zones", &["network", "zones"], message, &help);
    }
}

fn repeated_zones(rules: &mut Rules<'_>) {
    let mut seen = BTreeSet::new();
    for (index, zone) in rules.settings.network.zones.iter().enumerate() {
        if !seen.insert(zone) {
            let message = format!("Zone `{zone}` is named twice.");
            let path = ["network", "zones", &index.to_string()];
            rules.wrong("repeated_zone", &path, message, "Name each zone once.");
        }
    }
}

/// Whether the VPC's range can hold the subnets.
fn vpc_range(rules: &mut Rules<'_>) -> bool {
    let network = &rules.settings.network;
    let (cidr, path) = (network.cidr, ["network", "cidr"]);
    if cidr.trunc() != cidr {
        rules.host_bits(&path, IpNet::V4(cidr));
        return false;
    }
    let private = PRIVATE
        .iter()
        .filter_map(|range| range.parse::<Ipv4Net>().ok());
    if !private.into_iter().any(|range| range.contains(&cidr)) {
        let message = format!("`{cidr}` is not private address space.");
        let help = format!("Take a part of one of {}.", quoted_list(PRIVATE.iter()));
        rules.wrong("public_range", &path, message, &help);
    }
    let prefix = cidr.prefix_len();
    if !(SHORTEST_PREFIX..=LONGEST_VPC_PREFIX).contains(&prefix) {
        let message = format!("A VPC can't be a `/{prefix}`.");
        let help = format!("Allowed: `/{SHORTEST_PREFIX}` to `/{LONGEST_VPC_PREFIX}`.");
        rules.wrong("range_size", &path, message, &help);
        return false;
    }
    let lists = [
        &network.public_subnets,
        &network.app_subnets,
        &network.persistence_subnets,
    ];
    let carves = lists.iter().any(|list| list.is_none());
    let zones = network.zones.len();
    if carves && subnets::carve(cidr, zones).is_none() {
        let message = format!("`{cidr}` is too small for three subnets in each of {zones} zones.");
        let help = "AWS makes no subnet smaller than `/28`: take a larger range or fewer zones.";
        rules.wrong("range_too_small", &path, message, help);
        return false;
    }
    true
}

/// A subnet with the place where it was written, if it was.
struct Subnet {
    key: &'static str,
    index: usize,
    range: Ipv4Net,
    given: bool,
}

fn given_subnets(rules: &mut Rules<'_>) {
    let network = &rules.settings.network;
    let carved = subnets::carve(network.cidr, network.zones.len());
    let carved = carved.as_ref();
    let lists = [
        (
            "public-subnets",
            &network.public_subnets,
            carved.map(|all| &all.public),
        ),
        (
            "app-subnets",
            &network.app_subnets,
            carved.map(|all| &all.app),
        ),
        (
            "persistence-subnets",
            &network.persistence_subnets,
            carved.map(|all| &all.persistence),
        ),
    ];
    let mut all: Vec<Subnet> = Vec::new();
    for (key, given, carved) in lists {
        if let Some(given) = given {
            one_per_zone(rules, &["network", key], given.len());
        }
        let ranges = given.as_ref().or(carved).into_iter().flatten().enumerate();
        all.extend(ranges.map(|(index, range)| Subnet {
            key,
            index,
            range: *range,
            given: given.is_some(),
        }));
    }
    for subnet in all.iter().filter(|subnet| subnet.given) {
        one_subnet(rules, subnet);
    }
    overlaps(rules, &all);
}

fn one_per_zone(rules: &mut Rules<'_>, path: &[&str], count: usize) {
    let zones = rules.settings.network.zones.len();
    if count != zones {
        let message = format!(
            "`{}` has {count} subnets for {zones} zones.",
            path.join(".")
        );
        let help = "Give one for each of `network.zones`, in their order.";
        rules.wrong("wrong_number_of_subnets", path, message, help);
    }
}

fn one_subnet(rules: &mut Rules<'_>, subnet: &Subnet) {
    let index = subnet.index.to_string();
    let path = ["network", subnet.key, index.as_str()];
    let (range, cidr) = (subnet.range, rules.settings.network.cidr);
    if range.trunc() != range {
        rules.host_bits(&path, IpNet::V4(range));
    } else if !cidr.contains(&range) {
        let message = format!("Subnet `{range}` is not within the VPC's range `{cidr}`.");
        rules.wrong(
            "subnet_outside",
            &path,
            message,
            "Take a part of `network.cidr`.",
        );
    }
    let prefix = range.prefix_len();
    if !(SHORTEST_PREFIX..=LONGEST_PREFIX).contains(&prefix) {
        let message = format!("A subnet can't be a `/{prefix}`.");
        let help = format!("AWS takes `/{SHORTEST_PREFIX}` to `/{LONGEST_PREFIX}`.");
        rules.wrong("range_size", &path, message, &help);
    }
}

fn overlaps(rules: &mut Rules<'_>, all: &[Subnet]) {
    for (position, one) in all.iter().enumerate() {
        for other in &all[position + 1..] {
            let apart = !one.range.contains(&other.range) && !other.range.contains(&one.range);
            if apart || !(one.given || other.given) {
                continue;
            }
            let (first, second) = if other.given {
                (other, one)
            } else {
                (one, other)
            };
            let (index, other_index) = (first.index.to_string(), second.index.to_string());
            let path = ["network", first.key, index.as_str()];
            if second.given {
                let message = format!("Subnets `{}` and `{}` overlap.", first.range, second.range);
                let other_path = ["network", second.key, other_index.as_str()];
                let help = "Each subnet needs addresses of its own.";
                let labels = ((&path[..], "this one"), (&other_path[..], "and this one"));
                rules.wrong_pair("overlapping_subnets", labels.0, labels.1, message, help);
            } else {
                let message = format!(
                    "Subnet `{}` overlaps `{}`, which is carved for `{}`.",
                    first.range, second.range, second.key
                );
                let help = format!("Give `network.{}` as well, or move this one.", second.key);
                rules.wrong("overlapping_subnets", &path, message, &help);
            }
        }
    }
}

fn existing_vpc(rules: &mut Rules<'_>, existing: &ExistingVpc) {
    let lists = [
        ("public-subnets", &existing.public_subnets),
        ("app-subnets", &existing.app_subnets),
        ("persistence-subnets", &existing.persistence_subnets),
    ];
    let mut seen = BTreeSet::new();
    for (key, ids) in lists {
        one_per_zone(rules, &["network", "existing", key], ids.len());
        for (index, id) in ids.iter().enumerate() {
            if !seen.insert(id) {
                let message = format!("Subnet `{id}` is named twice.");
                let path = ["network", "existing", key, &index.to_string()];
                let help = "Each tier needs a subnet of its own in each zone.";
                rules.wrong("repeated_subnet", &path, message, help);
            }
        }
    }
}
