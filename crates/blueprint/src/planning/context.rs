//! What all planners know: the environment, its target and the names that follow from both.

use mck_environment::{
    Environment,
    settings::{Settings, Target},
    units::Duration,
};

/// The environment being planned.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) settings: &'a Settings,
    pub(crate) target: Target,
}

impl<'a> Context<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            settings: &environment.settings,
            target: environment.target(),
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        self.target == Target::Local
    }

    pub(crate) fn is_production(&self) -> bool {
        self.environment.name == "production"
    }

    /// `<project>-<environment>`, at most 33 characters.
    pub(crate) fn prefix(&self) -> String {
        format!("{}-{}", self.environment.project, self.environment.name)
    }

    /// `<project>-<environment>-<name>`.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix())
    }

    /// `/mck/<project>/<environment>/<name>`.
    pub(crate) fn log_group(&self, name: &str) -> String {
        format!(
            "/mck/{}/{}/{name}",
            self.environment.project, self.environment.name
        )
    }

    /// `<host>.<region>.<zone>` in the private zone.
    pub(crate) fn private_name(&self, host: &str) -> String {
        format!(
            "{host}.{}.{}",
            self.settings.region, self.settings.dns.private_zone
        )
    }

    /// One value locally, another on AWS.
    pub(crate) fn by_target(&self, local: Duration, aws: Duration) -> Duration {
        if self.is_local() { local } else { aws }
    }
}

/// Shortens a name to `limit` characters. What is cut off lives on in a checksum of the whole, so
/// that two long names stay different; 32 is the limit of load balancers and target groups (ELB).
pub(crate) fn shortened(name: &str, limit: usize) -> String {
    const CHECKSUM: usize = 8;
    if name.len() <= limit {
        return name.to_owned();
    }
    let kept: String = name.chars().take(limit - CHECKSUM - 1).collect();
    format!(
        "{}-{:08x}",
        kept.trim_end_matches('-'),
        fnv1a(name.as_bytes())
    )
}

/// The 32-bit FNV-1a hash: no cryptography, the same on every machine.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv1a_gives_the_published_test_vectors() {
        assert_eq!(fnv1a(b""), 0x811c_9dc5);
        assert_eq!(fnv1a(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a(b"foobar"), 0xbf9c_f968);
    }

    #[test]
    fn long_names_are_cut_but_stay_different() {
        let first = shortened("a-project-with-twenty-production-app-one", 32);
        let second = shortened("a-project-with-twenty-production-app-two", 32);
        assert!(first.len() <= 32 && second.len() <= 32);
        assert_ne!(first, second);
        assert_eq!(shortened("shop-production", 32), "shop-production");
    }
}
