//! Data stores.

use mck_blueprint::model::Blueprint;
use mck_environment::settings::Throughput;

use super::{
    taken,
    widget::{Chart, Section, Widget},
};
use crate::{names, stack::Stack};

const DATABASE: &str = "AWS/RDS";
const CACHE: &str = "AWS/ElastiCache";
const FILES: &str = "AWS/EFS";
const SEARCH: &str = "AWS/ES";
const BROKER: &str = "AWS/AmazonMQ";

pub(super) fn sections(stack: &mut Stack, blueprint: &Blueprint) -> Vec<Section> {
    let section = |title, charts: Vec<Chart>| Section {
        title,
        widgets: charts.into_iter().map(Widget::Chart).collect(),
    };
    let mut sections = vec![
        section("Database", database(stack, blueprint)),
        section("Caches", redis(stack, blueprint)),
    ];
    if blueprint.memcached.is_some() {
        let id = taken(stack, &names::data::cache("memcached"));
        sections.push(section("Memcached", memcached(&id)));
    }
    if let Some(file_system) = &blueprint.file_system {
        let id = taken(stack, &names::data::file_system());
        let bursts = file_system.throughput == Throughput::Bursting;
        sections.push(section("File system", files(&id, bursts)));
    }
    if let Some(domain) = &blueprint.search {
        sections.push(section("Search engine", search(&domain.name)));
    }
    if let Some(broker) = &blueprint.message_broker {
        sections.push(section("Message broker", message_broker(&broker.name)));
    }
    sections
}

fn database(stack: &mut Stack, blueprint: &Blueprint) -> Vec<Chart> {
    let id = taken(stack, &names::data::database_cluster());
    let cluster = [("DBClusterIdentifier", id.as_str())];
    let readers = blueprint.database.members.len() > 1;
    let by_role = |title: &str, metric| {
        let role = |role| [("DBClusterIdentifier", id.as_str()), ("Role", role)];
        let chart = Chart::new(title, "Average");
        let chart = chart.metric((DATABASE, metric), &role("WRITER"), "writer");
        if readers {
            chart.metric((DATABASE, metric), &role("READER"), "readers")
        } else {
            chart
        }
    };
    let whole = |title: &str, statistic, metric, label: &str| {
        Chart::new(title, statistic).metric((DATABASE, metric), &cluster, label)
    };
    let mut charts = vec![
        by_role("Processor", "CPUUtilization").unit("percent"),
        by_role("Connections", "DatabaseConnections").unit("connections"),
        by_role("Queries", "Queries").unit("a second"),
        whole("Time of statements", "Average", "SelectLatency", "select")
            .metric((DATABASE, "DMLLatency"), &cluster, "insert, update, delete")
            .metric((DATABASE, "CommitLatency"), &cluster, "commit")
            .unit("milliseconds"),
        whole("Deadlocks", "Average", "Deadlocks", "deadlocks").unit("a second"),
        whole(
            "Free local storage",
            "Minimum",
            "FreeLocalStorage",
            "the fullest server",
        )
        .unit("bytes"),
        whole("Stored data", "Maximum", "VolumeBytesUsed", "data").unit("bytes"),
    ];
    if readers {
        let lag = "AuroraReplicaLagMaximum";
        charts.push(whole("Replica lag", "Maximum", lag, "the last reader").unit("milliseconds"));
    }
    if blueprint.database.serverless.is_some() {
        let capacity = "ServerlessDatabaseCapacity";
        charts.push(by_role("Capacity", capacity).unit("Aurora capacity units"));
        charts.push(by_role("Capacity in use", "ACUUtilization").unit("percent of the maximum"));
    }
    charts
}

/// A curve for each node: `<group>-001`, `<group>-002`…
fn redis(stack: &mut Stack, blueprint: &Blueprint) -> Vec<Chart> {
    let mut nodes: Vec<(String, String)> = Vec::new();
    for redis in &blueprint.redis {
        let group = taken(stack, &names::data::cache(&redis.name));
        nodes.extend((1..=redis.members.len()).map(|number| {
            let node = format!("-{number:03}");
            (format!("{}{node}", redis.name), format!("{group}{node}"))
        }));
    }
    if nodes.is_empty() {
        return Vec::new();
    }
    let chart = |title: &str, statistic, metric| {
        let chart = Chart::new(title, statistic);
        nodes.iter().fold(chart, |chart, (label, id)| {
            chart.metric((CACHE, metric), &[("CacheClusterId", id)], label)
        })
    };
    vec![
        chart("Hit rate", "Average", "CacheHitRate").unit("percent"),
        chart("Memory", "Maximum", "DatabaseMemoryUsagePercentage").unit("percent"),
        chart("Evictions", "Sum", "Evictions").unit("a minute"),
        chart("Connections", "Maximum", "CurrConnections").unit("connections"),
        chart("Processor", "Average", "EngineCPUUtilization").unit("percent"),
        chart("Replication lag", "Maximum", "ReplicationLag").unit("seconds"),
    ]
}

fn memcached(id: &str) -> Vec<Chart> {
    let cluster = [("CacheClusterId", id)];
    let chart = |title: &str, statistic, metric, label: &str| {
        Chart::new(title, statistic).metric((CACHE, metric), &cluster, label)
    };
    vec![
        chart("Reads", "Sum", "GetHits", "hits")
            .metric((CACHE, "GetMisses"), &cluster, "misses")
            .unit("a minute")
            .stacked(),
        chart("Evictions", "Sum", "Evictions", "evictions").unit("a minute"),
        chart("Processor", "Average", "CPUUtilization", "processor").unit("percent"),
    ]
}

fn files(id: &str, bursts: bool) -> Vec<Chart> {
    let system = [("FileSystemId", id)];
    let chart = |title: &str, statistic, metric, label: &str| {
        Chart::new(title, statistic).metric((FILES, metric), &system, label)
    };
    let mut charts = vec![
        chart("Transferred", "Sum", "DataReadIOBytes", "read")
            .metric((FILES, "DataWriteIOBytes"), &system, "written")
            .metric((FILES, "MetadataIOBytes"), &system, "metadata")
            .unit("bytes a minute")
            .stacked(),
        chart("Clients", "Sum", "ClientConnections", "connections").unit("connections"),
    ];
    charts.push(if bursts {
        let credits = "BurstCreditBalance";
        chart("Burst credits", "Minimum", credits, "credits").unit("bytes")
    } else {
        chart("I/O of the limit", "Maximum", "PercentIOLimit", "used").unit("percent")
    });
    charts
}

fn search(name: &str) -> Vec<Chart> {
    let domain = [("DomainName", name), ("ClientId", "${AWS::AccountId}")];
    let chart = |title: &str, statistic, metric, label: &str| {
        Chart::new(title, statistic).metric((SEARCH, metric), &domain, label)
    };
    vec![
        chart("Searches", "Average", "SearchLatency", "time of a search").unit("milliseconds"),
        chart(
            "Processor and memory",
            "Maximum",
            "CPUUtilization",
            "processor",
        )
        .metric((SEARCH, "JVMMemoryPressure"), &domain, "memory of Java")
        .unit("percent"),
        chart(
            "Free storage",
            "Minimum",
            "FreeStorageSpace",
            "the fullest node",
        )
        .unit("MiB"),
    ]
}

fn message_broker(name: &str) -> Vec<Chart> {
    let broker = [("Broker", name)];
    let chart = |title: &str, statistic, metric, label: &str| {
        Chart::new(title, statistic).metric((BROKER, metric), &broker, label)
    };
    vec![
        chart("Messages", "Maximum", "MessageReadyCount", "ready")
            .metric(
                (BROKER, "MessageUnacknowledgedCount"),
                &broker,
                "being worked on",
            )
            .unit("messages"),
        chart("Consumers", "Minimum", "ConsumerCount", "consumers").unit("consumers"),
        chart("Processor", "Maximum", "SystemCpuUtilization", "processor").unit("percent"),
    ]
}
