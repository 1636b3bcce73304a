//! Which hosts there are, and what a certificate for them has to name.

use std::collections::BTreeSet;

use mck_blueprint::{
    Blueprint,
    model::{DnsProvider, PublicZone},
};

/// Names of one certificate (ACM, "Quotas").
pub(super) const NAMES: usize = 10;
/// Hosts of a distribution (Amazon CloudFront developer guide, "Quotas"); also the most records, of
/// which a template would hold less than five times as many.
pub(super) const HOSTS: usize = 100;

/// The hosts that are in the public zone, each a name or `*.` and a name: what else a listener rule
/// matches, no record and no certificate can say.
pub(super) fn in_zone(zone: &PublicZone) -> Vec<&str> {
    let hosts = zone.hosts.iter().map(String::as_str);
    hosts
        .filter(|host| is_name(host) && belongs(host, zone))
        .collect()
}

/// The hosts that come by the front; wildcards that cover them where they are too many.
pub(super) fn by_front(blueprint: &Blueprint, zone: &PublicZone) -> Vec<String> {
    let past = past_front(blueprint, zone);
    let hosts = in_zone(zone).into_iter();
    let hosts: Vec<&str> = hosts.filter(|host| Some(*host) != past).collect();
    at_most(HOSTS, &hosts, zone)
}

/// The host that does not come by the front: Jenkins lets people in by their address, which a CDN
/// would hide.
pub(super) fn past_front<'a>(blueprint: &'a Blueprint, zone: &PublicZone) -> Option<&'a str> {
    let host = blueprint.jenkins.as_ref()?.host.as_deref()?;
    belongs(host, zone).then_some(host)
}

/// Hosts in order, and wildcards in their place where they are more than `limit`.
fn at_most(limit: usize, hosts: &[&str], zone: &PublicZone) -> Vec<String> {
    let names: BTreeSet<String> = if hosts.len() > limit {
        hosts.iter().map(|host| wildcard(host, zone)).collect()
    } else {
        hosts.iter().map(|host| (*host).to_owned()).collect()
    };
    names.into_iter().collect()
}

/// The hosts of all apps, where no zone says which are public.
pub(super) fn of_apps(blueprint: &Blueprint) -> Vec<String> {
    let rules = blueprint.apps.iter();
    let rules = rules.filter_map(|app| app.listener_rule.as_ref());
    let hosts = rules.flat_map(|rule| rule.hosts.iter().map(String::as_str));
    let hosts: BTreeSet<&str> = hosts.filter(|host| is_name(host)).collect();
    hosts.into_iter().map(str::to_owned).collect()
}

fn is_name(host: &str) -> bool {
    let rest = host.strip_prefix("*.").unwrap_or(host);
    !rest.contains(['*', '?'])
}

/// Cloudflare's zone is known by its id alone, so that all hosts must be its.
fn belongs(host: &str, zone: &PublicZone) -> bool {
    match &zone.name {
        None => zone.provider == DnsProvider::Cloudflare,
        Some(name) => host == name || host.ends_with(&format!(".{name}")),
    }
}

/// What a certificate has to name: the hosts; where those are too many for one, wildcards that cover
/// them; where there are none, the zone.
pub(super) fn names_to_certify(zone: &PublicZone) -> Vec<String> {
    let names = at_most(NAMES, &in_zone(zone), zone);
    if names.is_empty() {
        return zone.name.iter().cloned().collect();
    }
    names
}

/// Whether there is anything that a certificate could name.
pub(super) fn has_name_to_certify(zone: &PublicZone) -> bool {
    let mut hosts = zone.hosts.iter();
    zone.name.is_some() || hosts.any(|host| is_name(host) && belongs(host, zone))
}

/// `*.example.com` for `www.example.com`; the zone's own name has no wildcard.
fn wildcard(host: &str, zone: &PublicZone) -> String {
    if host.starts_with("*.") || zone.name.as_deref() == Some(host) {
        return host.to_owned();
    }
    let parent = host.split_once('.').map_or(host, |(_, parent)| parent);
    if parent.contains('.') {
        format!("*.{parent}")
    } else {
        host.to_owned()
    }
}

/// Whether a name of a certificate is about a host.
pub(super) fn covers(name: &str, host: &str) -> bool {
    if name == host {
        return true;
    }
    let parent = name.strip_prefix("*.");
    parent.is_some_and(|parent| host.split_once('.').is_some_and(|(_, rest)| rest == parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: Option<&str>, hosts: &[&str]) -> PublicZone {
        PublicZone {
            provider: if name.is_some() {
                DnsProvider::Route53
            } else {
                DnsProvider::Cloudflare
            },
            name: name.map(str::to_owned),
            id: None,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        }
    }

    #[test]
    fn only_names_of_the_zone_count() {
        let hosts = [
            "example.com",
            "*.example.com",
            "shop-?.example.com",
            "www.*.example.com",
            "notexample.com",
            "www.example.org",
        ];
        let zone = zone(Some("example.com"), &hosts);
        assert_eq!(in_zone(&zone), ["example.com", "*.example.com"]);
    }

    #[test]
    fn all_names_are_those_of_cloudflares_zone() {
        let zone = zone(None, &["www.example.com", "www.example.org"]);
        assert_eq!(in_zone(&zone).len(), 2);
    }

    #[test]
    fn many_hosts_are_certified_by_wildcards() {
        let mut hosts: Vec<String> = (0..30).map(|it| format!("s{it}.example.com")).collect();
        hosts.push("example.com".to_owned());
        hosts.push("a.b.example.com".to_owned());
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let zone = zone(Some("example.com"), &hosts);
        let names = names_to_certify(&zone);
        assert_eq!(names, ["*.b.example.com", "*.example.com", "example.com"]);
        for host in hosts {
            assert!(names.iter().any(|name| covers(name, host)), "{host}");
        }
    }

    #[test]
    fn a_zone_without_hosts_is_certified_itself() {
        assert_eq!(
            names_to_certify(&zone(Some("example.com"), &[])),
            ["example.com"]
        );
        assert_eq!(names_to_certify(&zone(None, &[])), Vec::<String>::new());
        assert!(has_name_to_certify(&zone(Some("example.com"), &[])));
        assert!(!has_name_to_certify(&zone(None, &[])));
    }
}
