"""Asks every service that a playbook can name something small, so that it is loaded.

moto loads a service, its model and its data at the first call: together about two seconds, which
would be taken for the time of the first plan.
"""

from werkzeug.test import Client

QUERY = {
    "ec2": ("2016-11-15", "DescribeVpcs"),
    "sts": ("2011-06-15", "GetCallerIdentity"),
    "iam": ("2010-05-08", "ListRoles"),
    "elasticloadbalancing": ("2015-12-01", "DescribeLoadBalancers"),
    "autoscaling": ("2011-01-01", "DescribeAutoScalingGroups"),
    "sns": ("2010-03-31", "ListTopics"),
    "monitoring": ("2010-08-01", "DescribeAlarms"),
}
JSON = {
    "tagging": "ResourceGroupsTaggingAPI_20170126.GetResources",
    "ecr": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
    "ecs": "AmazonEC2ContainerServiceV20141113.ListClusters",
    "kinesis": "Kinesis_20131202.ListStreams",
    "dynamodb": "DynamoDB_20120810.ListTables",
    "kms": "TrentService.ListKeys",
    "ssm": "AmazonSSM.DescribeParameters",
    "secretsmanager": "secretsmanager.ListSecrets",
    "logs": "Logs_20140328.DescribeLogGroups",
    "acm": "CertificateManager.ListCertificates",
    "application-autoscaling": "AnyScaleFrontendService.DescribeScalableTargets",
}
REST = {"route53": "/2013-04-01/hostedzone", "scheduler": "/schedules", "s3": "/"}


def signed(service):
    scope = f"tidewalk/20260101/eu-west-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def wake(app):
    client = Client(app)
    for service, (version, action) in QUERY.items():
        form = {"Action": action, "Version": version}
        check(service, client.post("/", data=form, headers=signed(service)))
    for service, target in JSON.items():
        headers = {**signed(service), "X-Amz-Target": target}
        kind = "application/x-amz-json-1.1"
        check(service, client.post("/", data="{}", content_type=kind, headers=headers))
    for service, path in REST.items():
        check(service, client.get(path, headers=signed(service)))


def check(service, answer):
    if answer.status_code != 200:
        raise RuntimeError(f"{service} answered {answer.status}: {answer.get_data(as_text=True)}")
