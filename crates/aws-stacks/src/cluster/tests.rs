use serde_json::{Value as Json, json};

use crate::{
    Stack, StackId,
    testing::{SMALLEST, stack},
};

const FULL: &str = r#"
project = "shop"

[cluster.app]
instance-type = "m7g.xlarge"
architecture = "arm64"
servers = { minimum = 3, maximum = 9 }

[app.shop]
preset = "magento2"
source = "shop"
routing.hosts = ["shop.example.com"]

[integration.datadog]

[environment.production]
"#;

fn cluster(text: &str) -> Stack {
    stack(text, &StackId::Cluster("app".to_owned()))
}

fn with(keys: &str) -> Json {
    let text = SMALLEST.replace(
        "[app.shop]",
        &format!("[cluster.app]\n{keys}\n\n[app.shop]"),
    );
    cluster(&text).template.json()
}

fn properties<'a>(template: &'a Json, id: &str) -> &'a Json {
    let resource = &template["Resources"][id];
    assert!(!resource.is_null(), "there is no {id}");
    &resource["Properties"]
}

#[test]
fn the_template_is_as_it_was() {
    insta::assert_snapshot!(cluster(FULL).template.text());
}

#[test]
fn no_update_undoes_scaling() {
    let template = cluster(FULL).template.json();
    let group = properties(&template, "AppServers");
    assert_eq!(group["MinSize"], "3");
    assert_eq!(group["MaxSize"], "9");
    assert!(group.get("DesiredCapacity").is_none());
}

#[test]
fn servers_are_replaced_for_a_new_image_unless_that_is_off() {
    let on = with("");
    let image = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id";
    assert_eq!(on["Parameters"]["Image"]["Default"], image);
    let policy = &on["Resources"]["AppServers"]["UpdatePolicy"];
    let preferences = &policy["AutoScalingInstanceRefresh"]["Preferences"];
    assert_eq!(preferences["ScaleInProtectedInstances"], "Refresh");
    let off = with("instance-refresh = false");
    assert!(off["Parameters"].get("Image").is_none());
    assert!(off["Resources"]["AppServers"].get("UpdatePolicy").is_none());
    let data = &properties(&off, "LaunchTemplate")["LaunchTemplateData"];
    assert_eq!(data["ImageId"], format!("resolve:ssm:{image}"));
    let own = with(r#"image-id = "ami-0123456789abcdef0""#);
    let data = &properties(&own, "LaunchTemplate")["LaunchTemplateData"];
    assert_eq!(data["ImageId"], "ami-0123456789abcdef0");
}

#[test]
fn spot_servers_are_of_several_types() {
    let template = with("spot-percent = 70\nspot-instance-types = [\"m6i.large\"]");
    let group = properties(&template, "AppServers");
    assert!(group.get("LaunchTemplate").is_none());
    assert_eq!(group["CapacityRebalance"], true);
    let policy = &group["MixedInstancesPolicy"];
    let distribution = &policy["InstancesDistribution"];
    assert_eq!(distribution["OnDemandPercentageAboveBaseCapacity"], 30);
    let overrides = &policy["LaunchTemplate"]["Overrides"];
    assert_eq!(overrides.as_array().map(Vec::len), Some(2));
    assert_eq!(overrides[1], json!({ "InstanceType": "m6i.large" }));
}

#[test]
fn warm_servers_are_stopped_ones() {
    let template = with("warm-servers = 2");
    let pool = properties(&template, "WarmPool");
    assert_eq!(pool["MinSize"], 2);
    assert_eq!(pool["PoolState"], "Stopped");
    let user_data = properties(&template, "LaunchTemplate").to_string();
    assert!(user_data.contains("ECS_WARM_POOLS_CHECK=true"));
}

#[test]
fn without_exec_there_is_no_key_and_no_log_of_it() {
    let on = with("");
    assert!(on["Outputs"].get("ExecKeyArn").is_some());
    let off = with("exec = false");
    assert!(off["Resources"].get("ExecKey").is_none());
    assert!(properties(&off, "Cluster").get("Configuration").is_none());
}

#[test]
fn servers_come_after_daemons_and_ways_out() {
    let template = cluster(FULL).template.json();
    let before = template["Resources"]["AppServers"]["DependsOn"].to_string();
    for id in [
        "Cluster",
        "DatadogAgentService",
        "RuleOutServersAppToWorldPort443",
    ] {
        assert!(before.contains(&format!("\"{id}\"")), "{id}: {before}");
    }
}

#[test]
fn a_daemon_takes_no_interface_and_its_key_is_set_before() {
    let stack = cluster(FULL);
    assert!(stack.dependencies().contains(&StackId::Data));
    let template = stack.template.json();
    let definition = properties(&template, "DatadogAgentTaskDefinition");
    assert_eq!(definition["NetworkMode"], "host");
    let service = properties(&template, "DatadogAgentService");
    assert_eq!(service["SchedulingStrategy"], "DAEMON");
    assert!(service.get("NetworkConfiguration").is_none());
}
