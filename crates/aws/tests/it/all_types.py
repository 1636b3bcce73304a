"""ministack that also takes the types of resources that it does not know: nothing is made of them, but
they have an id, and CloudFormation keeps account of them as of all others.
"""

import json
import os
import sys
import uuid

from ministack.app import main
from ministack.services import ecs, secretsmanager, ssm
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

# What templates ask of such a resource beside its id.
ATTRIBUTES = ("Id", "Arn", "AllocationId", "PublicIp", "DHCPOptionsId")
UNKNOWN = [
    "AWS::AmazonMQ::Broker",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::AutoScaling::WarmPool",
    "AWS::Backup::BackupSelection",
    "AWS::EC2::DHCPOptions",
    "AWS::EC2::EIP",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::FlowLog",
    "AWS::EC2::Instance",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::VPCCidrBlock",
    "AWS::EC2::VPCDHCPOptionsAssociation",
    "AWS::ECS::CapacityProvider",
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::IAM::Group",
    "AWS::IAM::OIDCProvider",
    "AWS::RDS::EventSubscription",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACLAssociation",
]


ENDPOINTS = {"AmqpEndpoints": ["amqps://b-0123.mq.us-east-1.amazonaws.com:5671"]}


def create(logical_id, _properties, stack):
    identity = f"{stack}-{logical_id}-{uuid.uuid4().hex[:8]}"
    return identity, {**dict.fromkeys(ATTRIBUTES, identity), **ENDPOINTS}


def update(physical_id, _old, _new, *_rest):
    return physical_id, {**dict.fromkeys(ATTRIBUTES, physical_id), **ENDPOINTS}


def delete(_physical_id, _properties, *_rest):
    return None


for kind in UNKNOWN:
    known = {"create": create, "update": update, "delete": delete}
    _RESOURCE_HANDLERS.setdefault(kind, known)
# A user is in a group, which ministack does not know.
_RESOURCE_HANDLERS["AWS::IAM::User"] = known


def with_attributes(kind, more):
    """What AWS tells of a resource that ministack makes, and ministack does not."""
    handler = _RESOURCE_HANDLERS[kind]

    def told(change):
        def changed(*arguments):
            identity, attributes = change(*arguments)
            return identity, {**attributes, **more}

        return changed

    for change in ("create", "update"):
        if change in handler:
            handler[change] = told(handler[change])


with_attributes("AWS::EC2::VPC", {"Ipv6CidrBlocks": ["2001:db8:1234:5600::/56"]})
master = "arn:aws:secretsmanager:us-east-1:000000000000:secret:rds!cluster-0123"
with_attributes("AWS::RDS::DBCluster", {"MasterUserSecret.SecretArn": master})

# CloudFormation gives a secret no value that it is not told; ministack gives it an empty one.
secret = _RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
with_value = secret["create"]


def without_value(logical_id, properties, stack):
    name, attributes = with_value(logical_id, properties, stack)
    if "SecretString" not in properties and "GenerateSecretString" not in properties:
        secretsmanager._secrets[name]["Versions"] = {}
    return name, attributes


secret["create"] = without_value

# An alarm of several metrics is one that ministack does not know.
alarm = _RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
of_one_metric = alarm["create"]
alarm["create"] = lambda logical_id, properties, stack: (
    create if "Metrics" in properties else of_one_metric
)(logical_id, properties, stack)

stored = ssm.resolve_parameter_value


def resolve(name, *rest):
    """The images of servers are in parameters of AWS's own."""
    return "ami-0123456789abcdef0" if name.startswith("/aws/service/") else stored(name, *rest)


ssm.resolve_parameter_value = resolve

# A rollout goes on for as long as a file of this name is in the folder of the stand-in.
ROLLING_OUT = "rolling-out"
handle = ecs.handle_request


async def described(*arguments, **more):
    status, headers, body = await handle(*arguments, **more)
    if b"rolloutState" in body and os.path.exists(ROLLING_OUT):
        answer = json.loads(body)
        for service in answer.get("services", []):
            for deployment in service["deployments"]:
                deployment["rolloutState"] = "IN_PROGRESS"
        body = json.dumps(answer).encode()
    return status, headers, body


ecs.handle_request = described
sys.exit(main())
