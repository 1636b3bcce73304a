//! The load balancer and its listeners. Rules of listeners are those of apps.

use mck_blueprint::{
    Blueprint,
    model::{LoadBalancer, Tier},
};
use mck_cloudformation::{
    LogicalId, Text,
    resources::elasticloadbalancingv2::{
        self as elb,
        listener::{Action, Certificate, FixedResponseConfig, RedirectConfig},
        listener_certificate,
        load_balancer::LoadBalancerAttribute,
    },
};

use super::{buckets, name_tag};
use crate::{names, security_groups, stack::Stack, synthesis::Scene};

/// TLS 1.3 and 1.2 (ELB user guide, "Security policies for your Application Load Balancer").
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

/// Whether visitors reach it by IPv6: where the kit made the public subnets.
pub(super) fn has_ipv6(blueprint: &Blueprint) -> bool {
    blueprint.network.ipv6 && blueprint.network.existing.is_none()
}

pub(super) fn add(
    stack: &mut Stack,
    blueprint: &Blueprint,
    certificates: &[Text],
    scene: &Scene<'_>,
) -> LogicalId {
    let settings = &blueprint.load_balancer;
    let logs = buckets::add_access_logs(stack, blueprint);
    let bucket = logs.as_ref().map(|(bucket, _)| bucket);
    let subnets = names::network::subnets(blueprint, Tier::Public);
    let address_type = if has_ipv6(blueprint) {
        "dualstack"
    } else {
        "ipv4"
    };
    let properties = elb::LoadBalancer {
        name: settings.name.as_str().into(),
        type_: "application".into(),
        scheme: "internet-facing".into(),
        ip_address_type: address_type.into(),
        subnets: subnets.iter().map(|it| stack.take(it)).collect(),
        security_groups: vec![security_groups::id(stack, scene, &settings.security_group)],
        load_balancer_attributes: attributes(blueprint, bucket),
        tags: name_tag(blueprint, "edge"),
        ..Default::default()
    };
    let description = "The load balancer before all apps";
    let policy = logs.as_ref().map(|(_, policy)| policy);
    let id = stack
        .add("LoadBalancer", description, &properties)
        .after(policy)
        .id();
    stack.hand_over(
        &names::edge::load_balancer_full_name(),
        "The load balancer's full name",
        id.attribute("LoadBalancerFullName"),
    );
    let host = id.attribute("DNSName");
    let description = "The load balancer's host";
    stack
        .template
        .output("LoadBalancerDnsName", description, host);
    add_listeners(stack, settings, certificates, &id);
    id
}

fn attributes(blueprint: &Blueprint, bucket: Option<&LogicalId>) -> Vec<LoadBalancerAttribute> {
    let settings = &blueprint.load_balancer;
    let mut attributes: Vec<(&str, Text)> = vec![
        (
            "idle_timeout.timeout_seconds",
            settings.idle_timeout.as_secs_ceil().to_string().into(),
        ),
        ("routing.http2.enabled", settings.http2.to_string().into()),
        // Headers that no name can have never reach an app, and requests that a proxy and an app could
        // read in two ways neither.
        (
            "routing.http.drop_invalid_header_fields.enabled",
            "true".into(),
        ),
        ("routing.http.desync_mitigation_mode", "defensive".into()),
        ("routing.http.xff_header_processing.mode", "append".into()),
        // Without its firewall's answer a request is refused.
        ("waf.fail_open.enabled", "false".into()),
        // An environment whose database must not be deleted by mistake must not lose its address so
        // either.
        (
            "deletion_protection.enabled",
            blueprint.database.deletion_protection.to_string().into(),
        ),
        (
            "access_logs.s3.enabled",
            bucket.is_some().to_string().into(),
        ),
    ];
    if let Some(bucket) = bucket {
        attributes.push(("access_logs.s3.bucket", bucket.reference()));
    }
    attributes
        .into_iter()
        .map(|(key, value)| LoadBalancerAttribute {
            key: key.into(),
            value,
        })
        .collect()
}

fn add_listeners(
    stack: &mut Stack,
    settings: &LoadBalancer,
    certificates: &[Text],
    balancer: &LogicalId,
) {
    let redirects = settings.http.redirect_to_https && !certificates.is_empty();
    let action = if redirects {
        redirect(settings.https.port)
    } else {
        not_found()
    };
    let http = elb::Listener {
        load_balancer_arn: balancer.reference(),
        port: i64::from(settings.http.port).into(),
        protocol: "HTTP".into(),
        default_actions: vec![action],
        ..Default::default()
    };
    let description = if redirects {
        "Answers HTTP with the way to HTTPS"
    } else {
        "Answers HTTP"
    };
    let id = stack.add("HttpListener", description, &http).id();
    stack.hand_over(
        &names::edge::http_listener(),
        "The HTTP listener",
        id.reference(),
    );
    if let Some((default, more)) = certificates.split_first() {
        add_https(stack, settings, default, more, balancer);
    }
}

fn add_https(
    stack: &mut Stack,
    settings: &LoadBalancer,
    default: &Text,
    more: &[Text],
    balancer: &LogicalId,
) {
    let https = elb::Listener {
        load_balancer_arn: balancer.reference(),
        port: i64::from(settings.https.port).into(),
        protocol: "HTTPS".into(),
        ssl_policy: TLS_POLICY.into(),
        certificates: vec![Certificate {
            certificate_arn: default.clone(),
        }],
        default_actions: vec![not_found()],
        ..Default::default()
    };
    let description = "Answers HTTPS, with a 404 what no app answers";
    let id = stack.add("HttpsListener", description, &https).id();
    stack.hand_over(
        &names::edge::https_listener(),
        "The HTTPS listener",
        id.reference(),
    );
    for (index, certificate) in more.iter().enumerate() {
        let properties = elb::ListenerCertificate {
            listener_arn: id.reference(),
            certificates: vec![listener_certificate::Certificate {
                certificate_arn: certificate.clone(),
            }],
        };
        let id = LogicalId::of(&["listener-certificate", &(index + 2).to_string()]);
        let description = "A further certificate of the HTTPS listener";
        stack.add(id, description, &properties);
    }
}

fn redirect(port: u16) -> Action {
    Action {
        type_: "redirect".into(),
        redirect_config: Some(RedirectConfig {
            protocol: "HTTPS".into(),
            port: port.to_string().into(),
            status_code: "HTTP_301".into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// What no app's rule is about.
fn not_found() -> Action {
    Action {
        type_: "fixed-response".into(),
        fixed_response_config: Some(FixedResponseConfig {
            status_code: "404".into(),
            content_type: "text/plain".into(),
            message_body: "Not found".into(),
        }),
        ..Default::default()
    }
}
