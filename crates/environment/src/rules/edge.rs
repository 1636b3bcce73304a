//! The load balancer, DNS zones and the CDN.

use super::{Rules, data};
use crate::units::Duration;

pub(super) fn check(rules: &mut Rules<'_>) {
    load_balancer(rules);
    certificates(rules);
    zones(rules);
    cdn(rules);
}

fn load_balancer(rules: &mut Rules<'_>) {
    let balancer = &rules.settings.load_balancer;
    let limits = (Duration::from_secs(1), Duration::from_secs(4_000));
    let path = ["load-balancer", "idle-timeout"];
    rules.within(&path, balancer.idle_timeout, limits, "The load balancer");
    let path = ["load-balancer", "access-logs-retention"];
    data::whole_days(rules, &path, balancer.access_logs_retention);
    let path = ["load-balancer", "allow-from"];
    if let Some(ranges) = &balancer.allow_from {
        rules.ranges(&path, ranges);
        if ranges.is_empty() {
            let message = "No one may reach the load balancer.".to_owned();
            let help = "Name ranges, or leave `allow-from` out to let everyone in.";
            rules.wrong("missing_allow_from", &path, message, help);
        }
    }
}

fn certificates(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    if !rules.on_aws() {
        return;
    }
    let arns = &settings.load_balancer.certificate.arns;
    for (index, arn) in arns.iter().enumerate() {
        let region = arn.split(':').nth(3).unwrap_or_default();
        if region != settings.region {
            let message = format!(
                "The certificate is in region `{region}`, the environment in `{}`.",
                settings.region
            );
            let help = "A load balancer takes certificates of its own region only.";
            let path = ["load-balancer", "certificate", "arns", &index.to_string()];
            rules.wrong("certificate_region", &path, message, help);
        }
    }
    let redirects = settings.load_balancer.redirect_to_https == Some(true);
    if redirects && arns.is_empty() && settings.dns.public_zone.is_none() {
        let message = "There is no certificate for HTTPS.".to_owned();
        let help = "Set `load-balancer.certificate.arns`, or `dns.public-zone` so that one can be \
                    requested and validated.";
        rules.wrong(
            "missing_public_zone",
            &["load-balancer", "redirect-to-https"],
            message,
            help,
        );
    }
}

fn zones(rules: &mut Rules<'_>) {
    let dns = &rules.settings.dns;
    if dns.public_zone.as_deref() == Some(dns.private_zone.as_str()) {
        let message = format!(
            "`{}` is both the private and the public zone.",
            dns.private_zone
        );
        let help = "Within the VPC the private zone would hide all names of the public one.";
        let (one, other) = (["dns", "public-zone"], ["dns", "private-zone"]);
        rules.wrong_pair(
            "same_zone",
            (&one, "public"),
            (&other, "private"),
            message,
            help,
        );
    }
    if dns.public_zone_id.is_some() && dns.public_zone.is_none() {
        let message = "`public-zone-id` is of no use without `public-zone`.".to_owned();
        let help = "Name the zone: `public-zone = \"example.com\"`.";
        rules.wrong_key(
            "missing_public_zone",
            &["dns", "public-zone-id"],
            message,
            help,
        );
    }
    let limits = (Duration::from_secs(0), Duration::from_secs(2_147_483_647));
    rules.within(&["dns", "ttl"], dns.ttl, limits, "Route 53");
}

fn cdn(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    if settings.cdn.enabled && settings.integration.cloudflare.is_some() {
        let message = "CloudFront and Cloudflare can't both be the front.".to_owned();
        let help = "Take `[integration.cloudflare]` out, or set `cdn.enabled = false`.";
        let (one, other) = (["integration", "cloudflare"], ["cdn", "enabled"]);
        rules.wrong_pair(
            "two_fronts",
            (&one, "Cloudflare"),
            (&other, "CloudFront"),
            message,
            help,
        );
    }
    for (index, path) in settings.cdn.cached_paths.iter().flatten().enumerate() {
        if !path.starts_with('/') || path.len() > 255 || path.contains(char::is_whitespace) {
            let place = ["cdn", "cached-paths", &index.to_string()];
            let message = format!("`{path}` is no path pattern.");
            let help = "Such as `/static/*`, at most 255 characters (CloudFront).";
            rules.wrong("bad_path", &place, message, help);
        }
    }
}
