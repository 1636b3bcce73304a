use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn stack(id: &str, resources: Value) -> StackTemplate {
    StackTemplate {
        id: id.to_owned(),
        name: format!("shop-production-{id}"),
        region: "us-east-1".to_owned(),
        termination_protection: false,
        tags: BTreeMap::new(),
        parameters: BTreeMap::new(),
        template: object([("Resources", resources)]),
    }
}

fn resource(kind: &str, properties: Value) -> Value {
    object([("Type", kind.into()), ("Properties", properties)])
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.into_iter();
    Value::Object(
        entries
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

fn between(before: Value, after: Value) -> Difference {
    Difference::between(&[stack("data", before)], &[stack("data", after)])
}

fn actions(difference: &Difference) -> Vec<(String, Action)> {
    difference
        .resources()
        .map(|(stack, resource)| {
            (
                format!("{}/{}", stack.id, resource.logical_id),
                resource.action,
            )
        })
        .collect()
}

fn action_of(kind: &str, before: Value, after: Value) -> Action {
    let one = |properties| json!({ "One": resource(kind, properties) });
    actions(&between(one(before), one(after)))[0].1
}

#[test]
fn create_only_properties_replace_and_others_do_not() {
    let rds = "AWS::RDS::DBCluster";
    for (kind, before, after, action) in [
        (
            rds,
            json!({"BackupRetentionPeriod": 7}),
            json!({"BackupRetentionPeriod": 8}),
            Action::Update,
        ),
        (
            rds,
            json!({"StorageEncrypted": false}),
            json!({"StorageEncrypted": true}),
            Action::Replace,
        ),
        (rds, json!({}), json!({"KmsKeyId": "key"}), Action::Replace),
        (
            rds,
            json!({"Engine": "aurora-mysql"}),
            json!({"Engine": "other"}),
            Action::MayReplace,
        ),
        (
            "AWS::EC2::VPC",
            json!({"CidrBlock": "10.0.0.0/16"}),
            json!({"CidrBlock": "10.1.0.0/16"}),
            Action::Replace,
        ),
        // Within lists, below and above a create-only path.
        (
            "AWS::EC2::Subnet",
            json!({"Tags": [{"Key": "Name", "Value": "a"}]}),
            json!({"Tags": [{"Key": "Name", "Value": "b"}]}),
            Action::Update,
        ),
        (
            "AWS::AmazonMQ::Broker",
            json!({"SubnetIds": ["a"]}),
            json!({"SubnetIds": ["a", "b"]}),
            Action::Replace,
        ),
        (
            "AWS::OpenSearchService::Domain",
            json!({}),
            json!({"EncryptionAtRestOptions": {"Enabled": true}}),
            Action::MayReplace,
        ),
        (
            "AWS::OpenSearchService::Domain",
            json!({"ClusterConfig": {"InstanceCount": 1}}),
            json!({"ClusterConfig": {"InstanceCount": 3}}),
            Action::Update,
        ),
        (
            "AWS::EC2::Instance",
            json!({"UserData": "a"}),
            json!({"UserData": "b"}),
            Action::Update,
        ),
        (
            "AWS::Unheard::Of",
            json!({"A": 1}),
            json!({"A": 2}),
            Action::MayReplace,
        ),
    ] {
        let told = format!("{kind}: {before} -> {after}");
        assert_eq!(action_of(kind, before, after), action, "{told}");
    }
}

#[test]
fn an_auto_scaling_group_is_replaced_where_its_update_policy_says_so() {
    let group = |version: &str, replaces: bool| {
        json!({ "Servers": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": { "LaunchTemplate": { "Version": version } },
            "UpdatePolicy": { "AutoScalingReplacingUpdate": { "WillReplace": replaces } },
        } })
    };
    let action = |replaces| actions(&between(group("1", replaces), group("2", replaces)))[0].1;
    assert_eq!(
        (action(true), action(false)),
        (Action::Replace, Action::Update)
    );
}

#[test]
fn a_replacement_spreads_over_references() {
    let resources = |cidr: &str| {
        json!({
            "Vpc": resource("AWS::EC2::VPC", json!({"CidrBlock": cidr})),
            "Subnet": resource("AWS::EC2::Subnet", json!({"VpcId": {"Ref": "Vpc"}})),
            "Group": resource("AWS::EC2::SecurityGroup", json!({"VpcId": {"Fn::GetAtt": ["Vpc", "VpcId"]}})),
            "Function": resource("AWS::ECS::Service", json!({"NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": [{"Fn::Sub": "${Subnet}"}]}}})),
            "Other": resource("AWS::SNS::Topic", json!({"TopicName": {"Ref": "AWS::StackName"}})),
        })
    };
    let difference = between(resources("10.0.0.0/16"), resources("10.1.0.0/16"));
    assert_eq!(
        actions(&difference),
        [
            ("data/Vpc".to_owned(), Action::Replace),
            ("data/Subnet".to_owned(), Action::Replace),
            ("data/Group".to_owned(), Action::Replace),
            ("data/Function".to_owned(), Action::Update),
        ]
    );
    let (_, subnet) = difference.resources().nth(1).unwrap();
    let cause = Cause::Resource {
        logical_id: "Vpc".to_owned(),
    };
    assert_eq!(subnet.properties[0].cause, Some(cause));
    assert_eq!(subnet.properties[0].path, "VpcId");
}

#[test]
fn a_replacement_spreads_to_stacks_that_take_its_output() {
    let network = |cidr: &str| {
        let mut network = stack(
            "network",
            json!({"Vpc": resource("AWS::EC2::VPC", json!({"CidrBlock": cidr}))}),
        );
        network.template["Outputs"] = json!({
            "VpcId": {"Value": {"Ref": "Vpc"}},
            "Zone": {"Value": "zone"},
        });
        network
    };
    let mut data = stack(
        "data",
        json!({
            "Group": resource("AWS::EC2::SecurityGroup", json!({"VpcId": {"Ref": "NetworkVpcId"}})),
            "Alarm": resource("AWS::CloudWatch::Alarm", json!({"Namespace": {"Ref": "NetworkZone"}})),
        }),
    );
    for (name, output) in [("NetworkVpcId", "VpcId"), ("NetworkZone", "Zone")] {
        data.parameters
            .insert(name.to_owned(), ("network".to_owned(), output.to_owned()));
    }
    let difference = Difference::between(
        &[network("10.0.0.0/16"), data.clone()],
        &[network("10.1.0.0/16"), data],
    );
    assert_eq!(
        actions(&difference),
        [
            ("network/Vpc".to_owned(), Action::Replace),
            ("data/Group".to_owned(), Action::Replace)
        ]
    );
}

#[test]
fn a_data_store_goes_with_the_subnets_that_hold_it() {
    let resources = |cidr: &str| {
        json!({
            "Subnet": resource("AWS::EC2::Subnet", json!({"CidrBlock": cidr})),
            "Group": resource("AWS::RDS::DBSubnetGroup", json!({"SubnetIds": [{"Ref": "Subnet"}]})),
            "Database": resource("AWS::RDS::DBCluster", json!({"DBSubnetGroupName": {"Ref": "Group"}})),
        })
    };
    let difference = between(resources("10.0.0.0/24"), resources("10.1.0.0/24"));
    assert_eq!(difference.counts().replace, 3);
    assert_eq!(difference.refused(&[]).count(), 1);
    // Another list of subnets that stay is AWS's own affair.
    let group = |subnets: Value| json!({"Group": resource("AWS::RDS::DBSubnetGroup", json!({"SubnetIds": subnets}))});
    let longer = between(group(json!(["a", "b"])), group(json!(["a", "b", "c"])));
    assert_eq!(longer.counts().update, 1);
}

#[test]
fn servers_change_with_their_launch_template_s_version() {
    let resources = |image: &str| {
        json!({
            "Template": resource("AWS::EC2::LaunchTemplate", json!({"LaunchTemplateData": {"ImageId": image}})),
            "Servers": resource("AWS::AutoScaling::AutoScalingGroup", json!({"LaunchTemplate": {
                "LaunchTemplateId": {"Ref": "Template"},
                "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
            }})),
        })
    };
    let difference = between(resources("ami-1"), resources("ami-2"));
    assert_eq!(
        actions(&difference),
        [
            ("data/Template".to_owned(), Action::Update),
            ("data/Servers".to_owned(), Action::Update)
        ]
    );
    let (_, servers) = difference.resources().nth(1).unwrap();
    assert_eq!(servers.properties.len(), 1);
    assert_eq!(servers.properties[0].path, "LaunchTemplate/Version");
}

#[test]
fn data_that_is_lost_is_named_with_what_is_left_of_it() {
    let cluster = |port: u16, policy: Option<&str>| {
        let mut resource = resource("AWS::ElastiCache::ReplicationGroup", json!({"Port": port}));
        if let Some(policy) = policy {
            resource["DeletionPolicy"] = policy.into();
            resource["UpdateReplacePolicy"] = policy.into();
        }
        json!({ "Sessions": resource })
    };
    let fate = |difference: &Difference| {
        let (_, resource) = difference.resources().next().unwrap();
        resource.data.map(|data| data.fate)
    };
    for (policy, replaced, deleted) in [
        (None, Some(Fate::Gone), Some(Fate::Gone)),
        (Some("Snapshot"), Some(Fate::Snapshot), Some(Fate::Snapshot)),
        (Some("Retain"), Some(Fate::LeftBehind), Some(Fate::Kept)),
        (
            Some("RetainExceptOnCreate"),
            Some(Fate::LeftBehind),
            Some(Fate::Kept),
        ),
    ] {
        let replacing = between(cluster(6379, policy), cluster(6380, policy));
        assert_eq!(fate(&replacing), replaced, "{policy:?}");
        assert_eq!(
            fate(&between(cluster(6379, policy), json!({}))),
            deleted,
            "{policy:?}"
        );
        assert_eq!(fate(&between(json!({}), cluster(6379, policy))), None);
    }
    let release =
        |name: &str| json!({"Release": resource("AWS::SSM::Parameter", json!({"Name": name}))});
    assert_eq!(
        fate(&between(release("/a"), release("/b"))),
        Some(Fate::Gone)
    );
    assert_eq!(fate(&between(release("/a"), json!({}))), None);
    let log_group = |name: &str| {
        json!({ "Logs": {
            "Type": "AWS::Logs::LogGroup", "UpdateReplacePolicy": "Retain",
            "Properties": {"LogGroupName": name},
        } })
    };
    let logs = between(log_group("/a"), log_group("/b"));
    assert_eq!(fate(&logs), Some(Fate::Kept));
    assert_eq!(logs.refused(&[]).count(), 0);
}

#[test]
fn properties_that_all_go_are_compared_one_by_one() {
    let with = json!({"Vpc": resource("AWS::EC2::VPC", json!({"CidrBlock": "10.0.0.0/16"}))});
    let without = json!({"Vpc": {"Type": "AWS::EC2::VPC"}});
    let difference = between(with, without);
    let (_, vpc) = difference.resources().next().unwrap();
    assert_eq!(
        (vpc.action, vpc.properties[0].path.as_str()),
        (Action::Replace, "CidrBlock")
    );
}

#[test]
fn what_is_named_is_not_refused() {
    let difference = between(
        json!({"Database": resource("AWS::RDS::DBCluster", json!({}))}),
        json!({}),
    );
    let refused = |allowed: &[&str]| {
        let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        difference.refused(&allowed).count()
    };
    assert_eq!(refused(&[]), 1);
    assert_eq!(refused(&["edge/Database", "Other"]), 1);
    assert_eq!(refused(&["Database"]), 0);
    assert_eq!(refused(&["data/Database"]), 0);
}

#[test]
fn another_region_moves_a_stack_with_all_that_hangs_on_it() {
    let here = stack(
        "data",
        json!({"Database": resource("AWS::RDS::DBCluster", json!({}))}),
    );
    let there = StackTemplate {
        region: "eu-west-1".to_owned(),
        ..here.clone()
    };
    let difference = Difference::between(&[here], &[there]);
    assert_eq!(difference.stacks[0].action, StackAction::Move);
    assert_eq!(difference.refused(&[]).count(), 1);
}

#[test]
fn a_stack_s_own_settings_are_compared_and_its_metadata_is_not() {
    let before = stack("data", json!({}));
    let mut after = before.clone();
    after.template["Metadata"] = json!({"mck": {"Version": "2"}});
    after.template["Description"] = "another".into();
    let one = std::slice::from_ref;
    assert!(Difference::between(one(&before), one(&after)).is_empty());
    after.termination_protection = true;
    after.template["Outputs"] = json!({"Port": {"Value": "1"}});
    let difference = Difference::between(&[before], &[after]);
    let paths: Vec<&str> = difference.stacks[0]
        .settings
        .iter()
        .map(|it| it.path.as_str())
        .collect();
    assert_eq!(paths, ["TerminationProtection", "Outputs/Port"]);
}

#[test]
fn stacks_that_go_are_told_in_the_order_in_which_they_can_go() {
    let stacks = ["network", "data", "app-shop"].map(|id| stack(id, json!({})));
    let difference = Difference::between(&stacks, &stacks[..1]);
    let ids: Vec<&str> = difference.stacks.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["app-shop", "data"]);
}

#[test]
fn names_of_environments_are_replaced_where_they_are_words() {
    let renaming = Renaming {
        from: "staging",
        to: "production",
    };
    let before = stack(
        "data",
        json!({"One": resource("AWS::SNS::Topic", json!({
            "TopicName": "shop-staging-alarms",
            "DisplayName": "/shop/staging/x, staging2, prestaging, staging",
        }))}),
    );
    let renamed = renaming.of(&before);
    let properties = &renamed.template["Resources"]["One"]["Properties"];
    assert_eq!(properties["TopicName"], "shop-production-alarms");
    assert_eq!(
        properties["DisplayName"],
        "/shop/production/x, staging2, prestaging, production"
    );
}

/// Resources that refer to each other by number.
fn resources() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec![
        "AWS::EC2::VPC",
        "AWS::EC2::Subnet",
        "AWS::RDS::DBCluster",
        "AWS::SNS::Topic",
        "AWS::ECS::TaskDefinition",
    ]);
    let names = prop::sample::select(vec!["CidrBlock", "VpcId", "Tags", "KmsKeyId", "Family"]);
    let value = prop_oneof![
        any::<u8>().prop_map(|number| json!(number)),
        (0_usize..6).prop_map(|number| json!({"Ref": format!("R{number}")})),
        (0_usize..6)
            .prop_map(|number| json!([{"Key": {"Fn::GetAtt": [format!("R{number}"), "Arn"]}}])),
    ];
    let properties = prop::collection::btree_map(names, value, 0..4);
    let one = (kinds, properties).prop_map(|(kind, properties)| resource(kind, json!(properties)));
    prop::collection::vec(one, 0..6).prop_map(|all| {
        let numbered = all.into_iter().enumerate();
        Value::Object(
            numbered
                .map(|(number, one)| (format!("R{number}"), one))
                .collect(),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_differs_from_itself(resources in resources()) {
        prop_assert!(between(resources.clone(), resources).is_empty());
    }

    #[test]
    fn what_one_way_creates_the_other_way_deletes(before in resources(), after in resources()) {
        let there = between(before.clone(), after.clone());
        let back = between(after.clone(), before.clone());
        prop_assert_eq!(there.counts().create, back.counts().delete);
        prop_assert_eq!(there.counts().delete, back.counts().create);
        prop_assert_eq!(there.is_empty(), before == after);
        prop_assert_eq!(there.is_empty(), back.is_empty());
    }

    #[test]
    fn every_resource_that_differs_is_told_and_no_action_is_without_a_reason(before in resources(), after in resources()) {
        let difference = between(before.clone(), after.clone());
        let told: Vec<&str> = difference.resources().map(|(_, it)| it.logical_id.as_str()).collect();
        for number in 0..6 {
            let id = format!("R{number}");
            if before.get(&id) != after.get(&id) {
                prop_assert!(told.contains(&id.as_str()), "{} is not told", id);
            }
        }
        for (_, resource) in difference.resources() {
            let worst = resource.properties.iter().map(|change| change.requires).max();
            match resource.action {
                Action::Create | Action::Delete => prop_assert!(resource.properties.is_empty()),
                Action::Update => prop_assert_eq!(worst, Some(Requirement::InPlace)),
                Action::MayReplace => prop_assert_eq!(worst, Some(Requirement::MayReplace)),
                Action::Replace => prop_assert_eq!(worst, Some(Requirement::Replace)),
            }
            for change in &resource.properties {
                prop_assert!(change.cause.is_some() || change.before != change.after);
            }
        }
    }
}
