"""Reads AWS by boto3, independently of the program under test.

Standard input: {"endpoint", "region", "reads": [{"read": "SERVICE.METHOD", "with": {}, "at": "JMESPATH"}]}.
Standard output: a JSON list with what each read gave, or {"error": "CODE"}.
"""

import json
import sys

import boto3
import jmespath
from botocore.config import Config
from botocore.exceptions import ClientError

asked = json.load(sys.stdin)
clients = {}


def client(service):
    if service not in clients:
        clients[service] = boto3.client(
            service,
            endpoint_url=asked["endpoint"],
            region_name=asked["region"],
            aws_access_key_id="reader",
            aws_secret_access_key="reader",
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )
    return clients[service]


def read(one):
    service, method = one["read"].split(".")
    try:
        if client(service).can_paginate(method):
            told = client(service).get_paginator(method).paginate(**one["with"])
            told = told.build_full_result()
        else:
            told = getattr(client(service), method)(**one["with"])
    except ClientError as error:
        return {"error": error.response["Error"]["Code"]}
    told.pop("ResponseMetadata", None)
    return jmespath.search(one["at"], told) if one["at"] else told


json.dump([read(one) for one in asked["reads"]], sys.stdout, default=str)
