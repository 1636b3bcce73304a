//! Certificates: given ones, else such as ACM gives to who can write into the public zone.

use mck_blueprint::{
    Blueprint,
    model::{DnsProvider, PublicZone},
};
use mck_cloudformation::{
    LogicalId, Text,
    resources::certificatemanager::{self, certificate::DomainValidationOption},
};

use super::{handed, hosts, name_tag, zone};
use crate::stack::Stack;

/// The ARNs of the load balancer's certificates, the first one the default; none where there is
/// neither one in the file nor a zone to validate one in.
pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint) -> Vec<Text> {
    let given = &blueprint.load_balancer.certificate_arns;
    if given.is_empty() {
        request(stack, blueprint)
    } else {
        given.iter().map(Text::from).collect()
    }
}

/// Requests certificates for the public zone's hosts.
///
/// CloudFormation writes the records that prove the zone to be ours into a zone of Route 53. Into
/// Cloudflare's it can't: it waits, and says in an event of the stack which record it waits for.
pub(super) fn request(stack: &mut Stack, blueprint: &Blueprint) -> Vec<Text> {
    let Some(public) = &blueprint.public_zone else {
        return Vec::new();
    };
    let zone = zone::id(stack, blueprint, public);
    let names = hosts::names_to_certify(public);
    let chunks = names.chunks(hosts::NAMES).enumerate();
    chunks
        .map(|(index, names)| {
            let properties = certificatemanager::Certificate {
                domain_name: (&names[0]).into(),
                subject_alternative_names: names[1..].iter().map(Text::from).collect(),
                validation_method: "DNS".into(),
                domain_validation_options: validation(public, names, zone.as_ref()),
                tags: name_tag(blueprint, "edge"),
                ..Default::default()
            };
            let id = match index {
                0 => LogicalId::from("Certificate"),
                _ => LogicalId::of(&["certificate", &(index + 1).to_string()]),
            };
            let description = format!("The certificate of {}", names.join(", "));
            stack.add(id, description, &properties).id().reference()
        })
        .collect()
}

fn validation(
    public: &PublicZone,
    names: &[String],
    zone: Option<&Text>,
) -> Vec<DomainValidationOption> {
    let Some(zone) = zone.filter(|_| public.provider == DnsProvider::Route53) else {
        return Vec::new();
    };
    names
        .iter()
        .map(|name| DomainValidationOption {
            domain_name: name.into(),
            hosted_zone_id: zone.clone(),
            ..Default::default()
        })
        .collect()
}

/// Hands the first certificate to the CDN, which takes but one.
pub(super) fn hand_over(stack: &mut Stack, certificates: &[Text]) {
    if let Some(first) = certificates.first() {
        stack.hand_over(
            &handed::certificate(&stack.id),
            "The CDN's certificate",
            first,
        );
    }
}
