//! Scaling: how many tasks and App Servers there should be, by what they use. Pure, so that a
//! target only measures.

use crate::model::{AppCluster, ScalingPolicy, TaskCount};

/// What an app's tasks use, as means over some time; none where it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// CPU in percent of what the tasks reserve.
    pub cpu_percent: Option<f64>,
    /// Memory in percent of what the tasks reserve.
    pub memory_percent: Option<f64>,
    /// Requests a minute and task.
    pub requests_per_task: Option<f64>,
}

/// Tasks are removed only when every metric is below this share of its target (the 10 % of Application
/// Auto Scaling's target tracking, which keeps the number from swinging).
const SCALE_IN_BELOW: f64 = 0.9;

/// The number of tasks that brings every tracked metric to its target: target tracking as Application
/// Auto Scaling does it (user guide, "How target tracking scaling works"), which adds tasks for
/// any metric above its target and removes them only when all are well below.
pub fn target_tracking(
    policy: &ScalingPolicy,
    limits: TaskCount,
    current: u32,
    usage: Usage,
) -> u32 {
    let tracked = [
        (policy.cpu_percent.map(f64::from), usage.cpu_percent),
        (policy.memory_percent.map(f64::from), usage.memory_percent),
        (
            policy.requests_per_task.map(f64::from),
            usage.requests_per_task,
        ),
    ];
    let ratios: Vec<f64> = tracked
        .into_iter()
        .filter_map(|(target, value)| Some(value? / target?))
        .collect();
    let within = |count: u32| count.clamp(limits.minimum, limits.maximum);
    let Some(highest) = ratios.into_iter().reduce(f64::max) else {
        return within(current);
    };
    if !(SCALE_IN_BELOW..=1.0).contains(&highest) {
        within(proportional(current, highest))
    } else {
        within(current)
    }
}

/// `current` times the ratio, rounded up; at least one, so that something is there to measure.
fn proportional(current: u32, ratio: f64) -> u32 {
    let wanted = (f64::from(current) * ratio)
        .ceil()
        .clamp(1.0, f64::from(u32::MAX));
    // In range by the clamp above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let wanted = wanted as u32;
    wanted
}

/// What the tasks of a cluster reserve of its App Servers, in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reservation {
    /// Of CPU units.
    pub cpu_percent: f64,
    /// Of memory.
    pub memory_percent: f64,
}

/// Whether a cluster needs another number of App Servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerStep {
    /// One more: too much is reserved.
    Out,
    /// As it is.
    Stay,
    /// One fewer: little is reserved.
    In,
}

/// Step scaling by reservation, as the cluster's settings say; never beyond its limits.
pub fn server_step(cluster: &AppCluster, servers: u32, reserved: Reservation) -> ServerStep {
    let rules = &cluster.scaling;
    let above = reserved.cpu_percent >= f64::from(rules.cpu_reservation_high)
        || reserved.memory_percent >= f64::from(rules.memory_reservation_high);
    let low = f64::from(rules.reservation_low);
    let below = reserved.cpu_percent < low && reserved.memory_percent < low;
    if above && servers < cluster.maximum {
        ServerStep::Out
    } else if below && servers > cluster.minimum {
        ServerStep::In
    } else {
        ServerStep::Stay
    }
}

#[cfg(test)]
mod tests {
    use mck_environment::units::Duration;
    use proptest::prelude::*;

    use super::*;

    const LIMITS: TaskCount = TaskCount {
        minimum: 2,
        desired: 2,
        maximum: 10,
    };

    fn policy(cpu: Option<u8>, requests: Option<u32>) -> ScalingPolicy {
        ScalingPolicy {
            cpu_percent: cpu,
            memory_percent: None,
            requests_per_task: requests,
            scale_out_cooldown: Duration::from_secs(60),
            scale_in_cooldown: Duration::from_secs(300),
        }
    }

    fn usage(cpu: f64, requests: f64) -> Usage {
        Usage {
            cpu_percent: Some(cpu),
            memory_percent: None,
            requests_per_task: Some(requests),
        }
    }

    #[test]
    fn tasks_follow_the_highest_metric_and_leave_only_when_all_are_low() {
        for (cpu, requests, current, wanted) in [
            (60.0, 100.0, 4, 4),
            (90.0, 10.0, 4, 6),
            (10.0, 200.0, 4, 8),
            (57.0, 10.0, 4, 4),
            (30.0, 40.0, 4, 2),
            (1.0, 1.0, 4, 2),
            (600.0, 1.0, 4, 10),
        ] {
            let policy = policy(Some(60), Some(100));
            let found = target_tracking(&policy, LIMITS, current, usage(cpu, requests));
            assert_eq!(found, wanted, "{cpu} {requests}");
        }
        let nothing_tracked = target_tracking(&policy(None, None), LIMITS, 5, usage(99.0, 1e9));
        assert_eq!(nothing_tracked, 5);
        let nothing_known = target_tracking(&policy(Some(60), None), LIMITS, 5, Usage::default());
        assert_eq!(nothing_known, 5);
    }

    proptest! {
        #[test]
        fn never_beyond_the_limits_and_more_use_never_means_fewer(
            current in 0_u32..20, cpu in 0.0_f64..1000.0, more in 0.0_f64..100.0,
        ) {
            let policy = policy(Some(60), None);
            let count = |cpu| target_tracking(&policy, LIMITS, current, usage(cpu, 0.0));
            prop_assert!((LIMITS.minimum..=LIMITS.maximum).contains(&count(cpu)));
            prop_assert!(count(cpu + more) >= count(cpu));
        }
    }
}
