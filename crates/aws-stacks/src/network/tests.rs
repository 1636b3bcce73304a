use serde_json::{Value, json};

use crate::{
    StackId,
    testing::{SMALLEST, blueprint, stack},
};

fn network(more: &str) -> crate::Stack {
    let text = SMALLEST.replace("project = \"shop\"", &format!("project = \"shop\"\n{more}"));
    stack(&text, &StackId::Network)
}

fn resources<'a>(json: &'a Value, kind: &str) -> Vec<(&'a String, &'a Value)> {
    let all = json["Resources"]
        .as_object()
        .expect("a template has resources");
    all.iter().filter(|(_, it)| it["Type"] == kind).collect()
}

#[test]
fn the_template_is_as_it_was() {
    let stack = stack(SMALLEST, &StackId::Network);
    assert_eq!(stack.template.problems(), []);
    // The launch template's user data has a golden file of its own.
    let mut json = stack.template.json();
    json["Resources"]["BastionLaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"] =
        "…".into();
    json["Metadata"]["mck"]["FileSha256"] = "…".into();
    insta::assert_snapshot!(format!("{json:#}"));
}

#[test]
fn every_zone_has_its_own_way_out() {
    let json = network("").template.json();
    assert_eq!(resources(&json, "AWS::EC2::NatGateway").len(), 3);
    assert_eq!(resources(&json, "AWS::EC2::Subnet").len(), 9);
    for letter in ["A", "B", "C"] {
        let route = &json["Resources"][format!("RouteApp{letter}")]["Properties"];
        assert_eq!(
            route["NatGatewayId"],
            json!({"Ref": format!("NatGateway{letter}")})
        );
    }
}

#[test]
fn one_gateway_serves_all_zones_where_that_is_wanted() {
    let json = network("network.nat = \"single\"").template.json();
    assert_eq!(resources(&json, "AWS::EC2::NatGateway").len(), 1);
    let routes = resources(&json, "AWS::EC2::Route");
    let through = routes
        .iter()
        .filter(|(_, it)| it["Properties"]["NatGatewayId"] == json!({"Ref": "NatGatewayA"}));
    assert_eq!(through.count(), 3);
}

#[test]
fn without_a_nat_gateway_app_subnets_reach_aws_alone() {
    let json = network("network.nat = \"none\"").template.json();
    assert_eq!(resources(&json, "AWS::EC2::NatGateway").len(), 0);
    let routes = resources(&json, "AWS::EC2::Route");
    assert!(
        routes.iter().all(|(id, _)| id.starts_with("RoutePublic")),
        "{routes:?}"
    );
    let endpoints = resources(&json, "AWS::EC2::VPCEndpoint");
    assert_eq!(endpoints.len(), 14);
    assert!(json["Outputs"]["SecurityGroupEndpoints"].is_object());
}

/// DESIGN: persistence subnets have no way out, none in.
#[test]
fn persistence_subnets_have_no_route() {
    for nat in ["per-zone", "single", "none"] {
        let json = network(&format!("network.nat = \"{nat}\"")).template.json();
        let table = json!({"Ref": "RouteTablePersistence"});
        for (id, route) in resources(&json, "AWS::EC2::Route") {
            assert_ne!(route["Properties"]["RouteTableId"], table, "{id}");
        }
        for (id, endpoint) in resources(&json, "AWS::EC2::VPCEndpoint") {
            let tables = endpoint["Properties"]["RouteTableIds"].as_array();
            assert!(tables.is_none_or(|it| !it.contains(&table)), "{id}");
        }
        for letter in ["A", "B", "C"] {
            let id = format!("RouteTableAssociationPersistence{letter}");
            assert_eq!(json["Resources"][&id]["Properties"]["RouteTableId"], table);
            let subnet = &json["Resources"][format!("SubnetPersistence{letter}")]["Properties"];
            assert!(subnet["Ipv6CidrBlock"].is_null());
        }
    }
}

#[test]
fn ipv6_can_be_left_out() {
    let with = network("").template.text();
    assert!(with.contains("Ipv6CidrBlock"));
    let json = network("network.ipv6 = false").template.json();
    let without = json["Resources"].to_string();
    for word in ["Ipv6CidrBlock", "::/0", "EgressOnlyInternetGateway"] {
        assert!(!without.contains(word), "{word}");
    }
}

/// A zone that is added must not move the ranges of those that are there.
#[test]
fn a_subnet_keeps_its_ipv6_range_when_a_zone_is_added() {
    let two = network("network.zones = [\"a\", \"c\"]").template.json();
    let three = network("network.zones = [\"a\", \"b\", \"c\"]")
        .template
        .json();
    for id in ["SubnetPublicC", "SubnetAppA", "SubnetAppC"] {
        let range = |json: &Value| json["Resources"][id]["Properties"]["Ipv6CidrBlock"].clone();
        assert_eq!(range(&two), range(&three), "{id}");
        assert!(range(&two).is_object(), "{id}");
    }
}

#[test]
fn an_adopted_vpc_is_not_touched() {
    let existing = r#"
[network.existing]
vpc = "vpc-0123456789abcdef0"
public-subnets = ["subnet-00000001", "subnet-00000002", "subnet-00000003"]
app-subnets = ["subnet-00000011", "subnet-00000012", "subnet-00000013"]
persistence-subnets = ["subnet-00000021", "subnet-00000022", "subnet-00000023"]
"#;
    let stack = network(existing);
    assert_eq!(stack.template.problems(), []);
    let json = stack.template.json();
    for kind in [
        "VPC",
        "Subnet",
        "Route",
        "RouteTable",
        "NatGateway",
        "InternetGateway",
        "FlowLog",
    ] {
        assert_eq!(resources(&json, &format!("AWS::EC2::{kind}")), [], "{kind}");
    }
    assert_eq!(json["Outputs"]["VpcId"]["Value"], "vpc-0123456789abcdef0");
    assert_eq!(json["Outputs"]["SubnetAppB"]["Value"], "subnet-00000012");
    let group = &json["Resources"]["SecurityGroupDatabase"]["Properties"];
    assert_eq!(group["VpcId"], "vpc-0123456789abcdef0");
    assert!(json["Resources"]["PrivateZone"].is_object());
}

#[test]
fn what_others_need_is_handed_over() {
    let blueprint = blueprint(SMALLEST);
    let stack = stack(SMALLEST, &StackId::Network);
    let has = |name: &str| stack.template.outputs().iter().any(|it| it.name == name);
    for subnet in &blueprint.network.subnets {
        assert!(has(&crate::names::network::subnet(&subnet.name).output));
    }
    for name in [
        "VpcId",
        "PrivateZoneId",
        "BastionInstanceId",
        "SecurityGroupDatabase",
    ] {
        assert!(has(name), "{name}");
    }
}

#[test]
fn a_new_image_does_not_replace_the_bastion() {
    let json = network("").template.json();
    let template = &json["Resources"]["BastionLaunchTemplate"]["Properties"];
    let image = template["LaunchTemplateData"]["ImageId"].as_str().unwrap();
    assert!(image.starts_with("resolve:ssm:/aws/service/canonical/ubuntu/server/24.04/"));
    assert!(json["Resources"]["Bastion"]["Properties"]["ImageId"].is_null());
    assert!(json["Parameters"].is_null());
}

#[test]
fn there_may_be_no_bastion() {
    let json = network("bastion.enabled = false").template.json();
    assert_eq!(resources(&json, "AWS::EC2::Instance"), []);
    let keys = |section: &str| json[section].as_object().unwrap().clone();
    for key in keys("Resources").keys().chain(keys("Outputs").keys()) {
        assert!(!key.contains("Bastion"), "{key}");
    }
}
