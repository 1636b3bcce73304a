"""CloudFormation for the stack of one app, and RDS's Data API.

No server that stands in for CloudFormation makes all of an app's stack, and none calls another one's
ECS. This one has the stack as if it had been made, and updates it as CloudFormation does: the release
is read from Parameter Store when a change set is made; then task definitions are registered anew, and
a service whose condition has become true is created and waited for. Those calls reach the ECS that it
is told.

Statements of the Data API run in a MariaDB.
"""

import datetime
import http.server
import json
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from xml.sax.saxutils import escape

import boto3

TEMPLATE, STACK, ECS, OTHERS, SOCKET = sys.argv[1:]
REGION, ACCOUNT = "us-east-1", "123456789012"
ARN = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/{uuid.uuid4()}"
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"

lock = threading.RLock()


def client(service, endpoint):
    return boto3.client(service, region_name=REGION, endpoint_url=endpoint)


ecs, parameters, s3 = client("ecs", ECS), client("ssm", OTHERS), client("s3", OTHERS)


class Refused(Exception):
    pass


class Failed(Exception):
    """A resource that could not be made."""


class Stack:
    def __init__(self, text):
        self.text, self.template = text, json.loads(text)
        names = self.template["Parameters"]
        self.values = {name: it.get("Default", f"id-of-{name}") for name, it in names.items()}
        self.status, self.sets, self.events, self.tokens = "CREATE_COMPLETE", {}, [], set()
        self.release = self.read_release()
        self.resources = {
            name: f"id-of-{name}"
            for name, it in self.template["Resources"].items()
            if self.is_wanted(it, self.release)
        }

    def read_release(self):
        name = self.values["Release"]
        return parameters.get_parameter(Name=name)["Parameter"]["Value"]

    def is_wanted(self, resource, release):
        assert resource.get("Condition") in (None, "Released")
        return "Condition" not in resource or release != "none"

    def note(self, name, status, reason="", token=""):
        whole = name == STACK
        kind = "AWS::CloudFormation::Stack" if whole else self.template["Resources"][name]["Type"]
        self.events.insert(0, {
            "StackId": ARN,
            "EventId": str(uuid.uuid4()),
            "StackName": STACK,
            "LogicalResourceId": name,
            "PhysicalResourceId": ARN if whole else self.resources.get(name, ""),
            "ResourceType": kind,
            "Timestamp": now(),
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "ClientRequestToken": token,
        })
        if whole:
            self.status = status

    def resolve(self, value, release):
        def inner(it):
            return self.resolve(it, release)

        if isinstance(value, list):
            return [inner(it) for it in value]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            known = {
                "Release": release,
                "AWS::AccountId": ACCOUNT,
                "AWS::Region": REGION,
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::Partition": "aws",
            }
            name = value["Ref"]
            return known.get(name) or self.resources.get(name) or self.values[name]
        if "Fn::GetAtt" in value:
            return self.resources[value["Fn::GetAtt"][0]]
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return separator.join(inner(it) for it in parts)
        assert not any(it.startswith("Fn::") for it in value), value
        return {name: inner(it) for name, it in value.items()}

    def update(self, release, token):
        """Runs in a thread of its own."""
        try:
            definitions = self.of_type("AWS::ECS::TaskDefinition")
            for name in definitions:
                self.change(name, release, "UPDATE", register)
            before = set(self.resources)
            for name, it in self.template["Resources"].items():
                if name not in before and self.is_wanted(it, release):
                    made = create if it["Type"] == "AWS::ECS::Service" else (lambda *_: None)
                    self.change(name, release, "CREATE", made)
            with lock:
                self.release = release
                self.note(STACK, "UPDATE_COMPLETE", token=token)
        except Failed:
            with lock:
                self.note(STACK, "UPDATE_ROLLBACK_IN_PROGRESS", token=token)
                self.resources = {it: self.resources[it] for it in before}
                self.note(STACK, "UPDATE_ROLLBACK_COMPLETE", token=token)

    def of_type(self, kind):
        resources = self.template["Resources"]
        return [name for name in self.resources if resources[name]["Type"] == kind]

    def change(self, name, release, verb, make):
        with lock:
            self.note(name, f"{verb}_IN_PROGRESS")
            properties = self.resolve(self.template["Resources"][name]["Properties"], release)
        try:
            made = make(properties)
        except Exception as error:
            with lock:
                self.note(name, f"{verb}_FAILED", str(error))
            raise Failed from error
        with lock:
            self.resources[name] = made or f"id-of-{name}"
            self.note(name, f"{verb}_COMPLETE")


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def members(value, is_map=False):
    """What CloudFormation calls `ContainerDefinitions`, ECS calls `containerDefinitions`."""
    if isinstance(value, list):
        return [members(it) for it in value]
    if not isinstance(value, dict):
        return value
    if is_map:
        return value
    return {it[0].lower() + it[1:]: members(part, it == "Options") for it, part in value.items()}


def register(properties):
    # The double of ECS gives back what it was given: volumes would tell nothing.
    properties.pop("Volumes", None)
    for container in properties["ContainerDefinitions"]:
        container.pop("MountPoints", None)
    registered = ecs.register_task_definition(**members(properties))
    return registered["taskDefinition"]["taskDefinitionArn"]


def create(properties):
    wanted = members(properties)
    wanted["placementStrategy"] = wanted.pop("placementStrategies", [])
    made = ecs.create_service(**wanted)["service"]
    where = {"cluster": properties["Cluster"], "services": [made["serviceName"]]}
    while True:
        service = ecs.describe_services(**where)["services"][0]
        states = {it["taskDefinition"]: it["rolloutState"] for it in service["deployments"]}
        state = states[properties["TaskDefinition"]]
        if state == "COMPLETED":
            return made["serviceArn"]
        if state == "FAILED":
            raise Failed(
                "Resource handler returned message: \"Error occurred during operation 'ECS "
                "Deployment Circuit Breaker was triggered'.\" (HandlerErrorCode: GeneralServiceException)"
            )
        time.sleep(0.3)


stack = Stack(open(TEMPLATE).read())


def change_set(form):
    name = form["ChangeSetName"]
    if name not in stack.sets:
        raise Refused("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")
    return stack.sets[name]


def describe_stacks(form):
    wanted = form.get("StackName")
    if wanted not in (None, STACK, ARN):
        raise Refused("ValidationError", f"Stack with id {wanted} does not exist")
    told = [{"ParameterKey": it, "ParameterValue": value} for it, value in stack.values.items()]
    return {"Stacks": [{
        "StackId": ARN,
        "StackName": STACK,
        "StackStatus": stack.status,
        "CreationTime": now(),
        "Parameters": told,
    }]}


def create_change_set(form):
    if stack.status.endswith("_IN_PROGRESS"):
        reason = f"Stack:{ARN} is in {stack.status} state and can not be updated."
        raise Refused("ValidationError", reason)
    text = form.get("TemplateBody") or template_at(form["TemplateURL"])
    release = stack.read_release()
    same = json.loads(text) == stack.template and release == stack.release
    reason = "The submitted information didn't contain changes. Submit different information to create a change set."
    made = ("FAILED", reason) if same else ("CREATE_COMPLETE", "")
    stack.sets[form["ChangeSetName"]] = {"made": made, "release": release}
    return {"Id": f"{ARN}/{form['ChangeSetName']}", "StackId": ARN}


def template_at(url):
    bucket, key = urllib.parse.urlparse(url).path.lstrip("/").split("/", 1)
    found = s3.get_object(Bucket=bucket, Key=key)
    return found["Body"].read().decode()


def describe_change_set(form):
    status, reason = change_set(form)["made"]
    return {"StackId": ARN, "Status": status, "StatusReason": reason, "Changes": []}


def delete_change_set(form):
    stack.sets.pop(form["ChangeSetName"], None)
    return {}


def execute_change_set(form):
    token = form.get("ClientRequestToken", "")
    if token in stack.tokens:
        return {}
    release = change_set(form)["release"]
    stack.tokens.add(token)
    stack.sets.clear()
    stack.note(STACK, "UPDATE_IN_PROGRESS", token=token)
    threading.Thread(target=stack.update, args=(release, token), daemon=True).start()
    return {}


ANSWERS = {
    "DescribeStacks": describe_stacks,
    "GetTemplate": lambda form: {"TemplateBody": stack.text},
    "ListStackResources": lambda form: {"StackResourceSummaries": [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": value,
            "ResourceType": stack.template["Resources"][name]["Type"],
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": now(),
        }
        for name, value in stack.resources.items()
    ]},
    "DescribeStackEvents": lambda form: {"StackEvents": stack.events},
    "CreateChangeSet": create_change_set,
    "DescribeChangeSet": describe_change_set,
    "DeleteChangeSet": delete_change_set,
    "ExecuteChangeSet": execute_change_set,
}


def xml(value):
    if isinstance(value, list):
        return "".join(f"<member>{xml(it)}</member>" for it in value)
    if isinstance(value, dict):
        return "".join(f"<{name}>{xml(it)}</{name}>" for name, it in value.items())
    return escape(str(value))


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(body)

    def send(self, status, kind, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class CloudFormation(Server):
    def answer(self, body):
        form = dict(urllib.parse.parse_qsl(body))
        action = form["Action"]
        try:
            with lock:
                answer = xml(ANSWERS[action](form))
        except Refused as refused:
            code, message = refused.args
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
            text = f'<ErrorResponse xmlns="{NAMESPACE}">{error}</ErrorResponse>'
            return self.send(400, "text/xml", text)
        result = f"<{action}Result>{answer}</{action}Result>"
        text = f'<{action}Response xmlns="{NAMESPACE}">{result}</{action}Response>'
        return self.send(200, "text/xml", text)


class DataApi(Server):
    def answer(self, body):
        command = ["mariadb", "--no-defaults", "--socket", SOCKET, "--user=root", "--batch"]
        ran = subprocess.run(command, input=json.loads(body)["sql"], text=True, capture_output=True)
        if ran.returncode != 0:
            told = json.dumps({"message": ran.stderr.strip()})
            self.send(400, "application/json", told)
            return
        lines = ran.stdout.splitlines()[1:]
        records = [[{"stringValue": it} for it in line.split("\t")] for line in lines]
        told = {"records": records, "numberOfRecordsUpdated": 0}
        self.send(200, "application/json", json.dumps(told))


ports = []
for handler in (CloudFormation, DataApi):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports.append(server.server_address[1])
print(*ports, flush=True)
sys.stdin.read()
