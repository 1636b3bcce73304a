use mck_cloudformation::Json;
use serde_json::json;

use crate::{
    Stack, StackId,
    testing::{SMALLEST, blueprint, stack, stacks},
};

fn of_kind<'a>(stack: &'a Stack, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Json)> {
    let resources = stack.template.resources().iter();
    resources
        .filter(move |(_, resource)| resource.kind == kind)
        .map(|(id, resource)| (id.as_str(), &resource.properties))
}

#[test]
fn every_alarm_is_in_exactly_one_stack() {
    let store = format!(
        "{SMALLEST}\n[app.blog]\npreset = \"wordpress\"\nrouting.hosts = [\"blog.example.com\"]\n"
    );
    let store = store.replace("[environment.production]\n", "") + "\n[environment.production]\n";
    let stacks = stacks(&store).stacks;
    let mut written: Vec<String> = stacks
        .iter()
        .filter(|stack| stack.id == StackId::Observability)
        .flat_map(|stack| of_kind(stack, "AWS::CloudWatch::Alarm"))
        .map(|(_, alarm)| alarm["AlarmName"].as_str().unwrap().to_owned())
        .collect();
    written.sort();
    let mut infrastructure: Vec<String> = blueprint(&store)
        .alarms
        .iter()
        .map(|alarm| alarm.name.clone())
        .filter(|name| !name.contains("-app-") && !name.contains("-cluster-"))
        .collect();
    infrastructure.sort();
    assert_eq!(written, infrastructure);
}

#[test]
fn people_hear_of_alarms() {
    let text = SMALLEST.replace(
        "[environment.production]",
        "[alarms]\nemails = [\"ops@example.com\", \"night@example.com\"]\n[environment.production]",
    );
    let stack = stack(&text, &StackId::Observability);
    let receivers = |stack: &Stack| -> Vec<(String, Json)> {
        let subscriptions = of_kind(stack, "AWS::SNS::Subscription");
        subscriptions
            .map(|(id, it)| (id.to_owned(), it["Endpoint"].clone()))
            .collect()
    };
    let both = receivers(&stack);
    let addresses: Vec<&Json> = both.iter().map(|(_, address)| address).collect();
    assert_eq!(addresses, ["night@example.com", "ops@example.com"]);
    let without = text.replace(", \"night@example.com\"", "");
    let one = receivers(&crate::testing::stack(&without, &StackId::Observability));
    assert_eq!(one, both[1..], "who stays need not confirm again");
    let handed = stack.template.outputs().iter();
    let handed: Vec<&str> = handed.map(|it| it.name.as_str()).collect();
    assert_eq!(handed, ["AlarmTopicArn"]);
}

/// CloudWatch, RDS and EventBridge must be able to use the topic's key, or nobody hears anything.
#[test]
fn who_publishes_may_use_the_key() {
    let stack = stack(SMALLEST, &StackId::Observability);
    let services = |statements: &Json| -> Vec<String> {
        let statements = statements.as_array().unwrap().iter();
        let allowed = statements.filter(|it| it["Effect"] == "Allow");
        let services = allowed.filter_map(|it| it["Principal"].get("Service"));
        let mut names: Vec<String> = services
            .flat_map(|it| match it {
                Json::Array(names) => names.clone(),
                one => vec![one.clone()],
            })
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let (_, key) = of_kind(&stack, "AWS::KMS::Key").next().unwrap();
    let (_, policy) = of_kind(&stack, "AWS::SNS::TopicPolicy").next().unwrap();
    let publishing = services(&policy["PolicyDocument"]["Statement"]);
    assert_eq!(services(&key["KeyPolicy"]["Statement"]), publishing);
    assert_eq!(
        publishing,
        [
            "cloudwatch.amazonaws.com",
            "events.amazonaws.com",
            "events.rds.amazonaws.com"
        ]
    );
}

#[test]
fn without_alarms_there_is_only_the_dashboard() {
    let text = SMALLEST.replace(
        "[environment.production]",
        "[alarms]\nenabled = false\n[environment.production]",
    );
    let stack = stack(&text, &StackId::Observability);
    let kinds: Vec<&str> = stack
        .template
        .resources()
        .iter()
        .map(|(_, it)| it.kind)
        .collect();
    assert_eq!(kinds, ["AWS::CloudWatch::Dashboard"]);
    assert_eq!(stack.template.outputs(), []);
}

#[test]
fn failed_deployments_are_those_of_the_environments_clusters() {
    let stack = stack(SMALLEST, &StackId::Observability);
    let mut rules = of_kind(&stack, "AWS::Events::Rule");
    let (_, rule) = rules.find(|(id, _)| *id == "FailedDeployments1").unwrap();
    let prefix = &rule["EventPattern"]["resources"][0]["prefix"]["Fn::Join"][1];
    let last = prefix.as_array().unwrap().last();
    assert_eq!(last, Some(&json!(":service/shop-production-app/")));
    let target = &rule["Targets"][0];
    assert_eq!(
        target["RoleArn"],
        Json::Null,
        "EventBridge publishes by the topic's policy"
    );
    assert_eq!(target["Arn"], json!({ "Ref": "AlarmTopic" }));
}

#[test]
fn failed_backups_are_those_of_the_environments_data() {
    let stack = stack(SMALLEST, &StackId::Observability);
    let mut rules = of_kind(&stack, "AWS::Events::Rule");
    let (_, rule) = rules.find(|(id, _)| *id == "FailedBackups").unwrap();
    let resources = rule["EventPattern"]["detail"]["resourceArn"]
        .as_array()
        .unwrap();
    let resources = resources.iter().map(ToString::to_string);
    let resources: Vec<String> = resources.collect();
    assert_eq!(resources.len(), 1);
    assert!(resources[0].contains("file-system/"), "{resources:?}");
    assert!(resources[0].contains("DataFileSystemId"), "{resources:?}");
}
