use mck_cloudformation::Json;
use mck_environment::units::Duration;
use serde_json::json;

use super::*;
use crate::{
    Source,
    testing::{SMALLEST, blueprint, stacks},
};

/// A store with what the smallest lacks.
fn store() -> mck_blueprint::Blueprint {
    blueprint(&format!(
        "{SMALLEST}\n[jenkins]\nenabled = true\nallow-from = [\"192.0.2.0/24\"]\n"
    ))
}

fn alarm(namespace: &str, metric: &str, statistic: &str, subject: &str) -> Alarm {
    Alarm {
        name: format!("shop-production-{subject}-{}", metric.to_lowercase()),
        description: "Something is wrong".to_owned(),
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        subject: subject.to_owned(),
        statistic: statistic.to_owned(),
        comparison: "GreaterThanThreshold".to_owned(),
        threshold: 1.0,
        period: Duration::from_secs(60),
        evaluation_periods: 5,
    }
}

/// The properties of one alarm, in the stack where it belongs.
fn written(alarm: &Alarm) -> (String, Json) {
    let mut blueprint = store();
    blueprint.alarms = vec![alarm.clone()];
    let source = Source::new("magecloudkit.toml", b"");
    let scene = Scene::new(&blueprint, &source);
    let watched = watched::of(&blueprint, &watched::apps(&blueprint), alarm);
    let mut stack = scene.stack(watched.stack, "Test");
    let (target_group, group) = (LogicalId::from("TargetGroup"), LogicalId::from("Servers"));
    let own = Own {
        target_group: Some(&target_group),
        auto_scaling_group: Some(&group),
    };
    add(&mut stack, &scene, own);
    let [(_, resource)] = stack.template.resources() else {
        panic!("one alarm is one resource");
    };
    (stack.id.name(), resource.properties.clone())
}

#[test]
fn each_subject_has_its_stack_and_dimensions() {
    let reference = |name: &str| json!({ "Ref": name });
    let load_balancer = ("LoadBalancer", reference("EdgeLoadBalancerFullName"));
    let database = ("DBClusterIdentifier", reference("DataDatabaseClusterId"));
    let target_group = (
        "TargetGroup",
        json!({ "Fn::GetAtt": ["TargetGroup", "TargetGroupFullName"] }),
    );
    let cluster = ("ClusterName", json!("shop-production-app"));
    type Row<'a> = ([&'a str; 4], &'a str, Vec<(&'a str, Json)>);
    let table: [Row<'_>; 15] = [
        (
            [
                "AWS/ApplicationELB",
                "HTTPCode_ELB_5XX_Count",
                "Sum",
                "shop-production",
            ],
            "observability",
            vec![load_balancer.clone()],
        ),
        (
            [
                "AWS/ApplicationELB",
                "HTTPCode_Target_5XX_Count",
                "Sum",
                "shop",
            ],
            "app-shop",
            vec![target_group.clone(), load_balancer.clone()],
        ),
        (
            [
                "AWS/ApplicationELB",
                "UnHealthyHostCount",
                "Maximum",
                "shop",
            ],
            "app-shop",
            vec![target_group, load_balancer],
        ),
        (
            ["AWS/ECS", "MemoryReservation", "Average", "app"],
            "cluster-app",
            vec![cluster.clone()],
        ),
        (
            ["AWS/ECS", "CPUUtilization", "Average", "shop"],
            "app-shop",
            vec![cluster.clone(), ("ServiceName", json!("shop"))],
        ),
        (
            [
                "ECS/ContainerInsights",
                "RunningTaskCount",
                "Minimum",
                "shop",
            ],
            "app-shop",
            vec![cluster, ("ServiceName", json!("shop"))],
        ),
        (
            ["AWS/RDS", "CPUUtilization", "Average", "database"],
            "observability",
            vec![database.clone(), ("Role", json!("WRITER"))],
        ),
        (
            ["AWS/RDS", "AuroraReplicaLagMaximum", "Maximum", "database"],
            "observability",
            vec![database],
        ),
        (
            ["AWS/ElastiCache", "Evictions", "Sum", "memcached"],
            "observability",
            vec![("CacheClusterId", reference("DataMemcachedId"))],
        ),
        (
            ["AWS/EFS", "BurstCreditBalance", "Minimum", "media"],
            "observability",
            vec![("FileSystemId", reference("DataFileSystemId"))],
        ),
        (
            ["AWS/ES", "FreeStorageSpace", "Minimum", "shop-production"],
            "observability",
            vec![
                ("DomainName", json!("shop-production")),
                ("ClientId", reference("AWS::AccountId")),
            ],
        ),
        (
            [
                "AWS/AmazonMQ",
                "SystemCpuUtilization",
                "Average",
                "shop-production",
            ],
            "observability",
            vec![("Broker", json!("shop-production"))],
        ),
        (
            ["AWS/EC2", "CPUCreditBalance", "Minimum", "bastion"],
            "observability",
            vec![("InstanceId", reference("NetworkBastionInstanceId"))],
        ),
        (
            ["AWS/EC2", "StatusCheckFailed", "Maximum", "app"],
            "cluster-app",
            vec![("AutoScalingGroupName", reference("Servers"))],
        ),
        (
            ["AWS/EC2", "StatusCheckFailed", "Maximum", "jenkins"],
            "jenkins",
            vec![("AutoScalingGroupName", reference("Servers"))],
        ),
    ];
    for ([namespace, metric, statistic, subject], stack, dimensions) in table {
        let (found, properties) = written(&alarm(namespace, metric, statistic, subject));
        assert_eq!(found, stack, "{namespace} {metric}");
        let dimensions: Vec<Json> = dimensions
            .into_iter()
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect();
        assert_eq!(
            properties["Dimensions"],
            json!(dimensions),
            "{namespace} {metric}"
        );
        assert_eq!(properties["Namespace"], json!(namespace));
        assert_eq!(properties["MetricName"], json!(metric));
        assert_eq!(properties["Period"], json!(60));
        assert_eq!(properties["DatapointsToAlarm"], json!(5));
    }
}

#[test]
fn the_worst_node_of_a_redis_counts() {
    let (stack, properties) = written(&alarm(
        "AWS/ElastiCache",
        "EngineCPUUtilization",
        "Average",
        "redis-session",
    ));
    assert_eq!(stack, "observability");
    assert_eq!(properties["Namespace"], Json::Null);
    assert_eq!(properties["Period"], Json::Null);
    assert_eq!(
        properties["Metrics"][0]["Expression"],
        json!("MAX([server1, server2])")
    );
    assert_eq!(properties["Metrics"].as_array().unwrap().len(), 3);
    assert_eq!(
        properties["Metrics"][2],
        json!({
            "Id": "server2",
            "MetricStat": {
                "Metric": {
                    "Dimensions": [{
                        "Name": "CacheClusterId",
                        "Value": { "Fn::Join": ["", [{ "Ref": "DataRedisSessionId" }, "-002"]] },
                    }],
                    "MetricName": "EngineCPUUtilization",
                    "Namespace": "AWS/ElastiCache",
                },
                "Period": 60,
                "Stat": "Average",
            },
            "ReturnData": false,
        })
    );
    let mut low = alarm(
        "AWS/ElastiCache",
        "FreeableMemory",
        "Minimum",
        "redis-cache",
    );
    low.comparison = "LessThanThreshold".to_owned();
    assert_eq!(
        written(&low).1["Metrics"][0]["Expression"],
        json!("MIN([server1, server2])")
    );
}

#[test]
fn silence_means_what_the_metric_says() {
    for (namespace, metric, statistic, treatment) in [
        (
            "AWS/ApplicationELB",
            "HTTPCode_Target_5XX_Count",
            "Sum",
            "notBreaching",
        ),
        (
            "AWS/ApplicationELB",
            "TargetResponseTime",
            "p99",
            "notBreaching",
        ),
        (
            "AWS/ApplicationELB",
            "UnHealthyHostCount",
            "Maximum",
            "notBreaching",
        ),
        ("AWS/ElastiCache", "Evictions", "Sum", "notBreaching"),
        (
            "AWS/ElastiCache",
            "EngineCPUUtilization",
            "Average",
            "breaching",
        ),
        ("AWS/RDS", "CPUUtilization", "Average", "breaching"),
        ("AWS/ES", "CPUUtilization", "Maximum", "breaching"),
        ("AWS/ES", "ClusterStatus.red", "Maximum", "missing"),
        ("AWS/EC2", "CPUCreditBalance", "Minimum", "notBreaching"),
        ("AWS/RDS", "FreeLocalStorage", "Minimum", "missing"),
        ("AWS/EFS", "BurstCreditBalance", "Minimum", "notBreaching"),
        ("AWS/ECS", "CPUReservation", "Average", "missing"),
    ] {
        let alarm = alarm(namespace, metric, statistic, "it");
        assert_eq!(missing::treatment(&alarm), treatment, "{metric}");
    }
}

#[test]
fn percentiles_are_extended_statistics() {
    let (_, properties) = written(&alarm(
        "AWS/ApplicationELB",
        "TargetResponseTime",
        "p99",
        "shop",
    ));
    assert_eq!(properties["ExtendedStatistic"], json!("p99"));
    assert_eq!(
        properties["EvaluateLowSampleCountPercentile"],
        json!("ignore")
    );
    assert_eq!(properties["Statistic"], Json::Null);
    assert_eq!(
        properties["AlarmActions"],
        json!([{ "Ref": "ObservabilityAlarmTopicArn" }])
    );
    assert_eq!(properties["OKActions"], properties["AlarmActions"]);
}

/// An alarm in no stack would never be made, and one without dimensions would watch nothing.
#[test]
fn every_alarm_belongs_into_a_stack_that_there_is() {
    let text = SMALLEST.replace(
        "[environment.production]",
        r#"
[app.worker]
image = "example/worker:3"
routing.internal = true
[app.worker.container.worker]
[cluster.app]
instance-type = "t3.large"
[cache]
memcached = {}
[database]
instance-class = "db.t4g.medium"
[message-broker]
enabled = true
[jenkins]
enabled = true
allow-from = ["192.0.2.0/24"]
[environment.production]
"#,
    );
    let blueprint = blueprint(&text);
    let there: Vec<StackId> = stacks(&text).stacks.into_iter().map(|it| it.id).collect();
    let alarms = Alarms::of(&blueprint);
    let placed: usize = alarms.0.values().map(Vec::len).sum();
    assert_eq!(placed, blueprint.alarms.len());
    for stack in alarms.0.keys() {
        assert!(there.contains(stack), "{stack:?}");
    }
    for (alarm, watched) in alarms.0.values().flatten() {
        let known = watched
            .series
            .iter()
            .all(|dimensions| !dimensions.is_empty());
        assert!(known && !watched.series.is_empty(), "{}", alarm.name);
    }
    let kinds = [
        StackId::Observability,
        StackId::Jenkins,
        StackId::Cluster("app".to_owned()),
        StackId::App("shop".to_owned()),
        StackId::App("worker".to_owned()),
    ];
    assert!(kinds.iter().all(|stack| alarms.0.contains_key(stack)));
}
