"""CloudWatch Logs: classes of log groups, and keys that are given and taken later.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
"""

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
