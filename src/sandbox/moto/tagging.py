"""The Tagging API over every service in use, with ARNs and types as AWS has them.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
Left out as there: Auto Scaling groups, IAM roles, schedules. IAM and Route 53 answer in us-east-1.
"""

import re
from base64 import b64decode, b64encode

from moto.acm.models import acm_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.resource_tagging import TaggedResource, make_tag_matcher
from moto.dynamodb.models import dynamodb_backends
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.kinesis.models import kinesis_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.resourcegroupstaggingapi.responses import ResourceGroupsTaggingAPIResponse
from moto.route53.models import route53_backends
from moto.s3.models import s3_backends
from moto.scheduler.models import scheduler_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.ssm.models import ssm_backends

from patch import as_dict, refusing, replaces

refuse = refusing("resourcegroupstaggingapi")

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
EC2 = {
    "elastic-ip": lambda it: it.addresses,
    "image": lambda it: it.amis.values(),
    "instance": lambda it: [one for some in it.reservations.values() for one in some.instances],
    "internet-gateway": lambda it: it.internet_gateways.values(),
    "key-pair": lambda it: it.key_pairs.values(),
    "launch-template": lambda it: it.launch_templates.values(),
    "natgateway": lambda it: it.nat_gateways.values(),
    "network-interface": lambda it: [eni for eni in it.enis.values() if not (eni.instance and eni.instance.state == "terminated")],
    "route-table": lambda it: it.route_tables.values(),
    "security-group": lambda it: [one for some in it.groups.values() for one in some.values()],
    "snapshot": lambda it: it.snapshots.values(),
    "subnet": lambda it: [one for some in it.subnets.values() for one in some.values()],
    "volume": lambda it: it.volumes.values(),
    "vpc": lambda it: it.vpcs.values(),
    "vpc-endpoint": lambda it: it.vpc_end_points.values(),
}


def ec2(it):
    for kind, all_of in EC2.items():
        for one in all_of(it):
            yield f"arn:aws:ec2:{it.region_name}:{it.account_id}:{kind}/{one.id}", it.tags.get(one.id) or {}
    for some in it.groups.values():
        for group in some.values():
            for rule in [*group.ingress_rules, *group.egress_rules]:
                arn = f"arn:aws:ec2:{it.region_name}:{it.account_id}:security-group-rule/{rule.id}"
                yield arn, it.tags.get(rule.id) or {}


def elbv2(it):
    arns = [*it.load_balancers, *it.target_groups]
    arns += [arn for lb in it.load_balancers.values() for arn in lb.listeners]
    for arn in arns:
        yield arn, it.tagging_service.get_tag_dict_for_resource(arn)


def ecs(it):
    some = [one for one in [*it.clusters.values(), *it.services.values()] if one.status != "INACTIVE"]
    some += [one for family in it.task_definitions.values() for one in family.values()]
    for one in some:
        yield one.arn, as_dict(one.tags, "key", "value")


def iam(it):
    for one in [*it.instance_profiles.values(), *it.managed_policies.values()]:
        tags = one.tags
        yield one.arn, as_dict(tags.values() if isinstance(tags, dict) else tags)


def secrets(it):
    for one in it.secrets.values():
        yield one.arn, as_dict(one.tags)


def parameters(it):
    for name in it._parameters:
        arn = f"arn:aws:ssm:{it.region_name}:{it.account_id}:parameter/{name.lstrip('/')}"
        yield arn, it.list_tags_for_resource("Parameter", name) or {}


# For each service: its backends, and the ARNs and tags in one of them.
REGIONAL = (
    (acm_backends, lambda it: ((one.arn, one.tags) for one in it._certificates.values())),
    (cloudwatch_backends, lambda it: ((one.alarm_arn, it.tagger.get_tag_dict_for_resource(one.alarm_arn)) for one in it.alarms.values())),
    (dynamodb_backends, lambda it: ((one.table_arn, as_dict(one.tags)) for one in it.tables.values())),
    (ec2_backends, ec2),
    (ecr_backends, lambda it: ((one.arn, it.tagger.get_tag_dict_for_resource(one.arn)) for one in it.repositories.values())),
    (ecs_backends, ecs),
    (elbv2_backends, elbv2),
    (kinesis_backends, lambda it: ((one.arn, one.tags) for one in it.streams.values())),
    (kms_backends, lambda it: ((one.arn, it.tagger.get_tag_dict_for_resource(one.id)) for one in it.keys.values())),
    (logs_backends, lambda it: ((one.arn, it.tagger.get_tag_dict_for_resource(one.arn)) for one in it.groups.values())),
    (scheduler_backends, lambda it: ((one.arn, it.tagger.get_tag_dict_for_resource(one.arn)) for one in it.schedule_groups.values())),
    (secretsmanager_backends, secrets),
    (sns_backends, lambda it: ((one.arn, one._tags) for one in it.topics.values())),
    (ssm_backends, parameters),
)


def zones(it):
    for one in it.zones.values():
        yield f"arn:aws:route53:::hostedzone/{one.resource_id}", it.resource_tags.get(one.resource_id) or {}


def everything(account, region):
    for backends, arns in REGIONAL:
        backend = backends[account]
        # A backend that was never asked has nothing; making it would load its defaults.
        if region in backend:
            yield from arns(backend[region])
    for bucket in s3_backends[account]["aws"].buckets.values():
        if bucket.region_name == region:
            yield bucket.arn, s3_backends[account]["aws"].tagger.get_tag_dict_for_resource(bucket.arn)
    if region == "us-east-1":
        yield from zones(route53_backends[account]["aws"])
        yield from iam(iam_backends[account]["aws"])


def fits(arn, filters):
    """A filter is `service` or `service:type`; the type stands first in the ARN's last part."""
    service, resource = arn.split(":")[2], arn.split(":", 5)[5]
    kinds = {service}
    for end in re.finditer("[/:]", resource):
        kinds.add(f"{service}:{resource[: end.start()]}")
    return not filters or any(wanted in kinds for wanted in filters)


@replaces(ResourceGroupsTaggingAPIBackend)
def _get_resources_generator(old, self, tag_filters=None, resource_type_filters=None, resource_arn_list=None):
    matches = make_tag_matcher(tag_filters)
    for arn, tags in everything(self.account_id, self.region_name):
        wanted = not resource_arn_list or arn in resource_arn_list
        if tags and wanted and fits(arn, resource_type_filters) and matches(tags):
            yield TaggedResource(arn=arn, tags=dict(tags), resource_type="")


@replaces(ResourceGroupsTaggingAPIBackend)
def get_resources(old, self, pagination_token=None, resources_per_page=50, tags_per_page=None, **filters):
    """Pages in the order of ARNs, so that one may be asked for again."""
    found = sorted(self._get_resources_generator(**filters), key=lambda it: it.arn)
    after = b64decode(pagination_token).decode() if pagination_token else ""
    rest = [it for it in found if it.arn > after]
    page = rest[:resources_per_page]
    more = len(rest) > len(page)
    return b64encode(page[-1].arn.encode()).decode() if more else "", page


# What it answers for; of any other service it refuses the filter.
SERVICES = {
    *("acm", "cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "elasticloadbalancing", "iam", "kinesis", "kms"),
    *("logs", "route53", "s3", "scheduler", "secretsmanager", "sns", "ssm"),
}


@replaces(ResourceGroupsTaggingAPIResponse, "get_resources")
def listed(old, self):
    for wanted in self._get_param("ResourceTypeFilters", []):
        service = wanted.split(":")[0]
        if service not in SERVICES:
            refuse("InvalidParameterException", f"Unsupported service={service} in ResourceTypeFilter - {wanted}:")
    if self._get_param("ResourcesPerPage", 50) not in range(1, 101):
        refuse("InvalidParameterException", "ResourcesPerPage must be between 1 and 100")
    others = ("TagFilters", "ResourceTypeFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken")
    arns = self._get_param("ResourceARNList", [])
    if arns and any(self._get_param(name) for name in others):
        refuse("InvalidParameterException", "ResourceARNList cannot be combined with other parameters")
    if len(arns) > 100:
        refuse("InvalidParameterException", "ResourceARNList cannot hold more than 100 ARNs")
    return old(self)
