//! CloudFront before the load balancer, and before the bucket of static files.

mod policies;

use mck_blueprint::{
    Blueprint,
    model::{ContentDelivery, Front},
};
use mck_cloudformation::{
    LogicalId, Text,
    resources::cloudfront::{
        self,
        distribution::{
            CacheBehavior, CustomErrorResponse, CustomOriginConfig, DefaultCacheBehavior,
            DistributionConfig, Logging, Origin, S3OriginConfig, ViewerCertificate,
        },
        origin_access_control::OriginAccessControlConfig,
    },
};

use super::{CDN_REGION, buckets, handed, hosts};
use crate::{names, servers, stack::Stack};

const LOAD_BALANCER: &str = "load-balancer";
const STATIC_FILES: &str = "static-files";
/// The path under which the bucket's files are offered. Neither Magento, WordPress nor what builds
/// storefronts uses it.
const STATIC_PATH: &str = "/bucket/*";
/// TLS 1.2 and 1.3 with modern ciphers (Amazon CloudFront developer guide, "Supported protocols and
/// ciphers between viewers and CloudFront").
const TLS_POLICY: &str = "TLSv1.2_2021";
const HTTPS: u16 = 443;
/// How long an app may take to answer, in seconds: the most without a higher quota.
const READ_TIMEOUT: u8 = 60;
/// How long an idle connection to the load balancer stays open, in seconds: within the load
/// balancer's own 60.
const KEEPALIVE_TIMEOUT: u8 = 30;
/// Errors that one visitor's request may have and another's not. CloudFront keeps them for 10 s where
/// it is not told otherwise.
const ERRORS: [u16; 7] = [400, 403, 404, 500, 502, 503, 504];

pub(super) fn add(
    stack: &mut Stack,
    blueprint: &Blueprint,
    cdn: &ContentDelivery,
    balancer: &LogicalId,
) -> LogicalId {
    let bucket = buckets::add_static(stack);
    let policies = policies::add(stack, blueprint);
    let front = front(stack, blueprint);
    let access = add_origin_access(stack, blueprint);
    let paths = cdn.cached_paths.iter();
    let cached = paths.map(|path| cached(path, LOAD_BALANCER, &policies.cached, &policies));
    let static_files = cached_files(&policies);
    let config = DistributionConfig {
        comment: servers::full_name(blueprint, "cdn").into(),
        enabled: true.into(),
        http_version: "http2and3".into(),
        ipv6_enabled: true.into(),
        price_class: "PriceClass_All".into(),
        aliases: front.aliases,
        viewer_certificate: Some(front.certificate),
        web_acl_id: front.web_acl,
        origins: vec![
            load_balancer(cdn, balancer),
            Origin {
                id: STATIC_FILES.into(),
                domain_name: bucket.attribute("RegionalDomainName"),
                origin_access_control_id: access.attribute("Id"),
                // With an access control there is no identity, which must be said.
                s3_origin_config: Some(S3OriginConfig {
                    origin_access_identity: "".into(),
                    ..Default::default()
                }),
                ..Default::default()
            },
        ],
        default_cache_behavior: Some(default_behavior(&policies)),
        cache_behaviors: std::iter::once(static_files).chain(cached).collect(),
        custom_error_responses: ERRORS.map(never_kept).into(),
        logging: buckets::cdn_logs(stack, blueprint).map(|bucket| Logging {
            bucket,
            prefix: "cdn/".into(),
            include_cookies: false.into(),
        }),
        ..Default::default()
    };
    let distribution = cloudfront::Distribution {
        distribution_config: Some(config),
        ..Default::default()
    };
    let description = "The CDN before the load balancer and the static files";
    let id = stack.add("Distribution", description, &distribution).id();
    buckets::let_in(stack, &bucket, &id);
    hand_over(stack, &id);
    id
}

fn hand_over(stack: &mut Stack, id: &LogicalId) {
    stack.hand_over(
        &names::edge::distribution(),
        "The distribution's id",
        id.reference(),
    );
    stack.template.output(
        "DistributionDomainName",
        "The distribution's host",
        id.attribute("DomainName"),
    );
}

/// What visitors see of it.
struct FrontDoor {
    aliases: Vec<Text>,
    certificate: ViewerCertificate,
    web_acl: Text,
}

fn front(stack: &mut Stack, blueprint: &Blueprint) -> FrontDoor {
    let (aliases, certificate) = certificate(stack, blueprint).map_or_else(
        || {
            // Without a certificate it has CloudFront's, which is of its own host alone.
            let own = ViewerCertificate {
                cloud_front_default_certificate: true.into(),
                ..Default::default()
            };
            (Vec::new(), own)
        },
        |(aliases, arn)| {
            let given = ViewerCertificate {
                acm_certificate_arn: arn,
                ssl_support_method: "sni-only".into(),
                minimum_protocol_version: TLS_POLICY.into(),
                ..Default::default()
            };
            (aliases, given)
        },
    );
    let web_acl = blueprint.web_acl.as_ref();
    let has_acl = web_acl.is_some_and(|acl| acl.front == Front::ContentDelivery);
    let web_acl = if has_acl {
        stack.have_or_take(&handed::web_acl(&handed::home(blueprint)))
    } else {
        Text::Absent
    };
    FrontDoor {
        aliases,
        certificate,
        web_acl,
    }
}

/// The hosts under which it answers, and its certificate: the first of those given where they are in
/// CloudFront's region, else the one that was requested for the public zone.
fn certificate(stack: &mut Stack, blueprint: &Blueprint) -> Option<(Vec<Text>, Text)> {
    let public = blueprint.public_zone.as_ref();
    let given = blueprint.load_balancer.certificate_arns.first();
    if let Some(arn) = given.filter(|_| blueprint.region == CDN_REGION) {
        let hosts = public.map_or_else(
            || hosts::of_apps(blueprint),
            |zone| hosts::by_front(blueprint, zone),
        );
        return Some((hosts.into_iter().map(Text::from).collect(), arn.into()));
    }
    let public = public?;
    let names = hosts::names_to_certify(public);
    if names.is_empty() {
        return None;
    }
    let first = &names[..names.len().min(hosts::NAMES)];
    let hosts = hosts::by_front(blueprint, public).into_iter();
    let hosts = hosts.filter(|host| first.iter().any(|name| hosts::covers(name, host)));
    let hosts = hosts.map(Text::from).collect();
    let arn = stack.have_or_take(&handed::certificate(&handed::home(blueprint)));
    Some((hosts, arn))
}

/// The load balancer by its own host, though its certificate is of the visitors' hosts: CloudFront
/// accepts a certificate that is of the host which it passes on (Amazon CloudFront developer guide,
/// "Require HTTPS for communication between CloudFront and your custom origin").
fn load_balancer(cdn: &ContentDelivery, balancer: &LogicalId) -> Origin {
    let protocol = if cdn.origin_port == HTTPS {
        "https-only"
    } else {
        "http-only"
    };
    Origin {
        id: LOAD_BALANCER.into(),
        domain_name: balancer.attribute("DNSName"),
        custom_origin_config: Some(CustomOriginConfig {
            origin_protocol_policy: protocol.into(),
            origin_ssl_protocols: vec!["TLSv1.2".into()],
            origin_read_timeout: READ_TIMEOUT.into(),
            origin_keepalive_timeout: KEEPALIVE_TIMEOUT.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn add_origin_access(stack: &mut Stack, blueprint: &Blueprint) -> LogicalId {
    let access = cloudfront::OriginAccessControl {
        origin_access_control_config: Some(OriginAccessControlConfig {
            name: servers::full_name(blueprint, "static").into(),
            origin_access_control_origin_type: "s3".into(),
            signing_behavior: "always".into(),
            signing_protocol: "sigv4".into(),
            ..Default::default()
        }),
    };
    let description = "How the CDN proves to the static bucket who it is";
    stack.add("OriginAccessControl", description, &access).id()
}

fn methods(names: &[&str]) -> Vec<Text> {
    names.iter().copied().map(Text::from).collect()
}

/// Everything is asked of the app, with all that the visitor sent.
fn default_behavior(policies: &policies::Policies) -> DefaultCacheBehavior {
    DefaultCacheBehavior {
        target_origin_id: LOAD_BALANCER.into(),
        viewer_protocol_policy: "redirect-to-https".into(),
        allowed_methods: methods(&["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]),
        compress: true.into(),
        cache_policy_id: policies::CACHING_DISABLED.into(),
        origin_request_policy_id: policies::ALL_OF_THE_VIEWER.into(),
        response_headers_policy_id: policies.security_headers.clone(),
        ..Default::default()
    }
}

fn cached(
    path: &str,
    origin: &str,
    cache_policy: &Text,
    policies: &policies::Policies,
) -> CacheBehavior {
    CacheBehavior {
        path_pattern: path.into(),
        target_origin_id: origin.into(),
        viewer_protocol_policy: "redirect-to-https".into(),
        allowed_methods: methods(&["GET", "HEAD", "OPTIONS"]),
        cached_methods: methods(&["GET", "HEAD"]),
        compress: true.into(),
        cache_policy_id: cache_policy.clone(),
        response_headers_policy_id: policies.security_headers.clone(),
        ..Default::default()
    }
}

fn cached_files(policies: &policies::Policies) -> CacheBehavior {
    let optimized = policies::CACHING_OPTIMIZED.into();
    cached(STATIC_PATH, STATIC_FILES, &optimized, policies)
}

fn never_kept(code: u16) -> CustomErrorResponse {
    CustomErrorResponse {
        error_code: code.into(),
        error_caching_min_ttl: 0.into(),
        ..Default::default()
    }
}
