"""Makes in moto what the stack `data` would: the database cluster with two members, and secrets.

The Data API is answered here, since moto runs no statement: each is written to a file, and a user has
a second password from `RETAIN CURRENT PASSWORD` until `DISCARD OLD PASSWORD`.
"""

import http.server
import json
import sys

import boto3

PORT, LOG = int(sys.argv[1]), sys.argv[2]
REGION, CLUSTER = sys.argv[3], sys.argv[4]
PREFIX, EMPTY, KIND = sys.argv[5], sys.argv[6].split(","), sys.argv[7]

# moto has the Data API for old serverless clusters alone, and restores none with a managed password.
KINDS = {
    "api": {
        "ManageMasterUserPassword": True,
        "EnableHttpEndpoint": True,
        "EngineMode": "serverless",
        "EngineVersion": "5.7.mysql_aurora.2.08.3",
    },
    "members": {"MasterUserPassword": "only-in-a-test"},
}


def seed():
    rds = boto3.client("rds", region_name=REGION)
    rds.create_db_cluster(
        DBClusterIdentifier=CLUSTER,
        Engine="aurora-mysql",
        MasterUsername="admin",
        **KINDS[KIND],
    )
    for name in ("x1", "x2") if KIND == "members" else ():
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=CLUSTER,
            DBInstanceClass="db.r6g.large",
            Engine="aurora-mysql",
        )
    secrets = boto3.client("secretsmanager", region_name=REGION)
    for name in EMPTY:
        secrets.create_secret(Name=f"{PREFIX}/{name}")


class Statements(http.server.BaseHTTPRequestHandler):
    has_old = False

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        sql, records = body["sql"], []
        with open(LOG, "a") as log:
            log.write(sql + "\n")
        if sql.startswith("SELECT JSON_CONTAINS_PATH"):
            records = [[{"longValue": int(Statements.has_old)}]]
        elif sql.endswith("RETAIN CURRENT PASSWORD"):
            Statements.has_old = True
        elif sql.endswith("DISCARD OLD PASSWORD"):
            Statements.has_old = False
        answer = json.dumps({"records": records, "numberOfRecordsUpdated": 0}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


seed()
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Statements)
print("ready", flush=True)
server.serve_forever()
