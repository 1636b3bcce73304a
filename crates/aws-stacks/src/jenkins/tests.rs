use serde_json::{Value, json};

use crate::{
    StackId,
    testing::{SMALLEST, stack},
};

fn jenkins(more: &str) -> crate::Stack {
    let text = format!(
        "{SMALLEST}\n[jenkins]\nenabled = true\nhost = \"ci.example.com\"\n\
         allow-from = [\"203.0.113.0/24\", \"2001:db8::/32\"]\n{more}"
    );
    stack(&text, &StackId::Jenkins)
}

#[test]
fn the_template_is_as_it_was() {
    let stack = jenkins("");
    assert_eq!(stack.template.problems(), []);
    let mut json = stack.template.json();
    // The script has a golden file of its own; what is before it has not.
    let data = &mut json["Resources"]["JenkinsLaunchTemplate"]["Properties"]["LaunchTemplateData"];
    let parts = data["UserData"]["Fn::Base64"]["Fn::Join"][1]
        .as_array_mut()
        .unwrap();
    let last = parts.last_mut().unwrap();
    *last = last
        .as_str()
        .unwrap()
        .split_inclusive('\n')
        .next()
        .unwrap()
        .into();
    json["Metadata"]["mck"]["FileSha256"] = "…".into();
    insta::assert_snapshot!(format!("{json:#}"));
}

#[test]
fn there_are_never_two_servers_on_one_home() {
    let json = jenkins("").template.json();
    let group = &json["Resources"]["JenkinsServers"];
    assert_eq!(group["Properties"]["MaxSize"], "1");
    assert_eq!(
        group["Properties"]["InstanceMaintenancePolicy"],
        json!({"MinHealthyPercentage": 0, "MaxHealthyPercentage": 100})
    );
    assert_eq!(
        group["UpdatePolicy"]["AutoScalingRollingUpdate"]["MinInstancesInService"],
        0
    );
}

#[test]
fn the_home_outlives_the_stack() {
    let json = jenkins("").template.json();
    for id in [
        "JenkinsFileSystem",
        "JenkinsBackupVault",
        "SecretJenkinsAdminPassword",
    ] {
        assert_eq!(
            json["Resources"][id]["DeletionPolicy"], "RetainExceptOnCreate",
            "{id}"
        );
    }
}

#[test]
fn only_listed_ranges_come_to_its_host() {
    let json = jenkins("").template.json();
    let conditions = &json["Resources"]["JenkinsListenerRule"]["Properties"]["Conditions"];
    assert_eq!(
        conditions[0]["HostHeaderConfig"]["Values"],
        json!(["ci.example.com"])
    );
    assert_eq!(
        conditions[1]["SourceIpConfig"]["Values"],
        json!(["203.0.113.0/24", "2001:db8::/32"])
    );
}

#[test]
fn the_password_is_not_in_the_template() {
    let json = jenkins("").template.json();
    let secret = &json["Resources"]["SecretJenkinsAdminPassword"]["Properties"];
    assert!(secret["SecretString"].is_null());
    assert_eq!(secret["GenerateSecretString"]["PasswordLength"], 32);
}

#[test]
fn backups_can_be_left_out() {
    let json = jenkins("backups = false\n").template.json();
    let ids: Vec<&String> = json["Resources"].as_object().unwrap().keys().collect();
    assert!(ids.iter().all(|id| !id.contains("Backup")), "{ids:?}");
}

#[test]
fn user_data_fits() {
    let plugins: Vec<String> = (0..60)
        .map(|index| format!("\"some-plugin-{index}\""))
        .collect();
    let json = jenkins(&format!("plugins = [{}]\n", plugins.join(", ")))
        .template
        .json();
    let data = &json["Resources"]["JenkinsLaunchTemplate"]["Properties"]["LaunchTemplateData"];
    let parts = data["UserData"]["Fn::Base64"]["Fn::Join"][1]
        .as_array()
        .unwrap()
        .clone();
    // The longest value is an ARN of some 120 characters.
    let length = |part: &Value| part.as_str().map_or(200, str::len);
    let bytes: usize = parts.iter().map(length).sum();
    assert!(
        bytes <= mck_server_config::user_data::MAXIMUM_BYTES,
        "{bytes}"
    );
}

/// Rules of one listener must not have one priority (ELB, `CreateRule`).
#[test]
fn its_rule_is_nobody_else_s() {
    let text = SMALLEST.replace("hosts = [", "priority = 1\nhosts = [")
        + "\n[jenkins]\nenabled = true\nhost = \"ci.example.com\"\nallow-from = [\"203.0.113.0/24\"]\n";
    let stacks = crate::testing::stacks(&text);
    let resources = stacks.stacks.iter().flat_map(|it| it.template.resources());
    let mut priorities: Vec<i64> = resources
        .filter(|(_, it)| it.kind == "AWS::ElasticLoadBalancingV2::ListenerRule")
        .map(|(_, it)| it.properties["Priority"].as_i64().unwrap())
        .collect();
    let count = priorities.len();
    assert!(count >= 2, "{priorities:?}");
    priorities.sort_unstable();
    priorities.dedup();
    assert_eq!(priorities.len(), count);
}
