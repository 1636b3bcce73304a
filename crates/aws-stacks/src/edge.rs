//! The stacks `edge` and `edge-global`: what visitors meet, and the public names.
//!
//! CloudFront takes its certificate and its web ACL from us-east-1. An environment elsewhere has a
//! stack there with what CloudFront needs, which comes first.

mod buckets;
mod certificate;
mod distribution;
mod firewall;
mod handed;
mod hosts;
mod load_balancer;
mod zone;

use mck_blueprint::{Blueprint, model::Front};
use mck_cloudformation::Tag;

use crate::{
    servers,
    stack::{Stack, StackId},
    synthesis::Scene,
};

/// Where CloudFront's certificates and web ACLs are (Amazon CloudFront developer guide,
/// "Requirements for using SSL/TLS certificates with CloudFront").
const CDN_REGION: &str = "us-east-1";

pub(crate) fn stacks(scene: &Scene<'_>) -> Vec<Stack> {
    let blueprint = scene.blueprint;
    let mut edge = scene.stack(
        StackId::Edge,
        "load balancer, certificate, firewall, CDN, public names",
    );
    let global = (handed::home(blueprint) == StackId::EdgeGlobal).then(|| global(scene));
    let global = global.filter(|stack| !stack.template.resources().is_empty());
    if global.is_none() {
        zone::add(&mut edge, blueprint);
    }
    let certificates = certificate::add(&mut edge, blueprint);
    if blueprint.content_delivery.is_some() && global.is_none() {
        certificate::hand_over(&mut edge, &certificates);
        add_before_cdn(&mut edge, blueprint);
    }
    let balancer = load_balancer::add(&mut edge, blueprint, &certificates, scene);
    if let Some(web_acl) = &blueprint.web_acl
        && web_acl.front == Front::LoadBalancer
    {
        let acl = firewall::add(&mut edge, blueprint, web_acl);
        firewall::associate(&mut edge, &acl, &balancer);
    }
    let cdn = blueprint.content_delivery.as_ref();
    let distribution = cdn.map(|cdn| distribution::add(&mut edge, blueprint, cdn, &balancer));
    zone::add_records(&mut edge, blueprint, &balancer, distribution.as_ref());
    global.into_iter().chain([edge]).collect()
}

/// The stack in us-east-1.
fn global(scene: &Scene<'_>) -> Stack {
    let blueprint = scene.blueprint;
    let mut stack = scene.stack(
        StackId::EdgeGlobal,
        "certificate, firewall and logs of the CDN, public zone",
    );
    stack.region = CDN_REGION.to_owned();
    zone::add(&mut stack, blueprint);
    let certificates = certificate::request(&mut stack, blueprint);
    certificate::hand_over(&mut stack, &certificates);
    add_before_cdn(&mut stack, blueprint);
    stack
}

/// What the distribution needs beside its certificate.
fn add_before_cdn(stack: &mut Stack, blueprint: &Blueprint) {
    if let Some(web_acl) = &blueprint.web_acl
        && web_acl.front == Front::ContentDelivery
    {
        let acl = firewall::add(stack, blueprint, web_acl);
        stack.hand_over(
            &handed::web_acl(&stack.id),
            "The web ACL before the CDN",
            acl.attribute("Arn"),
        );
    }
    buckets::add_cdn_logs(stack, blueprint);
}

/// Whether the load balancer can offer HTTPS: with certificates of the file's, or one that is
/// validated in the public zone.
pub(crate) fn has_certificate(blueprint: &Blueprint) -> bool {
    let zone = blueprint.public_zone.as_ref();
    !blueprint.load_balancer.certificate_arns.is_empty()
        || zone.is_some_and(hosts::has_name_to_certify)
}

fn name_tag(blueprint: &Blueprint, name: &str) -> Vec<Tag> {
    vec![Tag::name(servers::full_name(blueprint, name))]
}

#[cfg(test)]
mod tests;
