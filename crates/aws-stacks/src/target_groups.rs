//! Target groups of the load balancer.

use mck_blueprint::model::HealthCheck;
use mck_cloudformation::resources::elasticloadbalancingv2::{self as elb, target_group::Matcher};

use crate::units::seconds;

/// A target group over HTTP with that check; the rest is for its user to say.
pub(crate) fn checked_by(check: &HealthCheck) -> elb::TargetGroup {
    elb::TargetGroup {
        protocol: "HTTP".into(),
        health_check_enabled: true.into(),
        health_check_protocol: "HTTP".into(),
        health_check_path: (&check.path).into(),
        health_check_interval_seconds: seconds(check.interval).into(),
        health_check_timeout_seconds: seconds(check.timeout).into(),
        healthy_threshold_count: check.healthy_threshold.into(),
        unhealthy_threshold_count: check.unhealthy_threshold.into(),
        matcher: Some(Matcher {
            http_code: check.status_codes().into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}
