//! Alarms on the search engine and the message broker.

use super::{FIVE_MINUTES, GIB, GREATER, GREATER_OR_EQUAL, LESS, MINUTE, Watched, metric};
use crate::{
    model::{MessageBroker, SearchDomain},
    planning::data::DataStores,
};

const OPENSEARCH: &str = "AWS/ES";
const AMAZON_MQ: &str = "AWS/AmazonMQ";

pub(super) fn watch(data: &DataStores) -> Vec<Watched> {
    let search = data.search.iter().flat_map(search);
    search
        .chain(data.message_broker.iter().flat_map(message_broker))
        .collect()
}

/// The alarms that AWS advises (OpenSearch Service developer guide, "Recommended CloudWatch
/// alarms").
fn search(domain: &SearchDomain) -> Vec<Watched> {
    // CloudWatch counts free storage in MiB; AWS advises a quarter of a node's volume.
    let quarter = u32::try_from(domain.volume_size.as_mib() / 4).unwrap_or(u32::MAX);
    let mut all = vec![
        (
            metric(
                OPENSEARCH,
                "ClusterStatus.red",
                "Maximum",
                GREATER_OR_EQUAL,
                1.0,
                (MINUTE, 1),
            ),
            "red",
            "The search engine has lost data: an index has no primary shard",
        ),
        (
            metric(
                OPENSEARCH,
                "FreeStorageSpace",
                "Minimum",
                LESS,
                f64::from(quarter),
                (MINUTE, 5),
            ),
            "free-storage",
            "The search engine runs out of storage and will refuse to write",
        ),
        (
            metric(
                OPENSEARCH,
                "ClusterIndexWritesBlocked",
                "Maximum",
                GREATER_OR_EQUAL,
                1.0,
                (FIVE_MINUTES, 1),
            ),
            "writes-blocked",
            "The search engine refuses to write, for lack of storage or memory",
        ),
        (
            metric(
                OPENSEARCH,
                "CPUUtilization",
                "Maximum",
                GREATER,
                80.0,
                (FIVE_MINUTES, 9),
            ),
            "cpu",
            "The search engine's processors are busy",
        ),
        (
            metric(
                OPENSEARCH,
                "JVMMemoryPressure",
                "Maximum",
                GREATER,
                95.0,
                (MINUTE, 3),
            ),
            "memory",
            "The search engine runs out of memory",
        ),
    ];
    // A single node has nowhere to put replicas, and is yellow where an index asks for one.
    if domain.nodes > 1 {
        all.push((
            metric(
                OPENSEARCH,
                "ClusterStatus.yellow",
                "Maximum",
                GREATER_OR_EQUAL,
                1.0,
                (MINUTE, 15),
            ),
            "yellow",
            "The search engine has an index without a replica: another lost node loses data",
        ));
    }
    all.into_iter()
        .map(|(metric, suffix, text)| metric.of(&domain.name, format!("search-{suffix}"), text))
        .collect()
}

fn message_broker(broker: &MessageBroker) -> Vec<Watched> {
    [
        (
            metric(
                AMAZON_MQ,
                "SystemCpuUtilization",
                "Average",
                GREATER,
                80.0,
                (FIVE_MINUTES, 3),
            ),
            "cpu",
            "The message broker's processors are busy",
        ),
        (
            metric(
                AMAZON_MQ,
                "RabbitMQDiskFree",
                "Minimum",
                LESS,
                5.0 * GIB,
                (FIVE_MINUTES, 1),
            ),
            "free-storage",
            "The message broker runs out of storage and will refuse messages",
        ),
        (
            metric(
                AMAZON_MQ,
                "MessageCount",
                "Maximum",
                GREATER,
                10_000.0,
                (FIVE_MINUTES, 3),
            ),
            "messages",
            "Messages pile up in the message broker: consumers do not keep up or are gone",
        ),
    ]
    .map(|(metric, suffix, text)| metric.of(&broker.name, format!("message-broker-{suffix}"), text))
    .into()
}
