"""create_stacks.py FOLDER: creates the stacks of FOLDER/stacks.json in stand-ins for AWS.

It must run in a network namespace of its own, since one of the stand-ins listens on all addresses.
Each stand-in gets every stack, in order, through the same APIs as AWS: templates from a bucket,
parameters from the outputs of the stacks before, a release in Parameter Store between. The second is
asked only for what the first did not make, with what that and the outputs refer to. A stand-in
that does not know a type gets the template without resources of that type: ministack rejects it by
name, moto would ignore it. The same goes for CANNOT, which a stand-in rejects by the property's
name. FOLDER/report.json says what came of it.
"""

import copy
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto.cloudformation.parsing import get_model_map

HERE = Path(sys.executable).parent
SECONDS_TO_START = 30
SECONDS_TO_CREATE = 120
BUCKET = "templates"
UNRECOGNIZED = re.compile(r"Unrecognized resource types: \[([^\]]*)\]")

# What a stand-in refuses to make of a type that it knows, by the resource's properties.
CANNOT = {
    "ministack": {"AWS::CloudWatch::Alarm": lambda it: "Metrics" in it},
    "moto": {
        "AWS::EC2::Instance": lambda it: "ImageId" not in it,
        "AWS::EC2::SecurityGroupIngress": lambda it: "SourcePrefixListId" in it,
        # It fails where anything asks for an attribute of one.
        "AWS::EFS::AccessPoint": lambda it: True,
    },
}

# Attributes that ministack does not know; moto says itself which it knows.
UNKNOWN_ATTRIBUTES = {("AWS::RDS::DBCluster", "MasterUserSecret.SecretArn")}

STAND_INS = {
    "ministack": (4566, [HERE / "ministack"]),
    "moto": (5000, [HERE / "moto_server", "-H", "127.0.0.1", "-p", "5000"]),
}


class StandIn:
    """A stand-in that runs until the `with` ends."""

    def __init__(self, name, folder):
        self.name = name
        self.port, self.command = STAND_INS[name]
        self.log = folder / f"{name}.log"
        self.images = {}
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_ACCOUNT_ID": "123456789012",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "MOTO_ECS_SERVICE_RUNNING": "3",
        }

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{self.name} did not start:\n{self.log.read_text()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def fitting(self, template):
        """The template without what it is known not to make."""
        cannot = CANNOT[self.name]
        refused = {
            name
            for name, it in template["Resources"].items()
            if it["Type"] in cannot and cannot[it["Type"]](it.get("Properties", {}))
        }
        if self.name == "moto":
            models = get_model_map()
            refused |= {name for name, it in template["Resources"].items() if it["Type"] not in models}
            knows = lambda kind, attribute: kind not in models or models[kind].has_cfn_attr(attribute)
        else:
            knows = lambda kind, attribute: (kind, attribute) not in UNKNOWN_ATTRIBUTES
        return without(without_unknown_outputs(template, knows), refused)

    def answers(self):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=2)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def client(self, service, region):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )


def referred(value):
    """The resource or parameter that an expression refers to; none if it is no reference."""
    if not isinstance(value, dict):
        return None
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, str):
        return attribute.split(".")[0]
    return attribute[0] if attribute else value.get("Ref")


def mentions(value, removed):
    """The value without references to what is removed: gone from lists, else words."""
    if isinstance(value, list):
        return [mentions(item, removed) for item in value if referred(item) not in removed]
    if not isinstance(value, dict):
        return value
    # A part of something that is not there is not there either.
    for whole in ("Ref", "Fn::GetAtt", "Fn::Select"):
        if whole in value and (gone := references(value) & removed):
            return f"removed-{min(gone)}"
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        if isinstance(parts, list):
            parts = [f"removed-{referred(it)}" if referred(it) in removed else mentions(it, removed) for it in parts]
        return {"Fn::Join": [separator, parts]}
    value = {key: mentions(item, removed) for key, item in value.items()}
    if isinstance(value.get("Fn::Sub"), str):
        for name in removed:
            value["Fn::Sub"] = re.sub(r"\$\{" + name + r"(\.[^}]*)?\}", f"removed-{name}", value["Fn::Sub"])
    return value


def depends(resource):
    """What a resource says to depend on."""
    names = resource.get("DependsOn", [])
    return {names} if isinstance(names, str) else set(names)


def without(template, removed):
    """The template without these resources."""
    template = copy.deepcopy(template)
    kept = {name: it for name, it in template["Resources"].items() if name not in removed}
    if of_types(template, ["AWS::EC2::VPCCidrBlock"]) & removed:
        # A VPC has a range of IPv6 only by that.
        for subnet in of_types(template, ["AWS::EC2::Subnet"]):
            for key in ("Ipv6CidrBlock", "AssignIpv6AddressOnCreation"):
                kept[subnet]["Properties"].pop(key, None)
    for resource in kept.values():
        if resource["Type"] == "AWS::EC2::EIP" and referred(resource["Properties"].get("InstanceId")) in removed:
            del resource["Properties"]["InstanceId"]
        left = depends(resource) - removed
        resource.pop("DependsOn", None)
        if left:
            resource["DependsOn"] = sorted(left)
    template["Resources"] = kept
    return mentions(template, removed)


def references(value):
    """All names that a value refers to."""
    if isinstance(value, list):
        return {name for item in value for name in references(item)}
    if not isinstance(value, dict):
        return set()
    found = {name for item in value.values() for name in references(item)}
    if isinstance(value.get("Fn::Sub"), str):
        found |= set(re.findall(r"\$\{([A-Za-z0-9]+)", value["Fn::Sub"]))
    return found | ({referred(value)} - {None})


def only(template, wanted):
    """The template with these resources, and what they and the outputs refer to."""
    resources = template["Resources"]
    kept, next_ones = set(), set(wanted) | references(template.get("Outputs", {}))
    while next_ones:
        kept |= next_ones
        found = [resources[name] for name in next_ones if name in resources]
        next_ones = {name for it in found for name in references(it.get("Properties", {})) | depends(it)} - kept
    return without(template, set(resources) - kept)


def of_types(template, types):
    """The resources of these types."""
    return {name for name, it in template["Resources"].items() if it["Type"] in types}


def without_unknown_outputs(template, knows):
    """The template without outputs that ask for attributes that the stand-in does not know."""
    def known(output):
        resource = template["Resources"].get(referred(output["Value"]))
        attribute = output["Value"].get("Fn::GetAtt") if resource else None
        return attribute is None or knows(resource["Type"], attribute[1])

    outputs = {name: it for name, it in template.get("Outputs", {}).items() if known(it)}
    return {**template, "Outputs": outputs}


def create(stand_in, stack, template, parameters):
    """Asks for a stack; the answer is what it said against it, or none."""
    region = stack["region"]
    key = f"{stack['name']}.json"
    body = json.dumps(template).encode()
    stand_in.client("s3", "us-east-1").put_object(Bucket=BUCKET, Key=key, Body=body)
    try:
        stand_in.client("cloudformation", region).create_stack(
            StackName=stack["name"],
            TemplateURL=f"https://s3.amazonaws.com/{BUCKET}/{key}",
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            Capabilities=stack["capabilities"],
            Tags=[{"Key": k, "Value": v} for k, v in stack["tags"].items()],
            EnableTerminationProtection=stack["termination-protection"],
            OnFailure="DO_NOTHING",
        )
    except (ClientError, ResponseParserError) as wrong:
        return str(wrong)
    return None


def settled(cloudformation, name):
    """The stack when nothing is in progress any more."""
    deadline = time.monotonic() + SECONDS_TO_CREATE
    while True:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            sys.exit(f"{name} is still {stack['StackStatus']} after {SECONDS_TO_CREATE} s")
        time.sleep(0.05)


def ingress_rules(stand_in, stack, template, parameters, resources):
    """The ids of ingress rules, which moto makes but does not tell: as EC2 has them."""
    def resolved(value):
        if not isinstance(value, dict):
            return value
        return parameters.get(referred(value)) or resources.get(referred(value))

    found = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::EC2::SecurityGroupIngress" or resources.get(name):
            continue
        wanted = resource["Properties"]
        rules = stand_in.client("ec2", stack["region"]).describe_security_group_rules(
            Filters=[{"Name": "group-id", "Values": [resolved(wanted["GroupId"])]}],
        )["SecurityGroupRules"]
        for rule in rules:
            source = rule.get("ReferencedGroupInfo", {}).get("GroupId") or rule.get("CidrIpv4") or rule.get("CidrIpv6")
            asked = resolved(wanted.get("SourceSecurityGroupId") or wanted.get("CidrIp") or wanted.get("CidrIpv6"))
            if not rule["IsEgress"] and rule.get("FromPort") == wanted.get("FromPort") and source == asked:
                found[name] = rule["SecurityGroupRuleId"]
    return found


def make(stand_in, stack, outputs, made):
    """Creates a stack, and tells what came of it."""
    template = copy.deepcopy(stack["template"])
    parameters = {
        name: outputs.get(source["stack"], {}).get(source["output"], f"missing-{source['output']}")
        for name, source in stack["parameters"].items()
    }
    for name in stack["published"]:
        if name in stand_in.images:
            parameters[name] = stand_in.images[name]
            # moto looks a default up even where a value is given.
            del template["Parameters"][name]["Default"]
    wanted = set(stand_in.fitting(template)["Resources"]) - made
    if not wanted:
        return {"status": "CREATE_COMPLETE", "reason": "", "rejected": [], "resources": {}, "failures": {}}
    template = stand_in.fitting(only(template, wanted))
    rejected = []
    said = create(stand_in, stack, template, parameters)
    if said and (found := UNRECOGNIZED.search(said)):
        rejected = found.group(1).split(", ")
        template = without(template, of_types(template, rejected))
        said = create(stand_in, stack, template, parameters)
    if said:
        return {"status": "REFUSED", "reason": said, "rejected": rejected, "resources": {}, "failures": {}}
    cloudformation = stand_in.client("cloudformation", stack["region"])
    made = settled(cloudformation, stack["name"])
    outputs[stack["name"]] = {it["OutputKey"]: it["OutputValue"] for it in made.get("Outputs", [])}
    listed = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["name"])
    resources = {
        it["LogicalResourceId"]: it.get("PhysicalResourceId", "")
        for page in listed
        for it in page["StackResourceSummaries"]
        if it["ResourceStatus"] == "CREATE_COMPLETE"
    }
    resources.update(ingress_rules(stand_in, stack, template, parameters, resources))
    events = cloudformation.describe_stack_events(StackName=stack["name"])["StackEvents"]
    failures = {
        it["LogicalResourceId"]: it.get("ResourceStatusReason", "")
        for it in events
        if it["ResourceStatus"].endswith("FAILED")
    }
    return {
        "status": made["StackStatus"],
        "reason": made.get("StackStatusReason", ""),
        "rejected": rejected,
        "resources": resources,
        "failures": failures,
    }


def prepare(stand_in, stacks):
    """What is there in every account: a bucket for templates, and images that their owners publish.

    A stand-in that does not know an image's public parameter gets another one: nobody but its owner
    may write to `/aws/service`.
    """
    stand_in.client("s3", "us-east-1").create_bucket(Bucket=BUCKET)
    for stack in stacks:
        ssm = stand_in.client("ssm", stack["region"])
        for parameter, name in stack["published"].items():
            try:
                ssm.get_parameter(Name=name)
            except ClientError:
                own = name.replace("/aws/service", "/published")
                ssm.put_parameter(Name=own, Value="ami-0123456789abcdef0", Type="String", Overwrite=True)
                stand_in.images[parameter] = own


def deploy(stand_in, stack):
    """Writes a release into the parameters of a releases stack, as a deployment does."""
    ssm = stand_in.client("ssm", stack["region"])
    for resource in stack["template"]["Resources"].values():
        if resource["Type"] == "AWS::SSM::Parameter" and resource["Properties"]["Name"].endswith("/release"):
            name = resource["Properties"]["Name"]
            ssm.put_parameter(Name=name, Value="r1", Type="String", Overwrite=True)


def main():
    folder = Path(sys.argv[1]).resolve()
    stacks = json.loads((folder / "stacks.json").read_text())
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    report = {}
    made = {stack["name"]: set() for stack in stacks}
    for name in STAND_INS:
        with StandIn(name, folder) as stand_in:
            prepare(stand_in, stacks)
            outputs, results = {}, {}
            for stack in stacks:
                results[stack["name"]] = make(stand_in, stack, outputs, made[stack["name"]])
                made[stack["name"]] |= {id for id, physical in results[stack["name"]]["resources"].items() if physical}
                deploy(stand_in, stack)
            report[name] = results
    (folder / "report.json").write_text(json.dumps(report, indent=2))


main()
