//! EC2 instance types: what an App Server of a type has.
//!
//! Figures are those of "Amazon EC2 instance types" (virtual CPUs, memory), "Maximum IP addresses
//! per network interface" (interfaces) and "Supported instances for increased Amazon ECS container
//! network interfaces" (tasks with trunking). Families follow a rule by size, so the rule is kept
//! rather than a table of some 140 rows.

use mck_environment::{settings::Architecture, units::Size};

/// What an instance type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceType {
    /// Virtual CPUs.
    pub virtual_cpus: u32,
    /// Memory as sold.
    pub memory: Size,
    /// The processor architecture.
    pub architecture: Architecture,
    /// Network interfaces that it can have, its own included.
    pub network_interfaces: u32,
    /// `awsvpc` tasks that it can have with the account setting `awsvpcTrunking`; none where the
    /// type has no trunking.
    pub tasks_with_trunking: Option<u32>,
    /// Whether its CPU is in credits.
    pub burstable: bool,
}

impl InstanceType {
    /// `awsvpc` tasks that it can have: each needs an interface, and the server one for itself.
    pub fn maximum_tasks(&self) -> u32 {
        self.tasks_with_trunking
            .unwrap_or(self.network_interfaces - 1)
    }

    /// Memory for tasks: what is left when the kernel, the ECS agent and the daemons have kept 5 %
    /// of it, but at least 256 MiB. (The ECS developer guide, "Reserving Amazon ECS Linux container
    /// instance memory", advises to keep some back; the figure is ours, and a little more than the
    /// agent finds missing on any listed type.)
    pub fn memory_for_tasks(&self) -> Size {
        let whole = self.memory.as_mib();
        Size::from_mib(whole - (whole / 20).max(256))
    }
}

/// The families that are known, separated by commas.
pub fn families() -> String {
    FAMILIES.map(|family| family.name).join(", ")
}

/// The instance type of that name, such as `c6i.large`; none for a name that is not known.
pub fn find(name: &str) -> Option<InstanceType> {
    let (family, size) = name.split_once('.')?;
    let family = FAMILIES.iter().find(|known| known.name == family)?;
    if !family.sizes.contains(&size) {
        return None;
    }
    let virtual_cpus = virtual_cpus(family, size)?;
    Some(InstanceType {
        virtual_cpus,
        memory: memory(family, size, virtual_cpus),
        architecture: family.architecture,
        network_interfaces: network_interfaces(family, size),
        tasks_with_trunking: (!family.burstable).then(|| tasks_with_trunking(size)),
        burstable: family.burstable,
    })
}

struct Family {
    name: &'static str,
    architecture: Architecture,
    burstable: bool,
    gib_per_cpu: u32,
    sizes: &'static [&'static str],
}

const BURSTABLE: &[&str] = &[
    "nano", "micro", "small", "medium", "large", "xlarge", "2xlarge",
];
const FIFTH: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
];
const FIFTH_COMPUTE: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "12xlarge", "18xlarge", "24xlarge",
];
const SIXTH: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
    "32xlarge",
];
const SEVENTH: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
    "48xlarge",
];
const GRAVITON: &[&str] = &[
    "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge",
];

const fn family(
    name: &'static str,
    architecture: Architecture,
    gib_per_cpu: u32,
    sizes: &'static [&'static str],
) -> Family {
    Family {
        name,
        architecture,
        burstable: name.as_bytes()[0] == b't',
        gib_per_cpu,
        sizes,
    }
}

const FAMILIES: [Family; 17] = [
    family("t3", Architecture::X86_64, 4, BURSTABLE),
    family("t3a", Architecture::X86_64, 4, BURSTABLE),
    family("t4g", Architecture::Arm64, 4, BURSTABLE),
    family("m5", Architecture::X86_64, 4, FIFTH),
    family("m6i", Architecture::X86_64, 4, SIXTH),
    family("m6g", Architecture::Arm64, 4, GRAVITON),
    family("m7i", Architecture::X86_64, 4, SEVENTH),
    family("m7g", Architecture::Arm64, 4, GRAVITON),
    family("c5", Architecture::X86_64, 2, FIFTH_COMPUTE),
    family("c6i", Architecture::X86_64, 2, SIXTH),
    family("c6g", Architecture::Arm64, 2, GRAVITON),
    family("c7i", Architecture::X86_64, 2, SEVENTH),
    family("c7g", Architecture::Arm64, 2, GRAVITON),
    family("r5", Architecture::X86_64, 8, FIFTH),
    family("r6i", Architecture::X86_64, 8, SIXTH),
    family("r6g", Architecture::Arm64, 8, GRAVITON),
    family("r7g", Architecture::Arm64, 8, GRAVITON),
];

fn virtual_cpus(family: &Family, size: &str) -> Option<u32> {
    match size {
        "nano" | "micro" | "small" => Some(2),
        "medium" if family.burstable => Some(2),
        "medium" => Some(1),
        "large" => Some(2),
        "xlarge" => Some(4),
        other => other
            .strip_suffix("xlarge")?
            .parse::<u32>()
            .ok()
            .map(|times| times * 4),
    }
}

fn memory(family: &Family, size: &str, virtual_cpus: u32) -> Size {
    match size {
        "nano" => Size::from_mib(512),
        "micro" => Size::from_gib(1),
        "small" => Size::from_gib(2),
        "medium" if family.burstable => Size::from_gib(4),
        _ => Size::from_gib(u64::from(virtual_cpus) * u64::from(family.gib_per_cpu)),
    }
}

fn network_interfaces(family: &Family, size: &str) -> u32 {
    match size {
        "nano" | "micro" => 2,
        "small" if family.name == "t3a" => 2,
        "medium" if !family.burstable => 2,
        "small" | "medium" | "large" => 3,
        "xlarge" | "2xlarge" => 4,
        "4xlarge" | "8xlarge" | "9xlarge" | "12xlarge" => 8,
        _ => 15,
    }
}

fn tasks_with_trunking(size: &str) -> u32 {
    match size {
        "medium" => 4,
        "large" => 10,
        "xlarge" => 20,
        "2xlarge" => 40,
        "4xlarge" | "8xlarge" | "9xlarge" | "12xlarge" => 60,
        _ => 120,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_what_amazon_says_of_them() {
        for (name, cpus, mib, interfaces, tasks) in [
            ("c6i.large", 2, 4_096, 3, 10),
            ("t3.nano", 2, 512, 2, 1),
            ("t3.medium", 2, 4_096, 3, 2),
            ("t4g.2xlarge", 8, 32_768, 4, 3),
            ("m6g.medium", 1, 4_096, 2, 4),
            ("c7g.medium", 1, 2_048, 2, 4),
            ("c5.9xlarge", 36, 73_728, 8, 60),
            ("r6i.32xlarge", 128, 1_048_576, 15, 120),
        ] {
            let found = find(name).unwrap();
            assert_eq!(
                (
                    found.virtual_cpus,
                    found.memory.as_mib(),
                    found.network_interfaces,
                    found.maximum_tasks()
                ),
                (cpus, mib, interfaces, tasks),
                "{name}"
            );
        }
    }

    #[test]
    fn a_size_that_the_family_does_not_have_is_not_known() {
        for name in ["c6i.nano", "m6g.24xlarge", "z9.large", "c6i", "", "c6i."] {
            assert_eq!(find(name), None, "{name}");
        }
    }

    #[test]
    fn every_type_leaves_memory_for_tasks() {
        for family in &FAMILIES {
            for size in family.sizes {
                let found = find(&format!("{}.{size}", family.name)).unwrap();
                assert!(found.memory_for_tasks() < found.memory);
                assert!(found.memory_for_tasks().as_mib() >= 256);
            }
        }
    }
}
