use mck_cloudformation::{DeletionPolicy, Json};

use crate::{
    stack::{Stack, StackId},
    testing::{self, SMALLEST},
};

/// Everything that the stack can hold.
const FULL: &str = r#"
project = "shop"

[app.shop]
preset = "magento2"
source = "shop"
secrets = { SHARED = "shared" }
routing.hosts = ["shop.example.com"]

[app.worker]
image = "example/worker:3"
routing.internal = true
secrets = { SHARED = "shared" }

[app.worker.container.worker]

[secret.shared]

[cache]
memcached = { nodes = 2 }

[cache.redis-session]
engine = "valkey"
replicas = 2

[database]
readers = 2
log-exports = ["audit", "error", "slowquery"]
backups = { window = "23:00-00:30", vault-retention = "365d" }

[message-broker]
enabled = true

[environment.production]
"#;

fn data(text: &str) -> Stack {
    testing::stack(text, &StackId::Data)
}

fn golden(name: &str, stack: &Stack) {
    assert_eq!(stack.template.problems(), []);
    insta::assert_snapshot!(name, stack.template.text());
}

fn properties(stack: &Stack, id: &str) -> Json {
    let mut resources = stack.template.resources().iter();
    let found = resources.find(|(known, _)| known.as_str() == id);
    let (_, resource) = found.unwrap_or_else(|| panic!("there is no {id}"));
    resource.properties.clone()
}

fn ids_of<'a>(stack: &'a Stack, kind: &str) -> Vec<&'a str> {
    let resources = stack.template.resources().iter();
    let found = resources.filter(|(_, resource)| resource.kind == kind);
    found.map(|(id, _)| id.as_str()).collect()
}

#[test]
fn the_full_stack_is_as_it_was() {
    golden("full", &data(FULL));
}

#[test]
fn the_smallest_stack_is_as_it_was() {
    golden("smallest", &data(SMALLEST));
}

#[test]
fn what_holds_data_outlives_the_stack() {
    let stack = data(FULL);
    assert!(stack.termination_protection);
    let disposable = ["AWS::RDS::DBInstance", "AWS::ElastiCache::CacheCluster"];
    let holders = [
        "AWS::RDS::DBCluster",
        "AWS::EFS::FileSystem",
        "AWS::OpenSearchService::Domain",
        "AWS::AmazonMQ::Broker",
        "AWS::Backup::BackupVault",
        "AWS::KMS::Key",
        "AWS::SecretsManager::Secret",
        "AWS::Logs::LogGroup",
    ];
    for (id, resource) in stack.template.resources() {
        if holders.contains(&resource.kind) {
            assert!(resource.deletion_policy.is_some(), "{id}");
        }
        if disposable.contains(&resource.kind) {
            assert_eq!(resource.deletion_policy, None, "{id}");
        }
        let expected = match id.as_str() {
            "DatabaseCluster" | "RedisSession" => Some(DeletionPolicy::Snapshot),
            "RedisCache" => None,
            _ => continue,
        };
        assert_eq!(resource.deletion_policy, expected, "{id}");
    }
}

#[test]
fn no_password_is_in_the_template() {
    let stack = data(FULL);
    let reference = "{{resolve:secretsmanager:";
    for (id, path) in [
        ("RedisCache", "/AuthToken"),
        ("RedisSession", "/AuthToken"),
        ("MessageBroker", "/Users/0/Password"),
        (
            "SearchDomain",
            "/AdvancedSecurityOptions/MasterUserOptions/MasterUserPassword",
        ),
    ] {
        let value = properties(&stack, id);
        let value = value.pointer(&format!("{path}/Fn::Join/1/0"));
        assert_eq!(value.and_then(Json::as_str), Some(reference), "{id}");
    }
    let cluster = properties(&stack, "DatabaseCluster");
    assert_eq!(cluster["ManageMasterUserPassword"], true);
    assert!(cluster.get("MasterUserPassword").is_none());
    assert!(
        !ids_of(&stack, "AWS::SecretsManager::Secret").contains(&"SecretDatabaseMasterPassword")
    );
}

#[test]
fn everything_that_can_be_is_encrypted_with_the_environments_key() {
    let stack = data(FULL);
    let key = serde_json::json!({ "Fn::GetAtt": ["DataKey", "Arn"] });
    for (id, path) in [
        ("DatabaseCluster", "/KmsKeyId"),
        ("RedisCache", "/KmsKeyId"),
        ("RedisSession", "/KmsKeyId"),
        ("FileSystem", "/KmsKeyId"),
        ("SearchDomain", "/EncryptionAtRestOptions/KmsKeyId"),
        ("BackupVault", "/EncryptionKeyArn"),
    ] {
        let properties = properties(&stack, id);
        assert_eq!(properties.pointer(path), Some(&key), "{id}");
    }
}

#[test]
fn a_member_is_in_its_zone_and_the_writer_comes_first() {
    let stack = data(FULL);
    let members = ids_of(&stack, "AWS::RDS::DBInstance");
    assert_eq!(members, ["DatabaseDb0", "DatabaseDb1", "DatabaseDb2"]);
    let json = stack.template.json();
    for (index, zone) in ["a", "b", "c"].iter().enumerate() {
        let member = &json["Resources"][members[index]];
        let parts = &member["Properties"]["AvailabilityZone"]["Fn::Join"][1];
        assert_eq!(parts, &serde_json::json!([{ "Ref": "AWS::Region" }, zone]));
        assert_eq!(member["Properties"]["PromotionTier"], index);
        if index > 0 {
            assert_eq!(member["DependsOn"], serde_json::json!(["DatabaseDb0"]));
        }
    }
}

#[test]
fn a_serverless_cluster_has_members_without_a_class() {
    let text = format!("{SMALLEST}\n[database.serverless]\nminimum = 0.5\nmaximum = 16\n");
    let stack = data(&text);
    let cluster = properties(&stack, "DatabaseCluster");
    let scaling = &cluster["ServerlessV2ScalingConfiguration"];
    assert_eq!(scaling["MinCapacity"], 0.5);
    assert_eq!(scaling["MaxCapacity"], 16.0);
    for member in ids_of(&stack, "AWS::RDS::DBInstance") {
        assert_eq!(
            properties(&stack, member)["DBInstanceClass"],
            "db.serverless"
        );
    }
}

#[test]
fn a_redis_without_replicas_does_not_fail_over() {
    let text = format!("{SMALLEST}\n[cache.redis-cache]\nreplicas = 0\n");
    let stack = data(&text);
    let alone = properties(&stack, "RedisCache");
    assert_eq!(alone["AutomaticFailoverEnabled"], false);
    assert_eq!(alone["MultiAZEnabled"], false);
    let replicated = properties(&stack, "RedisSession");
    assert_eq!(replicated["AutomaticFailoverEnabled"], true);
    assert_eq!(replicated["MultiAZEnabled"], true);
}

/// One replica more must not cost the sessions.
#[test]
fn replicas_come_and_go_in_place() {
    let schema = mck_cloudformation::schema::of("AWS::ElastiCache::ReplicationGroup");
    let fixed = schema.expect("it is known").create_only;
    let [few, many] = [1, 3].map(|replicas| {
        let text = format!("{SMALLEST}\n[cache.redis-session]\nreplicas = {replicas}\n");
        properties(&data(&text), "RedisSession")
    });
    assert_ne!(few, many);
    for property in fixed {
        assert_eq!(few.get(property), many.get(property), "{property}");
    }
}

#[test]
fn every_record_of_the_blueprint_has_its_host() {
    let blueprint = testing::blueprint(FULL);
    let stack = data(FULL);
    let records = ids_of(&stack, "AWS::Route53::RecordSet");
    assert_eq!(records.len(), blueprint.private_zone.records.len());
    let names: Vec<Json> = records
        .iter()
        .map(|id| properties(&stack, id)["Name"].clone())
        .collect();
    for record in &blueprint.private_zone.records {
        assert!(
            names.contains(&Json::from(record.name.as_str())),
            "{}",
            record.name
        );
    }
    let database = properties(&stack, "RecordDb");
    assert_eq!(
        database["ResourceRecords"],
        serde_json::json!([{ "Fn::GetAtt": ["DatabaseCluster", "Endpoint.Address"] }])
    );
    assert_eq!(database["TTL"], "300");
}

#[test]
fn what_is_not_wanted_is_not_made() {
    let text = r#"
        project = "shop"

        [app.site]
        image = "example/site:1"
        database = ""
        routing.hosts = ["example.com"]

        [app.site.container.site]
        port = 80

        [cache]
        redis-cache.enabled = false
        redis-session.enabled = false

        [storage]
        enabled = false

        [environment.production]
    "#;
    let stack = data(text);
    for kind in [
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::EFS::FileSystem",
        "AWS::Backup::BackupPlan",
        "AWS::Backup::BackupVault",
        "AWS::OpenSearchService::Domain",
        "AWS::AmazonMQ::Broker",
        "AWS::SecretsManager::Secret",
    ] {
        assert_eq!(ids_of(&stack, kind), Vec::<&str>::new(), "{kind}");
    }
    assert_eq!(stack.template.problems(), []);
}
