//! The load balancer.

use mck_blueprint::Blueprint;
use mck_environment::units::Duration;

use crate::{Check, Finding, Kind, is_aws, is_production};

pub(crate) const CHECKS: &[Check] = &[
    no_certificate,
    content_delivery_without_certificate,
    hosts_outside_the_public_zone,
    plain_http,
    no_access_logs,
    too_many_routes,
    no_firewall,
    firewall_that_only_counts,
];

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

/// CloudFront takes certificates of us-east-1 only (CloudFront developer guide, "Requirements for
/// using SSL/TLS certificates").
fn content_delivery_without_certificate(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::error(
        "MCK-E007",
        "set `dns.public-zone`, so that one can be requested there and validated, or leave \
         `cdn.enabled` out",
    );
    KIND.when(
        blueprint.content_delivery.is_some()
            && blueprint.region != "us-east-1"
            && !blueprint.load_balancer.certificate_arns.is_empty()
            && blueprint.public_zone.is_none(),
        "cdn.enabled",
        "the CDN needs a certificate in us-east-1, and there is no zone to validate one in: the \
         apps' hosts could not be served",
    )
}

fn hosts_outside_the_public_zone(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-E008",
        "make the record yourself and name a certificate for it in \
         `load-balancer.certificate.arns`, or give the app a host of the zone",
    );
    let Some(zone) = &blueprint.public_zone else {
        return Vec::new();
    };
    let Some(name) = zone.name.as_deref() else {
        return Vec::new();
    };
    let outside = zone.hosts.iter().filter(|host| {
        let rest = host.strip_suffix(name);
        !rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    let outside: Vec<&str> = outside.map(String::as_str).collect();
    KIND.when(
        !outside.is_empty(),
        "dns.public-zone",
        &format!(
            "{} not in the public zone {name}: neither a record nor a certificate is made for it",
            if outside.len() == 1 {
                format!("the host {} is", outside[0])
            } else {
                format!("the hosts {} are", outside.join(", "))
            }
        ),
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

/// Rules, and target groups, that AWS allows a load balancer by default (Elastic Load Balancing,
/// "Quotas for your Application Load Balancers").
const MOST_ROUTES: usize = 100;

fn too_many_routes(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-E004",
        "ask AWS for higher quotas of rules and target groups per load balancer, or split the \
         environment",
    );
    let apps = blueprint.apps.iter();
    let apps = apps.filter_map(|app| app.listener_rule.as_ref());
    let jenkins = blueprint.jenkins.iter();
    let jenkins = jenkins.filter_map(|it| it.listener_rule.as_ref());
    let routes = apps.chain(jenkins).count();
    KIND.when(
        is_aws(blueprint) && routes > MOST_ROUTES,
        "app",
        &format!(
            "{routes} apps are behind the load balancer, and AWS allows it {MOST_ROUTES} rules and \
             target groups by default"
        ),
    )
}

fn no_firewall(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-E005", "leave `waf.enabled` out");
    let mut vendors = blueprint.integrations.iter();
    KIND.when(
        is_aws(blueprint)
            && is_production(blueprint)
            && blueprint.web_acl.is_none()
            && !vendors.any(|it| it.name == "cloudflare"),
        "waf.enabled",
        "no firewall stands before the shop: attacks and bots reach PHP",
    )
}

fn firewall_that_only_counts(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note(
        "MCK-E006",
        "set `count-only = false` once you saw what it counts",
    );
    KIND.when(
        is_production(blueprint) && blueprint.web_acl.as_ref().is_some_and(|it| it.count_only),
        "waf.count-only",
        "the firewall counts, and blocks nothing",
    )
}
