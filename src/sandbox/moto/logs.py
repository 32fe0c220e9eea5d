"""CloudWatch Logs: classes of log groups, keys that are given and taken later, lines of some streams.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
"""

import json

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

from patch import replaces


@replaces(LogGroup)
def to_describe_dict(old, self):
    told = old(self)
    told["logGroupClass"] = getattr(self, "log_group_class", None) or "STANDARD"
    return told


@replaces(LogsResponse)
def create_log_group(old, self):
    told = old(self)
    group = self.logs_backend.groups[self._get_param("logGroupName")]
    group.log_group_class = self._get_param("logGroupClass")
    return told


def set_key(self, key):
    group = self.logs_backend.groups.get(self._get_param("logGroupName"))
    if not group:
        raise ResourceNotFoundException()
    group.kms_key_id = key
    return ""


@replaces(LogsResponse)
def associate_kms_key(old, self):
    return set_key(self, self._get_param("kmsKeyId"))


@replaces(LogsResponse)
def disassociate_kms_key(old, self):
    return set_key(self, None)


@replaces(LogsResponse)
def filter_log_events(old, self):
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    told = json.loads(old(self))
    begin = self._get_param("logStreamNamePrefix") or ""
    told["events"] = [it for it in told["events"] if it["logStreamName"].startswith(begin)]
    return json.dumps(told)
