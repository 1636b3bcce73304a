//! Variables with the host name of a data store that must be called by AWS's own name.
//!
//! Redis, OpenSearch and RabbitMQ on AWS talk TLS, and their certificates are of names that AWS
//! gives. A client that verifies them, as all should, can't use the names of the private zone.

use mck_environment::settings::Preset;

use super::{AppPlanner, variables::Variables};
use crate::{
    model::{DnsTarget, EndpointVariable},
    planning::dns::host,
};

/// phpredis and Credis, which Magento and its session handler use, take the scheme with the host.
const REDIS_SCHEME: &str = "tls://";
/// Magento takes the scheme with the host (`Magento\OpenSearch\Model\OpenSearch::buildOSConfig`).
const SEARCH_SCHEME: &str = "https://";

/// Puts an endpoint in the place of every private name that a certificate would not match.
pub(super) fn call_by_endpoint(planner: &AppPlanner<'_>, variables: &mut Variables) {
    let by_name = endpoints(planner);
    let plain = std::mem::take(&mut variables.plain);
    for (variable, value) in plain {
        match by_name.iter().find(|(name, _)| *name == value) {
            Some((_, endpoint)) => {
                variables.endpoints.insert(variable, endpoint.clone());
            }
            None => {
                variables.plain.insert(variable, value);
            }
        }
    }
}

/// Private names and the endpoints that take their place. Only a preset's PHP is known to take a
/// scheme with the host of a Redis.
fn endpoints(planner: &AppPlanner<'_>) -> Vec<(String, EndpointVariable)> {
    let redis_scheme = planner.settings.preset.map_or("", |_: Preset| REDIS_SCHEME);
    let encrypted = planner.data.redis.iter().filter(|redis| redis.tls);
    let mut all: Vec<(&str, &str, DnsTarget)> = encrypted
        .map(|redis| {
            let endpoint = DnsTarget::RedisPrimary(redis.name.clone());
            (redis.name.as_str(), redis_scheme, endpoint)
        })
        .collect();
    all.push((host::SEARCH, SEARCH_SCHEME, DnsTarget::Search));
    all.push((host::MESSAGE_BROKER, "", DnsTarget::MessageBroker));
    all.into_iter()
        .map(|(name, prefix, endpoint)| {
            let endpoint = EndpointVariable {
                prefix: prefix.to_owned(),
                endpoint,
            };
            (planner.context.private_name(name), endpoint)
        })
        .collect()
}
