//! The deployment circuit breaker.

use serde::{Deserialize, Serialize};

use crate::model::DeploymentConfiguration;

/// The failed tasks that make a deployment fail: what is configured, else half the wanted tasks,
/// rounded up, at least 3 and at most 200 (ECS developer guide, "How the Amazon ECS deployment
/// circuit breaker detects failures").
pub fn circuit_breaker_threshold(desired: u32, configured: Option<u16>) -> u16 {
    let half = u16::try_from(desired.div_ceil(2).clamp(3, 200)).unwrap_or(200);
    configured.unwrap_or(half)
}

/// The circuit breaker of one deployment. It counts the tasks of the wanted revision that failed
/// before they were healthy, in a row: a task that becomes healthy sets the count back to 0 (ECS's
/// default). Once tripped it stays so. A new deployment, a rollback included, gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CircuitBreaker {
    /// The failures that trip it; none where it is off.
    threshold: Option<u16>,
    failures: u16,
}

impl CircuitBreaker {
    /// The circuit breaker of a deployment that begins.
    pub fn new(rules: &DeploymentConfiguration) -> Self {
        Self {
            threshold: rules.circuit_breaker.then_some(rules.failure_threshold),
            failures: 0,
        }
    }

    /// A task of the wanted revision ended, or was found unhealthy, before it was ever healthy.
    pub fn task_failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// A task of the wanted revision became healthy.
    pub fn task_became_healthy(&mut self) {
        if !self.is_tripped() {
            self.failures = 0;
        }
    }

    /// Failed tasks in a row.
    pub fn failures(&self) -> u16 {
        self.failures
    }

    /// Whether the deployment is to be given up.
    pub fn is_tripped(&self) -> bool {
        self.threshold
            .is_some_and(|threshold| self.failures >= threshold)
    }
}
