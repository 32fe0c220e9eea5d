"""Names and values that AWS refuses, and tags that go with what had them.

Secrets Manager, CloudWatch Logs, SNS, CloudWatch, DynamoDB, Systems Manager.
"""

from moto.cloudwatch.models import CloudWatchBackend
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models import DynamoDBBackend
from moto.logs.models import LogsBackend
from moto.secretsmanager.models import SecretsManagerBackend
from moto.sns.models import SNSBackend
from moto.sns.responses import SNSResponse
from moto.ssm.models import SimpleSystemManagerBackend

from patch import refusing, replaces

RETENTION = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


@replaces(SecretsManagerBackend)
def create_secret(old, self, name, *args, **kwargs):
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html"""
    known = self.secrets.get(name)
    if known and known.is_deleted():
        refusing("secretsmanager")(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    return old(self, name, *args, **kwargs)


@replaces(LogsBackend)
def put_retention_policy(old, self, log_group_name, retention_in_days):
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
    if int(retention_in_days) not in RETENTION:
        refusing("logs")("InvalidParameterException", f"Value '{retention_in_days}' at 'retentionInDays' failed to satisfy constraint")
    return old(self, log_group_name, retention_in_days)


@replaces(LogsBackend)
def delete_log_group(old, self, log_group_name):
    """Its tags go with it."""
    group = self.groups.get(log_group_name)
    answer = old(self, log_group_name)
    if group:
        self.tagger.delete_all_tags_for_resource(group.arn)
    return answer


@replaces(SimpleSystemManagerBackend)
def delete_parameter(old, self, name):
    """Its tags go with it."""
    self._resource_tags["Parameter"].pop(name, None)
    return old(self, name)


@replaces(SimpleSystemManagerBackend)
def delete_parameters(old, self, names):
    """Their tags go with them."""
    for name in names:
        self._resource_tags["Parameter"].pop(name, None)
    return old(self, names)


@replaces(SNSBackend)
def create_topic(old, self, name, attributes=None, tags=None):
    """https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html"""
    arn = f"arn:{self.partition}:sns:{self.region_name}:{self.account_id}:{name}"
    known = self.topics.get(arn)
    if known and tags and tags != known._tags:
        refusing("sns")("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")
    for key, value in (attributes or {}).items():
        if known and str(getattr(known, camelcase_to_underscores(key), "")) != str(value):
            refusing("sns")(
                "InvalidParameter",
                "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
            )
    return old(self, name, attributes, tags)


def is_unconfirmed(protocol):
    """Somebody would have to follow a link first."""
    return protocol in ("email", "email-json", "http", "https")


@replaces(SNSResponse)
def subscribe(old, self):
    """https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"""
    answer = old(self)
    wants_arn = str(self._get_param("ReturnSubscriptionArn")).lower() == "true"
    if is_unconfirmed(self._get_param("Protocol")) and not wants_arn:
        answer.result["SubscriptionArn"] = "pending confirmation"
    return answer


@replaces(SNSResponse, "list_subscriptions", "list_subscriptions_by_topic")
def listed(old, self):
    """https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html"""
    answer = old(self).result
    subscriptions = [
        {
            "SubscriptionArn": "PendingConfirmation" if is_unconfirmed(it.protocol) else it.arn,
            "Owner": self.current_account,
            "Protocol": it.protocol,
            "Endpoint": it.endpoint,
            "TopicArn": it.topic.arn,
        }
        for it in answer["Subscriptions"]
    ]
    return ActionResult({"Subscriptions": subscriptions, "NextToken": answer["NextToken"]})


@replaces(CloudWatchBackend)
def delete_alarms(old, self, alarm_names):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html"""
    for name in alarm_names:
        if name not in self.alarms:
            refusing("cloudwatch")("ResourceNotFound", f"Alarm {name} does not exist")
    for name in alarm_names:
        self.tagger.delete_all_tags_for_resource(self.alarms[name].alarm_arn)
    return old(self, alarm_names)


@replaces(DynamoDBBackend)
def tag_resource(old, self, arn, tags):
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html"""
    self.untag_resource(arn, list(tags))
    return old(self, arn, tags)
