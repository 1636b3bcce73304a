"""Makes in moto what the stacks `network` and `data` would: the Bastion's id, the cluster, its secrets.

Prints the host name of the cluster's writer.
"""

import json
import sys

import boto3

REGION, CLUSTER, MASTER, SCHEMA = "us-east-1", "shop-production-db", sys.argv[2], sys.argv[3]

rds = boto3.client("rds", region_name=REGION)
secrets = boto3.client("secretsmanager", region_name=REGION)


def make():
    rds.create_db_cluster(
        DBClusterIdentifier=CLUSTER,
        Engine="aurora-mysql",
        MasterUsername="admin",
        ManageMasterUserPassword=True,
    )
    secrets.create_secret(Name="shop/production/shop-database-password", SecretString=SCHEMA)
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"BastionInstanceId": {"Value": "i-0123456789abcdef0"}},
    }
    boto3.client("cloudformation", region_name=REGION).create_stack(
        StackName="shop-production-network", TemplateBody=json.dumps(template)
    )


if sys.argv[1] == "make":
    make()
cluster = rds.describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]
value = json.dumps({"username": "admin", "password": MASTER})
secrets.put_secret_value(SecretId=cluster["MasterUserSecret"]["SecretArn"], SecretString=value)
print(cluster["Endpoint"], end="")
