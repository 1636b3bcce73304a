//! The load balancer.

use mck_blueprint::Blueprint;
use mck_environment::units::Duration;

use crate::{Check, Finding, Kind, is_aws, is_production};

pub(crate) const CHECKS: &[Check] = &[no_certificate, plain_http, no_access_logs];

fn no_certificate(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-E001",
        "set `dns.public-zone`, so that a certificate can be requested and validated, or name one \
         in `load-balancer.certificate.arns`",
    );
    KIND.when(
        is_aws(blueprint)
            && blueprint.load_balancer.certificate_arns.is_empty()
            && blueprint.public_zone.is_none(),
        "load-balancer.certificate",
        "there is neither a certificate nor a zone to validate one in: HTTPS can't be offered",
    )
}

fn plain_http(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-E002",
        "leave `redirect-to-https` out, or set it to true",
    );
    KIND.when(
        is_aws(blueprint)
            && is_production(blueprint)
            && !blueprint.load_balancer.http.redirect_to_https,
        "load-balancer.redirect-to-https",
        "passwords and sessions may travel by plain HTTP",
    )
}

fn no_access_logs(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note("MCK-E003", "set `access-logs-retention = \"7d\"`");
    let retention = blueprint.load_balancer.access_logs_retention;
    KIND.when(
        is_aws(blueprint) && is_production(blueprint) && retention == Duration::from_millis(0),
        "load-balancer.access-logs-retention",
        "the load balancer keeps no access logs",
    )
}
