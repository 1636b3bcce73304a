"""Puts what `operate.rs` looks at into a stand-in for AWS: logs, a cluster, a service."""

import json
import sys
import time

import boto3
from moto.ec2.utils import generate_instance_identity_document

REGION = "us-east-1"
GROUP = sys.argv[2]
CLUSTER = "shop-production-app"
TASK = "0123456789abcdef0123456789abcdef"
STREAM = f"service/php-fpm/{TASK}"
# More than a page of FilterLogEvents, which has 10,000 at most.
LINES = 10_050

logs = boto3.client("logs", region_name=REGION)
ecs = boto3.client("ecs", region_name=REGION)


def put(stream, lines):
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line + "\n"} for line in lines]
    for at in range(0, len(events), 5_000):
        logs.put_log_events(
            logGroupName=GROUP, logStreamName=stream, logEvents=events[at : at + 5_000]
        )


def make_logs():
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    put(STREAM, [f"line {number}" for number in range(LINES)])
    stream = "service/nginx/fedcba9876543210fedcba9876543210"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    put(stream, ["of another task"])


def definition(family):
    options = {
        "awslogs-group": GROUP,
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "run",
    }
    container = {
        "name": "php-fpm",
        "image": "php",
        "memory": 64,
        "environment": [{"name": "REVISION", "value": "r1"}],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    ecs.register_task_definition(family=family, containerDefinitions=[container])


def make_service():
    ecs.create_cluster(clusterName=CLUSTER)
    ec2 = boto3.resource("ec2", region_name=REGION)
    image = boto3.client("ec2", region_name=REGION).describe_images()["Images"][0]
    instance = ec2.create_instances(ImageId=image["ImageId"], MinCount=1, MaxCount=1)[0]
    document = json.dumps(generate_instance_identity_document(instance))
    ecs.register_container_instance(cluster=CLUSTER, instanceIdentityDocument=document)
    definition("shop-production-shop")
    definition("shop-production-shop_run")
    definition("shop-production-shop_hook_cache-flush")
    ecs.create_service(
        cluster=CLUSTER,
        serviceName="shop",
        taskDefinition="shop-production-shop",
        desiredCount=2,
        launchType="EC2",
    )
    ssm = boto3.client("ssm", region_name=REGION)
    ssm.put_parameter(Name="/shop/production/shop/release", Value="r1", Type="String")


def end_command(family):
    """Waits for a command's task, writes a line of its output and ends it."""
    while True:
        tasks = ecs.list_tasks(cluster=CLUSTER, family=f"shop-production-shop_{family}")["taskArns"]
        if tasks:
            break
        time.sleep(0.1)
    override = ecs.describe_tasks(cluster=CLUSTER, tasks=tasks)["tasks"][0]["overrides"]
    stream = f"run/php-fpm/{tasks[0].split('/')[-1]}"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    put(stream, [json.dumps(override)])
    ecs.stop_task(cluster=CLUSTER, task=tasks[0], reason="the test ends it")


match sys.argv[1]:
    case "logs":
        make_logs()
    case "line":
        put(STREAM, [sys.argv[3]])
    case "service":
        logs.create_log_group(logGroupName=GROUP)
        make_service()
    case "end-command":
        end_command(sys.argv[3])
