//! The load balancer and the CDN.

use super::{
    PlanningError,
    addresses::Addresses,
    context::{Context, shortened},
    groups,
};
use crate::model::{ContentDelivery, Listener, LoadBalancer, Network, Tier};

/// The offset of a load-balancer node in its public subnet.
const NODE_OFFSET: u32 = 5;
const HTTP: u16 = 80;
const HTTPS: u16 = 443;
/// The longest name of a load balancer or target group (ELB).
pub(super) const NAME_LIMIT: usize = 32;

pub(super) fn plan_load_balancer(
    context: &Context<'_>,
    network: &Network,
    addresses: &mut Addresses<'_>,
) -> Result<LoadBalancer, PlanningError> {
    let settings = &context.settings.load_balancer;
    let group = groups::load_balancer();
    let nodes = network
        .zones
        .iter()
        .enumerate()
        .map(|(index, zone)| {
            let name = format!("lb-{}", zone.letter);
            addresses.node(name, Tier::Public, index, NODE_OFFSET, &group)
        })
        .collect::<Result<_, _>>()?;
    Ok(LoadBalancer {
        name: shortened(&context.prefix(), NAME_LIMIT),
        nodes,
        http: Listener {
            port: HTTP,
            redirect_to_https: redirects(context),
        },
        https: Listener {
            port: HTTPS,
            redirect_to_https: false,
        },
        http2: settings.http2,
        idle_timeout: settings.idle_timeout,
        algorithm: settings.algorithm,
        certificate_arns: settings.certificate.arns.clone(),
        access_logs_retention: settings.access_logs_retention,
        security_group: group,
    })
}

/// Whether HTTP is answered with a redirect: on AWS unless told otherwise, locally if told so.
pub(super) fn redirects(context: &Context<'_>) -> bool {
    context
        .settings
        .load_balancer
        .redirect_to_https
        .unwrap_or(!context.is_local())
}

/// Whether the load balancer can offer HTTPS on AWS: with the file's certificates, or one that is
/// validated in the public zone.
fn has_certificate(context: &Context<'_>) -> bool {
    let settings = context.settings;
    !settings.load_balancer.certificate.arns.is_empty() || settings.dns.public_zone.is_some()
}

/// CloudFront, where it is wanted and no other vendor is the front.
pub(super) fn plan_content_delivery(context: &Context<'_>) -> Option<ContentDelivery> {
    let settings = &context.settings.cdn;
    let wanted = settings.enabled
        && !context.is_local()
        && context.settings.integration.cloudflare.is_none();
    wanted.then(|| ContentDelivery {
        cached_paths: settings
            .cached_paths
            .clone()
            .unwrap_or_else(|| vec!["/static/*".to_owned(), "/media/*".to_owned()]),
        origin_port: if has_certificate(context) {
            HTTPS
        } else {
            HTTP
        },
    })
}
