//! What the templates of stacks have made.

use mck_environment::settings::RedisEngine;
use serde_json::Value;

use super::{
    Capacity, Cluster, Database, Endpoints, Inventory, JenkinsHome, LoadBalancer, Media, Nodes,
    Redis, Search, Server, WebAcl,
};

/// A stack that is there.
#[derive(Debug, Clone, Copy)]
pub struct DeployedStack<'a> {
    /// Its name within the environment, such as `cluster-app`.
    pub id: &'a str,
    /// Its template.
    pub template: &'a Value,
}

impl DeployedStack<'_> {
    /// The properties of its resources of a type.
    fn all<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Value> {
        let resources = self.template.get("Resources").and_then(Value::as_object);
        let resources = resources.into_iter().flat_map(|it| it.values());
        let of_kind = resources.filter(move |it| it["Type"] == kind);
        of_kind.map(|it| it.get("Properties").unwrap_or(&Value::Null))
    }

    fn one<'b>(&'b self, kind: &'b str) -> Option<&'b Value> {
        self.all(kind).next()
    }

    fn count(&self, kind: &str) -> usize {
        self.all(kind).count()
    }

    /// Whether it is shared by all environments of the project.
    fn is_shared(&self) -> bool {
        self.id == "global" || self.id.starts_with("global-")
    }
}

impl Inventory {
    /// What of stacks that are there costs something. What templates leave open is as it is wanted,
    /// since an apply does not change it: how many App Servers a cluster begins with, within its limits,
    /// and whether an adopted VPC has NAT gateways.
    pub(crate) fn deployed(stacks: &[DeployedStack<'_>], wanted: &Self) -> Self {
        let own = stacks.iter().filter(|it| !it.is_shared());
        own.fold(Self::default(), |mut found, stack| {
            found.add(stack, wanted);
            found
        })
    }

    fn add(&mut self, stack: &DeployedStack<'_>, wanted: &Self) {
        if let Some(name) = stack.id.strip_prefix("cluster-") {
            let known = wanted.clusters.iter().find(|it| it.name == name);
            self.clusters.extend(cluster(stack, name, known));
            self.logs = true;
        }
        if stack.id == "jenkins" {
            self.jenkins = server(stack);
            self.jenkins_home = stack.one("AWS::EFS::FileSystem").map(|_| JenkinsHome {
                vault_days: vault_days(stack, "jenkins"),
            });
        } else {
            self.add_data(stack);
        }
        self.secrets += stack.count("AWS::SecretsManager::Secret");
        self.add_network(stack, wanted);
        self.add_edge(stack);
        self.alarms += stack.count("AWS::CloudWatch::Alarm");
        self.dashboard |= stack.count("AWS::CloudWatch::Dashboard") > 0;
        self.keys += stack.count("AWS::KMS::Key");
        self.images |= stack.all("AWS::ECS::TaskDefinition").any(is_built);
    }

    fn add_data(&mut self, stack: &DeployedStack<'_>) {
        if let Some(cluster) = stack.one("AWS::RDS::DBCluster") {
            self.database = Some(database(stack, cluster));
            let is_managed = cluster["ManageMasterUserPassword"] == true;
            self.secrets += usize::from(is_managed);
        }
        let groups = stack.all("AWS::ElastiCache::ReplicationGroup");
        self.redis.extend(groups.map(redis));
        if let Some(memcached) = stack.one("AWS::ElastiCache::CacheCluster") {
            let count = number(&memcached["NumCacheNodes"]);
            self.memcached = Some(nodes(count, &memcached["CacheNodeType"]));
        }
        if let Some(search) = stack.one("AWS::OpenSearchService::Domain") {
            let config = &search["ClusterConfig"];
            let count = number(&config["InstanceCount"]).max(1);
            self.search = Some(Search {
                nodes: nodes(count, &config["InstanceType"]),
                volume_gb: amount(&search["EBSOptions"]["VolumeSize"]),
            });
        }
        if let Some(broker) = stack.one("AWS::AmazonMQ::Broker") {
            let count = broker["SubnetIds"].as_array().map_or(1, Vec::len);
            self.message_broker = Some(nodes(count, &broker["HostInstanceType"]));
        }
        if let Some(file_system) = stack.one("AWS::EFS::FileSystem") {
            self.media = Some(Media {
                is_elastic: file_system["ThroughputMode"] == "elastic",
                vault_days: vault_days(stack, "files"),
            });
        }
    }

    fn add_network(&mut self, stack: &DeployedStack<'_>, wanted: &Self) {
        if stack.count("AWS::EC2::Instance") > 0 {
            self.bastion = server(stack);
        }
        self.nat_gateways += stack.count("AWS::EC2::NatGateway");
        let is_adopted = stack.id == "network" && stack.count("AWS::EC2::VPC") == 0;
        self.through_nat |= self.nat_gateways > 0 || (is_adopted && wanted.through_nat);
        let endpoints = stack.all("AWS::EC2::VPCEndpoint");
        let interfaces = endpoints.filter(|it| it["VpcEndpointType"] == "Interface");
        for endpoint in interfaces {
            let zones = endpoint["SubnetIds"].as_array().map_or(0, Vec::len);
            let found = self
                .endpoints
                .get_or_insert(Endpoints { services: 0, zones });
            found.services += 1;
        }
        self.flow_logs |= stack.count("AWS::EC2::FlowLog") > 0;
        for zone in stack.all("AWS::Route53::HostedZone") {
            let is_private = zone.get("VPCs").is_some();
            self.private_zone |= is_private;
            self.public_zone |= !is_private;
        }
    }

    fn add_edge(&mut self, stack: &DeployedStack<'_>) {
        if let Some(balancer) = stack.one("AWS::ElasticLoadBalancingV2::LoadBalancer") {
            let nodes = balancer["Subnets"].as_array().map_or(0, Vec::len);
            self.load_balancer = Some(LoadBalancer { nodes });
        }
        self.content_delivery |= stack.count("AWS::CloudFront::Distribution") > 0;
        if let Some(acl) = stack.one("AWS::WAFv2::WebACL") {
            let rules = acl["Rules"].as_array().into_iter().flatten();
            let is_group = |rule: &&Value| {
                let statement = &rule["Statement"];
                statement.get("ManagedRuleGroupStatement").is_some()
            };
            self.web_acl = Some(WebAcl {
                groups: rules.filter(is_group).count(),
                is_of_content_delivery: acl["Scope"] == "CLOUDFRONT",
            });
        }
    }
}

fn cluster(stack: &DeployedStack<'_>, name: &str, wanted: Option<&Cluster>) -> Option<Cluster> {
    let group = stack.one("AWS::AutoScaling::AutoScalingGroup")?;
    let server = server(stack)?;
    let (minimum, maximum) = (number(&group["MinSize"]), number(&group["MaxSize"]));
    let desired = wanted.map_or(minimum, |it| it.desired);
    let distribution = &group["MixedInstancesPolicy"]["InstancesDistribution"];
    let on_demand = distribution["OnDemandPercentageAboveBaseCapacity"].as_u64();
    let on_demand = on_demand.and_then(|it| u8::try_from(it).ok());
    Some(Cluster {
        name: name.to_owned(),
        instance_type: server.instance_type,
        desired: desired.max(minimum).min(maximum),
        maximum,
        spot_percent: 100_u8.saturating_sub(on_demand.unwrap_or(100)),
        volume_gb: server.volume_gb,
        warm: stack
            .one("AWS::AutoScaling::WarmPool")
            .map_or(0, |it| number(&it["MinSize"])),
    })
}

/// The server that a stack's launch template describes.
fn server(stack: &DeployedStack<'_>) -> Option<Server> {
    let data = &stack.one("AWS::EC2::LaunchTemplate")?["LaunchTemplateData"];
    Some(Server {
        instance_type: text(&data["InstanceType"]),
        volume_gb: amount(&data["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"]),
    })
}

fn database(stack: &DeployedStack<'_>, cluster: &Value) -> Database {
    let class = stack
        .one("AWS::RDS::DBInstance")
        .map(|it| text(&it["DBInstanceClass"]));
    Database {
        members: stack.count("AWS::RDS::DBInstance"),
        capacity: match cluster.get("ServerlessV2ScalingConfiguration") {
            Some(units) => {
                Capacity::Units(amount(&units["MinCapacity"]), amount(&units["MaxCapacity"]))
            }
            None => Capacity::Instance(class.unwrap_or_default()),
        },
        vault_days: vault_days(stack, "database"),
    }
}

fn redis(group: &Value) -> Redis {
    // `<name> of <project> <environment>`.
    let description = text(&group["ReplicationGroupDescription"]);
    let name = description.split_whitespace().next().unwrap_or_default();
    Redis {
        name: name.to_owned(),
        engine: if group["Engine"] == "valkey" {
            RedisEngine::Valkey
        } else {
            RedisEngine::Redis
        },
        nodes: nodes(number(&group["NumCacheClusters"]), &group["CacheNodeType"]),
    }
}

/// How many days the backups of a rule stay.
fn vault_days(stack: &DeployedStack<'_>, rule: &str) -> Option<u64> {
    let plans = stack.all("AWS::Backup::BackupPlan");
    let mut rules = plans.filter_map(|it| it["BackupPlan"]["BackupPlanRule"].get(0));
    let found = rules.find(|it| it["RuleName"] == rule)?;
    found["Lifecycle"]["DeleteAfterDays"].as_u64()
}

/// Whether a container's image is in a registry of the account's own.
fn is_built(definition: &Value) -> bool {
    let containers = definition["ContainerDefinitions"].as_array();
    let mut images = containers.into_iter().flatten().map(|it| &it["Image"]);
    images.any(|image| image.to_string().contains(".dkr.ecr."))
}

fn nodes(count: usize, kind: &Value) -> Nodes {
    Nodes {
        count,
        kind: text(kind),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A count, which CloudFormation takes as a number or as a text.
fn number(value: &Value) -> usize {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.and_then(|it| usize::try_from(it).ok()).unwrap_or(0)
}

fn amount(value: &Value) -> f64 {
    let amount = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    amount.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use mck_blueprint::Blueprint;
    use mck_environment::{EnvironmentFile, settings::Target};
    use serde_json::json;

    use super::*;

    const STACKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../aws-stacks/tests");

    fn templates(environment: &str) -> Vec<(String, Value)> {
        let folder = Path::new(STACKS).join("golden").join(environment);
        let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
        let read = files.map(|path| {
            let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                id,
                serde_json::from_slice(&fs::read(&path).unwrap()).unwrap(),
            )
        });
        let mut read: Vec<_> = read.collect();
        read.sort_by(|one, other| one.0.cmp(&other.0));
        read
    }

    fn stacks(templates: &[(String, Value)]) -> Vec<DeployedStack<'_>> {
        let all = templates.iter();
        all.map(|(id, template)| DeployedStack { id, template })
            .collect()
    }

    fn sorted(mut inventory: Inventory) -> Inventory {
        inventory
            .clusters
            .sort_by(|one, other| one.name.cmp(&other.name));
        inventory
            .redis
            .sort_by(|one, other| one.name.cmp(&other.name));
        inventory
    }

    /// The stacks of a blueprint cost what the blueprint does, whatever is in it.
    #[test]
    fn stacks_say_what_their_blueprint_says() {
        let mut seen = 0;
        for entry in fs::read_dir(Path::new(STACKS).join("environments")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let bytes = fs::read(&path).unwrap();
            let file = EnvironmentFile::parse(&name, &bytes).unwrap();
            let mut checked = file.check().unwrap();
            checked.retain(|it| it.target() == Target::Aws);
            let environment = checked.iter().find(|it| it.name == "production");
            let Some(environment) = environment.or(checked.first()) else {
                continue;
            };
            let wanted = Inventory::of(&Blueprint::plan(environment).unwrap());
            let templates = templates(&name);
            let there = Inventory::deployed(&stacks(&templates), &wanted);
            assert_eq!(sorted(there), sorted(wanted), "{name}");
            seen += 1;
        }
        assert!(seen >= 12, "{seen}");
    }

    #[test]
    fn nothing_is_counted_that_is_not_there_yet() {
        let mut templates = templates("everything");
        templates.retain(|(id, _)| id == "network" || id == "global");
        let wanted = Inventory::default();
        let there = Inventory::deployed(&stacks(&templates), &wanted);
        assert_eq!((there.nat_gateways, there.flow_logs), (3, true));
        assert!(there.bastion.is_some() && there.private_zone);
        assert_eq!(there.database, None);
        assert_eq!(there.load_balancer, None);
        assert!(!there.logs && !there.dashboard && !there.images);
        assert_eq!(Inventory::deployed(&[], &wanted), Inventory::default());
    }

    #[test]
    fn the_servers_of_a_cluster_are_those_that_are_wanted_within_its_limits() {
        let template = json!({"Resources": {
            "Group": {
                "Type": "AWS::AutoScaling::AutoScalingGroup",
                "Properties": {"MinSize": "2", "MaxSize": "6"},
            },
            "Template": {
                "Type": "AWS::EC2::LaunchTemplate",
                "Properties": {"LaunchTemplateData": {
                    "InstanceType": "c6i.large",
                    "BlockDeviceMappings": [{"Ebs": {"VolumeSize": 50}}],
                }},
            },
        }});
        let stack = DeployedStack {
            id: "cluster-app",
            template: &template,
        };
        for (wanted, expected) in [(None, 2), (Some(1), 2), (Some(4), 4), (Some(9), 6)] {
            let found = cluster(&stack, "app", None).unwrap();
            let known = wanted.map(|desired| Cluster {
                desired,
                ..found.clone()
            });
            let found = cluster(&stack, "app", known.as_ref()).unwrap();
            assert_eq!(found.desired, expected, "{wanted:?}");
        }
    }
}
