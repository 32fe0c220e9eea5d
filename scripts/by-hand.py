"""What somebody might do in the AWS console: opens a port in a security group. Run by the demo.

    python by-hand.py ENDPOINT GROUP_NAME PORT
"""

import sys

import boto3

endpoint, group, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
ec2 = boto3.client(
    "ec2",
    endpoint_url=endpoint,
    region_name="eu-west-1",
    aws_access_key_id="sandbox",
    aws_secret_access_key="sandbox",
)
groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [group]}])
ec2.authorize_security_group_ingress(
    GroupId=groups["SecurityGroups"][0]["GroupId"],
    IpPermissions=[
        {
            "IpProtocol": "tcp",
            "FromPort": port,
            "ToPort": port,
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        }
    ],
)
