//! Service discovery: the data stores' names in the private zone.

use mck_blueprint::Blueprint;
use mck_cloudformation::{LogicalId, resources::route53};

use crate::{names, stack::Stack};

/// Every host is one that AWS moves with the data store, so a record is a name for a name.
pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint) {
    let zone = &blueprint.private_zone;
    for record in &zone.records {
        let properties = route53::RecordSet {
            hosted_zone_id: stack.take(&names::network::private_zone()),
            name: record.name.as_str().into(),
            type_: "CNAME".into(),
            ttl: zone.ttl.as_secs_ceil().to_string().into(),
            resource_records: vec![stack.have_or_take(&names::data::endpoint(&record.target))],
            ..Default::default()
        };
        // Without region and zone, which are the same for all.
        let host = record.name.strip_suffix(&zone.name).unwrap_or(&record.name);
        let region = format!("{}.", blueprint.region);
        let host = host.strip_suffix(&region).unwrap_or(host);
        let description = format!("The name of the {}", record.description);
        stack.add(LogicalId::of(&["record", host]), description, &properties);
    }
}
