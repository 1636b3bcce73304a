use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::{
    ParameterSource, Stack, StackId,
    testing::{SMALLEST, stack, stacks},
};

/// An app with everything: a store with jobs and hooks, many hosts, all metrics, a sidecar.
const FULL: &str = r#"
project = "shop"

[app.shop]
preset = "magento2"
source = "shop"
tasks = { minimum = 4, maximum = 12, desired = 6 }
scaling = { requests-per-task = 600, memory-percent = 80 }
stickiness.enabled = true
secrets = { PAYMENT_KEY = "payment-key" }

[app.shop.routing]
hosts = ["a.example.com", "b.example.com"]
paths = ["/one/*/x/*", "/two/*/x/*", "/three/*"]

[app.shop.container.php-fpm]
memory = "2GiB"

[app.shop.job.report]
schedule = "cron(0 3 * * ? *)"
command = ["php", "report.php"]
overlap = true

[app.worker]
image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/worker:3"
routing.internal = true
database = "shop"

[app.worker.container.worker]
mounts = [{ kind = "media", path = "/media" }, { kind = "temporary", path = "/scratch" }]

[app.worker.job.tidy]
schedule = "rate(1 day)"
command = ["tidy"]
timeout = "10m"

[integration.blackfire]

[secret.payment-key]

[environment.production]
"#;

fn app(text: &str, name: &str) -> Stack {
    stack(text, &StackId::App(name.to_owned()))
}

fn properties<'a>(template: &'a Json, id: &str) -> &'a Json {
    let resource = &template["Resources"][id];
    assert!(!resource.is_null(), "there is no {id}");
    &resource["Properties"]
}

fn container<'a>(definition: &'a Json, name: &str) -> &'a Json {
    let all = definition["ContainerDefinitions"].as_array();
    let mut all = all.expect("containers").iter();
    all.find(|container| container["Name"] == name)
        .unwrap_or_else(|| panic!("there is no container {name}"))
}

#[test]
fn the_template_is_as_it_was() {
    insta::assert_snapshot!(app(FULL, "shop").template.text());
}

#[test]
fn before_the_first_deployment_there_is_all_but_what_runs() {
    let template = app(FULL, "shop").template.json();
    let resources = template["Resources"].as_object().expect("resources");
    let conditional: BTreeSet<&str> = resources
        .values()
        .filter(|resource| resource["Condition"] == "Released")
        .map(|resource| resource["Type"].as_str().expect("a type"))
        .collect();
    assert_eq!(
        conditional,
        BTreeSet::from([
            "AWS::ApplicationAutoScaling::ScalableTarget",
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            "AWS::ECS::Service",
            "AWS::Scheduler::Schedule",
        ])
    );
    assert_eq!(
        template["Conditions"]["Released"],
        json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Release" }, "none"] }] })
    );
    assert_eq!(
        template["Parameters"]["Release"]["Type"],
        "AWS::SSM::Parameter::Value<String>"
    );
}

#[test]
fn the_release_s_parameter_is_made_before() {
    let stack = app(SMALLEST, "shop");
    assert!(stack.dependencies().contains(&StackId::Releases(1)));
    let release = &stack.parameters["Release"];
    assert_eq!(*release, ParameterSource::Default);
}

#[test]
fn no_update_undoes_scaling_or_a_deployment() {
    let template = app(FULL, "shop").template.json();
    let service = properties(&template, "Service");
    assert!(service.get("DesiredCount").is_none());
    let target = properties(&template, "Scaling");
    assert_eq!(target["MinCapacity"], 4);
    assert_eq!(target["MaxCapacity"], 12);
    let php = container(properties(&template, "TaskDefinition"), "php-fpm");
    assert!(php["Image"].to_string().contains(r#"{"Ref":"Release"}"#));
}

#[test]
fn each_metric_is_tracked() {
    let template = app(FULL, "shop").template.json();
    let metric = |id: &str| {
        let policy = properties(&template, id);
        let policy = &policy["TargetTrackingScalingPolicyConfiguration"];
        policy["PredefinedMetricSpecification"].clone()
    };
    assert_eq!(
        metric("ScalingByMemory"),
        json!({ "PredefinedMetricType": "ECSServiceAverageMemoryUtilization" })
    );
    assert_eq!(
        metric("ScalingByRequests"),
        json!({
            "PredefinedMetricType": "ALBRequestCountPerTarget",
            "ResourceLabel": { "Fn::Join": ["", [
                { "Ref": "EdgeLoadBalancerFullName" },
                "/",
                { "Fn::GetAtt": ["TargetGroup", "TargetGroupFullName"] },
            ]] },
        })
    );
}

/// Two hosts and three paths are five values, but the paths have five wildcards.
#[test]
fn an_app_with_many_wildcards_has_several_rules() {
    let template = app(FULL, "shop").template.json();
    let rule = |id: &str| {
        let rule = properties(&template, id);
        let paths = &rule["Conditions"][1]["PathPatternConfig"]["Values"];
        (rule["Priority"].as_u64(), paths.clone())
    };
    assert_eq!(rule("ListenerRule1"), (Some(10), json!(["/one/*/x/*"])));
    assert_eq!(
        rule("ListenerRule2"),
        (Some(11), json!(["/two/*/x/*", "/three/*"]))
    );
    let service = &template["Resources"]["Service"];
    assert_eq!(
        service["DependsOn"],
        json!(["ListenerRule1", "ListenerRule2"])
    );
}

#[test]
fn an_app_for_every_request_has_a_rule_of_every_path() {
    let text = SMALLEST.replace("hosts = [\"shop.example.com\"]", "");
    let template = app(&text, "shop").template.json();
    assert_eq!(
        properties(&template, "ListenerRule")["Conditions"],
        json!([{ "Field": "path-pattern", "PathPatternConfig": { "Values": ["*"] } }])
    );
}

#[test]
fn jobs_of_the_kit_s_images_keep_time_and_lock_themselves() {
    let template = app(FULL, "shop").template.json();
    let command = |id: &str| {
        let php = container(properties(&template, id), "php-fpm");
        php["Command"].clone()
    };
    let cron = command("JobCronTaskDefinition");
    let first: Vec<&Json> = cron.as_array().expect("a command").iter().take(9).collect();
    assert_eq!(
        json!(first),
        json!([
            "flock",
            "--nonblock",
            "--conflict-exit-code",
            "0",
            "/mnt/locks/cron",
            "timeout",
            "--kill-after=30",
            "3600",
            "/bin/sh"
        ])
    );
    // This one may overlap.
    assert_eq!(command("JobReportTaskDefinition")[0], "timeout");
}

#[test]
fn jobs_of_other_images_have_a_guard() {
    let template = app(FULL, "worker").template.json();
    let definition = properties(&template, "JobTidyTaskDefinition");
    let guard = container(definition, "guard");
    assert_eq!(guard["Essential"], true);
    assert_eq!(
        guard["Command"],
        json!([
            "flock",
            "-n",
            "/mnt/locks/tidy",
            "sh",
            "-c",
            "touch /tmp/held && exec sleep 600"
        ])
    );
    let job = container(definition, "worker");
    assert_eq!(job["Command"], json!(["tidy"]));
    assert_eq!(
        job["DependsOn"],
        json!([{ "ContainerName": "guard", "Condition": "HEALTHY" }])
    );
    let locks = |container: &Json| container.to_string().contains("/mnt/locks");
    assert!(locks(&guard["MountPoints"]) && !locks(&job["MountPoints"]));
}

#[test]
fn each_job_may_do_what_its_container_needs_and_no_more() {
    let template = app(FULL, "shop").template.json();
    let policies = |id: &str| properties(&template, id)["Policies"].to_string();
    assert!(policies("JobCronTaskRole").contains("\"Locks\""));
    assert!(!policies("JobReportTaskRole").contains("\"Locks\""));
    for role in ["TaskRole", "JobCronTaskRole", "JobReportTaskRole"] {
        assert!(policies(role).contains("elasticfilesystem:ClientWrite"));
        assert!(!policies(role).contains("secretsmanager"));
    }
    let scheduler = policies("SchedulerRole");
    assert!(scheduler.contains("shop-production-shop_job_cron:*"));
    assert!(!scheduler.contains("task-definition/shop-production-shop:"));
}

#[test]
fn the_agent_may_read_the_app_s_secrets_and_no_others() {
    let stacks = stacks(FULL);
    let of = |app: &str| {
        let id = StackId::App(app.to_owned());
        let template = stacks.get(&id).expect("its stack").template.json();
        properties(&template, "ExecutionRole")["Policies"].to_string()
    };
    assert!(of("shop").contains("\"SecretPaymentKey\""));
    assert!(!of("worker").contains("PaymentKey"));
    // Both know the database, so that its password is of the stack `data`.
    assert!(of("shop").contains("DataSecretShopDatabasePassword"));
    assert!(of("worker").contains("DataSecretShopDatabasePassword"));
    // Its image is in the account's registry, but not among the kit's repositories.
    assert!(of("worker").contains(":ecr:us-east-1:123456789012:repository/team/worker"));
}

#[test]
fn a_secret_has_a_value_only_if_the_kit_makes_it() {
    let template = app(FULL, "shop").template.json();
    let payment = &template["Resources"]["SecretPaymentKey"];
    assert_eq!(payment["Properties"]["Name"], "shop/production/payment-key");
    for value in ["SecretString", "GenerateSecretString"] {
        assert!(payment["Properties"].get(value).is_none());
    }
    assert_eq!(payment["DeletionPolicy"], "RetainExceptOnCreate");
    let crypt_key = properties(&template, "SecretShopCryptKey");
    assert_eq!(crypt_key["GenerateSecretString"]["PasswordLength"], 32);
}

#[test]
fn hooks_and_commands_of_people_have_task_definitions_of_one_container() {
    let template = app(FULL, "shop").template.json();
    for (id, family) in [
        (
            "HookInstallTaskDefinition",
            "shop-production-shop_hook_install",
        ),
        (
            "HookUpgradeTaskDefinition",
            "shop-production-shop_hook_upgrade",
        ),
        (
            "HookCacheFlushTaskDefinition",
            "shop-production-shop_hook_cache-flush",
        ),
        ("RunTaskDefinition", "shop-production-shop_run"),
    ] {
        let definition = properties(&template, id);
        assert_eq!(definition["Family"], family);
        let containers = definition["ContainerDefinitions"].as_array();
        assert_eq!(containers.expect("containers").len(), 1, "{id}");
        assert!(
            container(definition, "php-fpm")
                .get("PortMappings")
                .is_none()
        );
    }
}

#[test]
fn an_internal_app_has_no_route() {
    let template = app(FULL, "worker").template.json();
    let service = properties(&template, "Service");
    assert!(service.get("LoadBalancers").is_none());
    assert!(service.get("HealthCheckGracePeriodSeconds").is_none());
    assert!(template["Resources"].get("TargetGroup").is_none());
}
