"""KMS: a key that waits for its deletion cannot be used or changed.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

import json

from moto.kms.responses import KmsResponse

from patch import refusing, replaces

refuse = refusing("kms")

NOT_WHILE_PENDING = (
    "create_alias",
    "create_grant",
    "decrypt",
    "disable_key",
    "disable_key_rotation",
    "enable_key",
    "enable_key_rotation",
    "encrypt",
    "generate_data_key",
    "get_key_rotation_status",
    "put_key_policy",
    "schedule_key_deletion",
    "tag_resource",
    "untag_resource",
    "update_key_description",
)
# Days between rotations, by key.
periods = {}


def key_of(response):
    backend = response.kms_backend
    asked = response._get_param("TargetKeyId") or response._get_param("KeyId") or ""
    return backend.keys.get(backend.get_key_id(backend.any_id_to_key_id(asked)))


@replaces(KmsResponse, *NOT_WHILE_PENDING)
def unless_pending(old, self):
    key = key_of(self)
    if key and key.key_state == "PendingDeletion":
        refuse("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return old(self)


@replaces(KmsResponse)
def enable_key_rotation(old, self):
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html"""
    answer = old(self)
    periods[key_of(self).arn] = int(self._get_param("RotationPeriodInDays") or 365)
    return answer


@replaces(KmsResponse)
def get_key_rotation_status(old, self):
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html"""
    answer = json.loads(old(self))
    key = key_of(self)
    answer["KeyId"] = key.arn
    if answer["KeyRotationEnabled"]:
        answer["RotationPeriodInDays"] = periods.get(key.arn, 365)
    return json.dumps(answer)
