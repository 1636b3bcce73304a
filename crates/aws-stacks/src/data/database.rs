//! The database: an Aurora MySQL cluster.

mod parameters;

use mck_blueprint::{
    Blueprint,
    model::{DatabaseCluster, DnsTarget, Node},
};
use mck_cloudformation::{
    LogicalId, PolicyDocument, Text, pseudo,
    resources::{
        iam,
        rds::{self, db_cluster::ServerlessV2ScalingConfiguration},
    },
};
use mck_environment::settings::DatabaseLog;

use super::{name_tag, subnets, windows};
use crate::{located, log_groups, names, security_groups, stack::Stack, synthesis::Scene, units};

const ENGINE: &str = "aurora-mysql";
/// What stands before Aurora MySQL's own version in the engine's.
const MYSQL: &str = "8.0.mysql_aurora.";
/// The newest of the release of version 3 that has long-term support.
const VERSION: &str = "3.10.6";
/// What RDS calls a Serverless v2 member.
const SERVERLESS: &str = "db.serverless";
const MASTER_USER: &str = "admin";
/// Performance Insights cost nothing for this long, in days.
const INSIGHTS_DAYS: u8 = 7;

/// Adds the cluster with its members, and gives its logical id.
pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>, key: &LogicalId) -> LogicalId {
    let blueprint = scene.blueprint;
    let database = &blueprint.database;
    let subnet_group = rds::DbSubnetGroup {
        db_subnet_group_description: "Persistence subnets".into(),
        subnet_ids: subnets(stack, blueprint),
        tags: name_tag(blueprint, "db"),
        ..Default::default()
    };
    let description = "The subnets that the database may be in";
    let subnet_group = stack
        .add("DatabaseSubnetGroup", description, &subnet_group)
        .id();
    let logs = add_log_groups(stack, blueprint);
    let parameters = parameters::add(stack, blueprint);
    let properties = rds::DbCluster {
        db_subnet_group_name: subnet_group.reference(),
        db_cluster_parameter_group_name: parameters.cluster.reference(),
        kms_key_id: key.attribute("Arn"),
        vpc_security_group_ids: vec![security_groups::id(stack, scene, &database.security_group)],
        ..cluster(blueprint)
    };
    let description = "The database cluster, with all its data";
    let cluster = stack
        .add("DatabaseCluster", description, &properties)
        .after(&logs)
        .snapshotted()
        .id();
    add_members(stack, blueprint, &cluster, &parameters.member, key);
    hand_over(stack, database, &cluster);
    cluster
}

/// The cluster's name. It is fixed: names of its log groups follow from it, and CloudFormation refuses
/// to replace what has a fixed name.
fn identifier(blueprint: &Blueprint) -> String {
    located::database_cluster(blueprint)
}

fn cluster(blueprint: &Blueprint) -> rds::DbCluster {
    let database = &blueprint.database;
    rds::DbCluster {
        db_cluster_identifier: identifier(blueprint).into(),
        engine: ENGINE.into(),
        engine_version: engine_version(database).into(),
        master_username: MASTER_USER.into(),
        // RDS makes, keeps and rotates it in Secrets Manager.
        manage_master_user_password: true.into(),
        enable_iam_database_authentication: true.into(),
        enable_http_endpoint: has_data_api(database).into(),
        storage_encrypted: true.into(),
        port: i64::from(database.port).into(),
        backup_retention_period: units::days(database.backups.retention).into(),
        preferred_backup_window: (&database.backups.window).into(),
        preferred_maintenance_window: windows::database_maintenance(&database.backups.window)
            .into(),
        copy_tags_to_snapshot: true.into(),
        // They are what is left to go back to a moment before the end.
        delete_automated_backups: false.into(),
        deletion_protection: database.deletion_protection.into(),
        enable_cloudwatch_logs_exports: database
            .log_exports
            .iter()
            .map(|log| Text::from(log_name(*log)))
            .collect(),
        serverless_v2_scaling_configuration: database.serverless.map(|capacity| {
            ServerlessV2ScalingConfiguration {
                min_capacity: capacity.minimum.into(),
                max_capacity: capacity.maximum.into(),
                ..Default::default()
            }
        }),
        ..Default::default()
    }
}

/// The engine's version: `3.10.3` is `8.0.mysql_aurora.3.10.3`.
fn engine_version(database: &DatabaseCluster) -> String {
    let version = database.version.as_deref().unwrap_or(VERSION);
    if version.contains("mysql_aurora") {
        version.to_owned()
    } else {
        format!("{MYSQL}{version}")
    }
}

/// Burstable members have no Data API (Amazon Aurora user guide, "Limitations with RDS Data API").
fn has_data_api(database: &DatabaseCluster) -> bool {
    database.serverless.is_some() || !database.instance_class.starts_with("db.t")
}

fn add_members(
    stack: &mut Stack,
    blueprint: &Blueprint,
    cluster: &LogicalId,
    parameters: &LogicalId,
    key: &LogicalId,
) {
    let database = &blueprint.database;
    let monitoring = add_monitoring_role(stack, database);
    let class = match database.serverless {
        Some(_) => SERVERLESS,
        None => database.instance_class.as_str(),
    };
    // RDS makes the writer of what comes first; readers come all at once.
    let mut writer: Option<LogicalId> = None;
    for (tier, node) in database.members.iter().enumerate() {
        let mut member = rds::DbInstance {
            db_cluster_identifier: cluster.reference(),
            db_instance_class: class.into(),
            db_parameter_group_name: parameters.reference(),
            engine: ENGINE.into(),
            availability_zone: names::zone(blueprint, &node.zone),
            // In a failover the lowest is the first choice.
            promotion_tier: i64::try_from(tier).unwrap_or(i64::MAX).min(15).into(),
            publicly_accessible: false.into(),
            auto_minor_version_upgrade: true.into(),
            tags: name_tag(blueprint, &node.name),
            ..Default::default()
        };
        if let Some((role, interval)) = &monitoring {
            member.monitoring_role_arn = role.attribute("Arn");
            member.monitoring_interval = (*interval).into();
        }
        if database.performance_insights {
            member.enable_performance_insights = true.into();
            member.performance_insights_retention_period = INSIGHTS_DAYS.into();
            member.performance_insights_kms_key_id = key.attribute("Arn");
        } else {
            member.enable_performance_insights = false.into();
        }
        let added = stack.add(member_id(node), member_description(tier, node), &member);
        let id = added.after(&writer).id();
        writer.get_or_insert(id);
    }
}

fn member_id(node: &Node) -> LogicalId {
    LogicalId::of(&["database", &node.name])
}

fn member_description(tier: usize, node: &Node) -> String {
    let role = if tier == 0 { "writer" } else { "reader" };
    format!("A database server in {}, at first a {role}", node.zone)
}

/// The role of Enhanced Monitoring and the time between samples in seconds, where it is wanted.
fn add_monitoring_role(stack: &mut Stack, database: &DatabaseCluster) -> Option<(LogicalId, i64)> {
    let seconds = units::seconds(database.monitoring_interval);
    if seconds == 0 {
        return None;
    }
    let role = iam::Role {
        assume_role_policy_document: PolicyDocument::trust("monitoring.rds.amazonaws.com").into(),
        description: "Samples the operating system of database servers".into(),
        managed_policy_arns: vec![pseudo::global_arn(
            "iam",
            "aws",
            "policy/service-role/AmazonRDSEnhancedMonitoringRole",
        )],
        ..Default::default()
    };
    let description = "Lets RDS write what it samples of the database servers";
    let role = stack.add("DatabaseMonitoringRole", description, &role);
    Some((role.id(), seconds))
}

/// RDS writes logs into groups whose names follow from the cluster's. They are made first: it would
/// make them itself, and keep events for ever.
fn add_log_groups(stack: &mut Stack, blueprint: &Blueprint) -> Vec<LogicalId> {
    let mut groups = blueprint.log_groups.iter();
    let Some(group) = groups.find(|group| group.name.ends_with("/database")) else {
        return Vec::new();
    };
    let logs = blueprint.database.log_exports.iter();
    logs.map(|log| {
        let log = log_name(*log);
        let name = format!("/aws/rds/cluster/{}/{log}", identifier(blueprint));
        let id = LogicalId::of(&["log-group", "database", log]);
        let description = format!("Keeps the database's log `{log}`");
        log_groups::add_of_service(stack, id, &name, group.retention, &description)
    })
    .collect()
}

/// The name of a log at RDS (Amazon Aurora user guide, "Publishing Aurora MySQL logs to Amazon
/// CloudWatch Logs").
fn log_name(log: DatabaseLog) -> &'static str {
    match log {
        DatabaseLog::Audit => "audit",
        DatabaseLog::Error => "error",
        DatabaseLog::General => "general",
        DatabaseLog::SlowQuery => "slowquery",
    }
}

fn hand_over(stack: &mut Stack, database: &DatabaseCluster, cluster: &LogicalId) {
    let outputs = [
        (
            names::data::database_cluster(),
            "The database cluster",
            cluster.reference(),
        ),
        (
            names::data::endpoint(&DnsTarget::DatabaseWriter),
            "The host of the database's writer",
            cluster.attribute("Endpoint.Address"),
        ),
        (
            names::data::endpoint(&DnsTarget::DatabaseReaders),
            "The host of the database's readers; the writer where there is none",
            cluster.attribute("ReadEndpoint.Address"),
        ),
        (
            names::data::secret(&database.master_password_secret),
            "The secret of the database's master user, which RDS keeps",
            cluster.attribute("MasterUserSecret.SecretArn"),
        ),
    ];
    for (handed, description, value) in outputs {
        stack.hand_over(&handed, description, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SMALLEST, blueprint};

    #[test]
    fn a_version_is_said_in_aurora_s_words_or_in_full() {
        let mut database = blueprint(SMALLEST).database;
        assert_eq!(engine_version(&database), "8.0.mysql_aurora.3.10.6");
        database.version = Some("3.08.2".to_owned());
        assert_eq!(engine_version(&database), "8.0.mysql_aurora.3.08.2");
        database.version = Some("8.0.mysql_aurora.3.12.0".to_owned());
        assert_eq!(engine_version(&database), "8.0.mysql_aurora.3.12.0");
    }

    #[test]
    fn burstable_members_have_no_data_api() {
        let mut database = blueprint(SMALLEST).database;
        assert!(has_data_api(&database));
        database.instance_class = "db.t4g.medium".to_owned();
        assert!(!has_data_api(&database));
    }
}
