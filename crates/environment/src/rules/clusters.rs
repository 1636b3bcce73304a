//! App Clusters and their App Servers.

use super::Rules;
use crate::{
    diagnostic::quoted_list,
    settings::{Architecture, Cluster},
    units::{Duration, Size},
};

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    if settings.cluster.is_empty() {
        let message = "There is no App Cluster.".to_owned();
        let help = "Take `cluster` out for the default one, or name one: `[cluster.app]`.";
        rules.wrong("no_cluster", &["cluster"], message, help);
    }
    for (name, cluster) in &settings.cluster {
        architecture(rules, name, cluster);
        spot_instance_types(rules, name, cluster);
        zones(rules, name, cluster);
        scaling(rules, name, cluster);
        let servers = cluster.servers;
        let path = ["cluster", name, "servers"];
        rules.ordered(&path, servers.minimum, servers.desired, servers.maximum);
        volume(rules, name, cluster);
        let limits = (Duration::from_secs(1), Duration::from_secs(48 * 3_600));
        let path = ["cluster", name, "draining-timeout"];
        rules.within(
            &path,
            cluster.draining_timeout,
            limits,
            "A lifecycle hook of Auto Scaling",
        );
    }
}

/// The architecture of an EC2 instance type, from the `g` (Graviton) after its generation: `c7g`,
/// `m6gd`, `is4gen`; `a1` came before that rule.
fn architecture_of(instance_type: &str) -> Architecture {
    let family = instance_type.split('.').next().unwrap_or_default();
    let generation = family.find(|letter: char| letter.is_ascii_digit());
    let options = generation
        .map(|start| family[start..].trim_start_matches(|letter: char| letter.is_ascii_digit()));
    let graviton = family == "a1" || options.is_some_and(|options| options.starts_with('g'));
    if graviton {
        Architecture::Arm64
    } else {
        Architecture::X86_64
    }
}

fn architecture(rules: &mut Rules<'_>, name: &str, cluster: &Cluster) {
    let right = architecture_of(&cluster.instance_type);
    if right == cluster.architecture {
        return;
    }
    let word = |architecture| match architecture {
        Architecture::Arm64 => "arm64",
        Architecture::X86_64 => "x86-64",
    };
    let message = format!(
        "Instance type `{}` is {}, but the cluster's architecture is {}.",
        cluster.instance_type,
        word(right),
        word(cluster.architecture)
    );
    let help = format!(
        "Set `architecture = \"{}\"` or take another type.",
        word(right)
    );
    let instance_type = ["cluster", name, "instance-type"];
    let architecture = ["cluster", name, "architecture"];
    let one = (&instance_type[..], word(right));
    let other = (&architecture[..], word(cluster.architecture));
    rules.wrong_pair("architecture_mismatch", one, other, message, &help);
}

fn spot_instance_types(rules: &mut Rules<'_>, name: &str, cluster: &Cluster) {
    for (index, kind) in cluster.spot_instance_types.iter().enumerate() {
        let path = ["cluster", name, "spot-instance-types", &index.to_string()];
        if architecture_of(kind) != cluster.architecture {
            let message = format!("`{kind}` has another architecture than the cluster.");
            let help = "All App Servers of a cluster run the same images.";
            rules.wrong("architecture_mismatch", &path, message, help);
        } else if *kind == cluster.instance_type
            || cluster.spot_instance_types[..index].contains(kind)
        {
            let message = format!("`{kind}` is named twice.");
            let help = "`instance-type` is one of them already; name each other type once.";
            rules.wrong("repeated_type", &path, message, help);
        }
    }
}

fn zones(rules: &mut Rules<'_>, name: &str, cluster: &Cluster) {
    let Some(zones) = &cluster.zones else { return };
    let known = &rules.settings.network.zones;
    if zones.is_empty() {
        let message = format!("Cluster `{name}` has no zone.");
        let help = format!(
            "Name some of {}, or leave `zones` out.",
            quoted_list(known.iter())
        );
        rules.wrong("no_zone", &["cluster", name, "zones"], message, &help);
    }
    for (index, zone) in zones.iter().enumerate() {
        let path = ["cluster", name, "zones", &index.to_string()];
        if !known.contains(zone) {
            let message = format!("Zone `{zone}` is not one of the network's.");
            let help = format!("`network.zones` are {}.", quoted_list(known.iter()));
            rules.wrong("zone_not_in_network", &path, message, &help);
        } else if zones[..index].contains(zone) {
            let message = format!("Zone `{zone}` is named twice.");
            rules.wrong("repeated_zone", &path, message, "Name each zone once.");
        }
    }
}

fn scaling(rules: &mut Rules<'_>, name: &str, cluster: &Cluster) {
    let scaling = cluster.scaling;
    let highs = [
        ("cpu-reservation-high", scaling.cpu_reservation_high),
        ("memory-reservation-high", scaling.memory_reservation_high),
    ];
    for (key, high) in highs
        .into_iter()
        .filter(|(_, high)| *high <= scaling.reservation_low)
    {
        let low = scaling.reservation_low;
        let message = format!("`reservation-low` ({low}) is not below `{key}` ({high}).");
        let help = "Servers would be added and removed at the same time.";
        let one = ["cluster", name, "scaling", "reservation-low"];
        let other = ["cluster", name, "scaling", key];
        rules.wrong_pair(
            "wrong_order",
            (&one, "low"),
            (&other, "high"),
            message,
            help,
        );
    }
}

fn volume(rules: &mut Rules<'_>, name: &str, cluster: &Cluster) {
    let (least, most) = (Size::from_gib(30), Size::from_gib(16 * 1_024));
    if cluster.volume_size < least || cluster.volume_size > most {
        let message = format!("An App Server's volume can't be {}.", cluster.volume_size);
        let help =
            format!("Allowed: {least} (the ECS-optimised image's size) to {most} (gp3's largest).");
        rules.wrong(
            "out_of_range",
            &["cluster", name, "volume-size"],
            message,
            &help,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graviton_families_are_arm64_and_all_others_x86_64() {
        for arm in [
            "c7g.large",
            "t4g.micro",
            "m6gd.xlarge",
            "r8g.large",
            "im4gn.large",
            "a1.large",
            "is4gen.medium",
            "c7gn.large",
            "x2gd.large",
            "hpc7g.4xlarge",
        ] {
            assert_eq!(architecture_of(arm), Architecture::Arm64, "{arm}");
        }
        for intel in [
            "c6i.large",
            "t3.micro",
            "m7a.large",
            "g4dn.xlarge",
            "g5.xlarge",
            "gr6.4xlarge",
            "u-6tb1.metal",
            "m7i-flex.large",
            "p4de.24xlarge",
        ] {
            assert_eq!(architecture_of(intel), Architecture::X86_64, "{intel}");
        }
    }
}
