"""What somebody might do in the AWS console. Run by the demo.

    python by-hand.py ENDPOINT open SECURITY_GROUP PORT
    python by-hand.py ENDPOINT join IAM_GROUP USER...
"""

import sys

import boto3

endpoint, verb, group, *rest = sys.argv[1:]


def client(service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )


if verb == "join":
    iam = client("iam")
    iam.create_group(GroupName=group)
    for user in rest:
        iam.create_user(UserName=user)
        iam.add_user_to_group(GroupName=group, UserName=user)
else:
    ec2 = client("ec2")
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [group]}])
    everybody = {
        "IpProtocol": "tcp",
        "FromPort": int(rest[0]),
        "ToPort": int(rest[0]),
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    }
    ec2.authorize_security_group_ingress(
        GroupId=groups["SecurityGroups"][0]["GroupId"], IpPermissions=[everybody]
    )
