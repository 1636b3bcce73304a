use std::collections::{BTreeMap, BTreeSet};

use super::*;
use mck_cloudformation::Template;

use crate::{
    Source,
    testing::{SMALLEST, blueprint, stack},
};

/// The quota of rules of a security group and direction (Amazon VPC user guide, "Amazon VPC quotas");
/// a prefix list counts as many as it may hold.
const QUOTA: usize = 60;

const NO_WAY_OUT: &str = r#"
project = "shop"
[network]
nat = "none"
[app.shop]
preset = "magento2"
source = "shop"
routing.hosts = ["shop.example.com"]
[environment.production]
"#;

/// What this module adds to a stack.
fn part(blueprint: &Blueprint, id: StackId) -> Stack {
    let mut stack = Stack {
        name: id.name(),
        id,
        region: blueprint.region.clone(),
        template: Template::new("A part"),
        parameters: BTreeMap::new(),
        after: BTreeSet::new(),
        termination_protection: false,
        tags: BTreeMap::new(),
    };
    if stack.id == StackId::Network {
        stack.hand_over(&names::network::vpc(), "The VPC", "vpc-1");
    }
    let source = Source::new("magecloudkit.toml", b"");
    add(&mut stack, &Scene::new(blueprint, &source));
    stack
}

/// The parts of all stacks that have groups.
fn parts(blueprint: &Blueprint) -> Vec<Stack> {
    let clusters = blueprint.clusters.iter();
    let clusters = clusters.map(|it| StackId::Cluster(it.name.clone()));
    let apps = blueprint.apps.iter();
    let apps = apps.map(|it| StackId::App(it.name.clone()));
    [StackId::Network, StackId::Jenkins]
        .into_iter()
        .chain(clusters)
        .chain(apps)
        .map(|id| part(blueprint, id))
        .collect()
}

/// Every environment whose templates are held as golden files.
fn environments() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/environments");
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .map(|path| std::fs::read_to_string(path).unwrap())
        .filter(|text| text.contains("[environment.production]") || !text.contains("[environment."))
        .map(|text| {
            if text.contains("[environment.") {
                text
            } else {
                text + "\n[environment.production]\n"
            }
        })
        .collect()
}

#[test]
fn no_group_has_more_rules_than_aws_allows() {
    for text in environments() {
        let blueprint = blueprint(&text);
        let mut weights: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for rule in &blueprint.access {
            for (group, way, peer) in [(&rule.to, "in", &rule.from), (&rule.from, "out", &rule.to)]
            {
                let Peer::Group(name) = group else { continue };
                let weight = match peer {
                    Peer::PrefixList(_) => prefix_lists::CLOUDFRONT_WEIGHT,
                    Peer::Group(_) | Peer::Range(_) => 1,
                };
                *weights.entry((name.0.clone(), way)).or_default() += weight;
            }
        }
        for ((group, way), weight) in weights {
            assert!(weight <= QUOTA, "{group} has {weight} rules {way}");
        }
    }
}

/// EC2's `AuthorizeSecurityGroupIngress`: at most 255 of these characters.
#[test]
fn descriptions_are_what_ec2_takes() {
    let fits = |text: &str| {
        text.len() <= 255
            && text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || b" ._-:/()#,@[]+=&;{}!$*".contains(&byte)
            })
    };
    for text in environments() {
        let blueprint = blueprint(&text);
        for rule in &blueprint.access {
            assert!(fits(&rule.reason), "{}", rule.reason);
        }
        for group in &blueprint.security_groups {
            assert!(fits(&group.description), "{}", group.description);
        }
    }
}

#[test]
fn every_rule_is_at_both_of_its_ends() {
    for text in environments() {
        let blueprint = blueprint(&text);
        let parts = parts(&blueprint);
        let count = |kind: &str| {
            let all = parts.iter();
            let resources = all.flat_map(|stack| stack.template.resources());
            resources.filter(|(_, it)| it.kind == kind).count()
        };
        let ends = |pick: fn(&AccessRule) -> &Peer| {
            let all = &blueprint.access;
            all.iter()
                .filter(|rule| matches!(pick(rule), Peer::Group(_)))
                .count()
        };
        assert_eq!(count("AWS::EC2::SecurityGroupIngress"), ends(|it| &it.to));
        assert_eq!(count("AWS::EC2::SecurityGroupEgress"), ends(|it| &it.from));
        assert_eq!(
            count("AWS::EC2::SecurityGroup"),
            blueprint.security_groups.len()
        );
    }
}

#[test]
fn visitors_come_in_by_ipv6_where_there_is_some() {
    let network = stack(SMALLEST, &StackId::Network);
    let json = network.template.json();
    let rule = &json["Resources"]["RuleInLoadBalancerFromWorldIpv6Port443"]["Properties"];
    assert_eq!(rule["CidrIpv6"], "::/0");
    let without = SMALLEST.replace(
        "project = \"shop\"",
        "project = \"shop\"\nnetwork.ipv6 = false",
    );
    let network = stack(&without, &StackId::Network);
    assert!(!network.template.text().contains("::/0"));
}

#[test]
fn a_rule_between_stacks_is_in_the_later_one() {
    let app = part(&blueprint(SMALLEST), StackId::App("shop".to_owned()));
    let json = app.template.json();
    let rule = &json["Resources"]["RuleInDatabaseFromAppShopPort3306"]["Properties"];
    assert_eq!(
        rule["GroupId"],
        serde_json::json!({"Ref": "NetworkSecurityGroupDatabase"})
    );
    assert_eq!(
        rule["SourceSecurityGroupId"],
        serde_json::json!({"Fn::GetAtt": ["SecurityGroupAppShop", "GroupId"]})
    );
}

#[test]
fn without_a_way_out_there_is_one_to_aws() {
    let app = part(&blueprint(NO_WAY_OUT), StackId::App("shop".to_owned()));
    let json = app.template.json();
    for id in [
        "RuleInEndpointsFromAppShopPort443",
        "RuleOutAppShopToEndpointsPort443",
        "RuleOutAppShopToWorldPort443",
    ] {
        assert!(json["Resources"][id].is_object(), "{id}");
    }
    let app = part(&blueprint(SMALLEST), StackId::App("shop".to_owned()));
    assert!(!app.template.text().contains("Endpoints"));
}

#[test]
fn ranges_that_look_alike_have_names_of_their_own() {
    let text = SMALLEST.replace(
        "project = \"shop\"",
        "project = \"shop\"\nload-balancer.allow-from = [\"1.11.0.0/16\", \"11.1.0.0/16\", \"2001:db8::/32\"]",
    );
    let network = stack(&text, &StackId::Network);
    assert_eq!(network.template.problems(), []);
    let json = network.template.json();
    let rules = json["Resources"].as_object().unwrap();
    let from = |range: &str| {
        rules
            .values()
            .filter(|it| {
                it["Properties"]["CidrIp"] == range || it["Properties"]["CidrIpv6"] == range
            })
            .count()
    };
    assert_eq!(from("1.11.0.0/16"), 2);
    assert_eq!(from("11.1.0.0/16"), 2);
    assert_eq!(from("2001:db8::/32"), 2);
}

proptest::proptest! {
    #[test]
    fn every_rule_has_a_name_of_its_own(
        one in (proptest::prelude::any::<u32>(), 0_u8..=32, 1_u16..),
        other in (proptest::prelude::any::<u32>(), 0_u8..=32, 1_u16..),
    ) {
        let rule = |(address, length, port): (u32, u8, u16)| AccessRule {
            from: Peer::Range(format!("{}/{length}", std::net::Ipv4Addr::from(address))),
            to: Peer::Group(SecurityGroupName("endpoints".to_owned())),
            protocol: Protocol::Tcp,
            ports: PortRange::single(port),
            reason: String::new(),
        };
        let id = |rule: &AccessRule| rule_id("in", "endpoints", "from", &rule.from, rule);
        proptest::prop_assert_eq!(one == other, id(&rule(one)) == id(&rule(other)));
    }
}
