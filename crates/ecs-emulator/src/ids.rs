//! Ids that have never been used.

use mck_local::text::digest;
use serde::{Deserialize, Serialize};

/// Makes ids of a seed and a count, so that the same seed gives the same ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    seed: String,
    count: u64,
}

impl Ids {
    /// Ids that differ from those of every other seed.
    pub fn new(seed: impl Into<String>) -> Self {
        Self {
            seed: seed.into(),
            count: 0,
        }
    }

    /// Sixteen hexadecimal digits.
    fn digits(&mut self) -> String {
        self.count += 1;
        digest(&format!("{}/{}", self.seed, self.count))
    }

    /// A deployment's: `ecs-svc/` and 19 decimal digits.
    pub fn deployment(&mut self) -> String {
        let number = u64::from_str_radix(&self.digits(), 16).unwrap_or(self.count);
        let nineteen = 1_000_000_000_000_000_000_u64;
        format!("ecs-svc/{}", nineteen + number % (8 * nineteen))
    }

    /// A task's: 32 hexadecimal digits.
    pub fn task(&mut self) -> String {
        self.digits() + &self.digits()
    }

    /// An event's, as a UUID.
    pub fn event(&mut self) -> String {
        let digits = self.task();
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
        parts.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_ecs() {
        let mut ids = Ids::new("seed");
        let deployment = ids.deployment();
        assert_eq!(deployment.len(), "ecs-svc/".len() + 19);
        assert_ne!(ids.deployment(), deployment);
        assert_eq!(ids.task().len(), 32);
        assert_eq!(
            ids.event().split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert_eq!(Ids::new("seed").deployment(), deployment);
    }
}
