//! The database's settings where they differ from Aurora's own.

use mck_blueprint::{Blueprint, model::DatabaseCluster};
use mck_cloudformation::{LogicalId, resources::rds};
use mck_environment::settings::DatabaseLog;
use serde_json::{Map, Value, json};

use super::super::name_tag;
use crate::stack::Stack;

const FAMILY: &str = "aurora-mysql8.0";
/// Magento asks for at least 16 MiB for imports (Adobe Commerce, "Configure MySQL"); this is the
/// default of MySQL 8.
const MAX_ALLOWED_PACKET: u64 = 64 * 1024 * 1024;

/// The two groups of settings.
pub(super) struct Groups {
    /// Of the cluster.
    pub(super) cluster: LogicalId,
    /// Of each member.
    pub(super) member: LogicalId,
}

pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint) -> Groups {
    let database = &blueprint.database;
    let cluster = rds::DbClusterParameterGroup {
        description: "Aurora MySQL for Magento".into(),
        family: FAMILY.into(),
        parameters: Value::Object(of_cluster(database)).into(),
        tags: name_tag(blueprint, "db"),
        ..Default::default()
    };
    let description = "Settings that all database servers share";
    let cluster = stack
        .add("DatabaseClusterParameters", description, &cluster)
        .id();
    let member = rds::DbParameterGroup {
        description: "Aurora MySQL for Magento".into(),
        family: FAMILY.into(),
        parameters: Value::Object(of_member(database)).into(),
        tags: name_tag(blueprint, "db"),
        ..Default::default()
    };
    let description = "Settings of each database server";
    let member = stack.add("DatabaseParameters", description, &member).id();
    Groups { cluster, member }
}

/// A cluster's group also takes settings of members, for all of them (Amazon Aurora user guide,
/// "Parameter groups for Amazon Aurora DB clusters").
fn of_cluster(database: &DatabaseCluster) -> Map<String, Value> {
    let mut parameters = object(json!({
        // All of Unicode; the collation that Magento gives its tables.
        "character_set_server": "utf8mb4",
        "character_set_database": "utf8mb4",
        "character_set_client": "utf8mb4",
        "character_set_connection": "utf8mb4",
        "character_set_results": "utf8mb4",
        "collation_server": "utf8mb4_general_ci",
        "collation_connection": "utf8mb4_general_ci",
        "time_zone": "UTC",
        // Readers share the writer's storage and need no binary log, which costs every commit a write.
        "binlog_format": "OFF",
        // Magento's indexers make triggers (Adobe Commerce, "MySQL guidelines"), also where
        // somebody switches the binary log on.
        "log_bin_trust_function_creators": "1",
        "innodb_print_all_deadlocks": "1",
        // Files of a client are read by no statement.
        "local_infile": "0",
        // PHP's applications open the connection without TLS unless they are told of a certificate;
        // the database is reached within the VPC alone, where the network's hardware encrypts
        // between current instance types. Who asks for TLS gets it: version 3 has 1.2 and 1.3 only.
        "require_secure_transport": "OFF",
    }));
    if database.log_exports.contains(&DatabaseLog::Audit) {
        // Who came and what changed; statements that only read are too many.
        parameters.extend(object(json!({
            "server_audit_logging": "1",
            "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
        })));
    }
    parameters
}

fn of_member(database: &DatabaseCluster) -> Map<String, Value> {
    let exports = |log| u8::from(database.log_exports.contains(&log)).to_string();
    object(json!({
        "max_connections": database.max_connections.to_string(),
        "max_allowed_packet": MAX_ALLOWED_PACKET.to_string(),
        "slow_query_log": exports(DatabaseLog::SlowQuery),
        "long_query_time": database.slow_query_after.as_secs_ceil().to_string(),
        "general_log": exports(DatabaseLog::General),
        // Tables of the server can't be exported.
        "log_output": "FILE",
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
