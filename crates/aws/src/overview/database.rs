//! The database, as RDS sees it. Pure.

use aws_sdk_rds::types::{DbCluster, DbClusterMember, DbInstance};
use serde::Serialize;

/// How the database is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseStatus {
    /// The identifier of its cluster.
    pub name: String,
    /// What RDS says, such as `available` or `failing-over`.
    pub status: String,
    /// The engine and its version.
    pub engine: String,
    /// Its instances, the writer first.
    pub members: Vec<DatabaseMember>,
}

/// How an instance of the database is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseMember {
    /// Its identifier.
    pub name: String,
    /// Whether it is the writer.
    pub is_writer: bool,
    /// What RDS says, such as `available`; empty where it does not.
    pub status: String,
    /// The availability zone; may be empty.
    pub zone: String,
    /// The instance class; may be empty.
    pub class: String,
}

impl DatabaseStatus {
    pub(super) fn of(cluster: &DbCluster, instances: &[DbInstance]) -> Self {
        let members = cluster.db_cluster_members().iter();
        let mut members: Vec<DatabaseMember> = members.map(|it| member(it, instances)).collect();
        members.sort_by(|one, other| {
            (!one.is_writer, &one.name).cmp(&(!other.is_writer, &other.name))
        });
        let engine = [cluster.engine(), cluster.engine_version()];
        Self {
            name: text(cluster.db_cluster_identifier()),
            status: text(cluster.status()),
            engine: engine.into_iter().flatten().collect::<Vec<_>>().join(" "),
            members,
        }
    }
}

fn member(member: &DbClusterMember, instances: &[DbInstance]) -> DatabaseMember {
    let name = member.db_instance_identifier();
    let mut instances = instances.iter();
    let instance = instances.find(|it| it.db_instance_identifier() == name);
    DatabaseMember {
        name: text(name),
        is_writer: member.is_cluster_writer().unwrap_or(false),
        status: text(instance.and_then(|it| it.db_instance_status())),
        zone: text(instance.and_then(|it| it.availability_zone())),
        class: text(instance.and_then(|it| it.db_instance_class())),
    }
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_comes_first_with_its_zone() {
        let member = |name: &str, is_writer: bool| {
            DbClusterMember::builder()
                .db_instance_identifier(name)
                .is_cluster_writer(is_writer)
                .build()
        };
        let cluster = DbCluster::builder()
            .db_cluster_identifier("shop-production-db")
            .status("available")
            .engine("aurora-mysql")
            .engine_version("8.0.mysql_aurora.3.08.2")
            .db_cluster_members(member("db-0", false))
            .db_cluster_members(member("db-1", true))
            .build();
        let instance = DbInstance::builder()
            .db_instance_identifier("db-1")
            .db_instance_status("available")
            .availability_zone("eu-central-1b")
            .db_instance_class("db.r6g.large")
            .build();
        let status = DatabaseStatus::of(&cluster, &[instance]);
        assert_eq!(status.engine, "aurora-mysql 8.0.mysql_aurora.3.08.2");
        let told: Vec<(&str, bool, &str)> = status
            .members
            .iter()
            .map(|it| (it.name.as_str(), it.is_writer, it.zone.as_str()))
            .collect();
        assert_eq!(told, [("db-1", true, "eu-central-1b"), ("db-0", false, "")]);
    }
}
