"""Elastic Load Balancing: names, protection, ports, attributes as AWS has them."""

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import (
    DuplicateListenerError,
    DuplicateLoadBalancerName,
    ListenerNotFoundError,
    LoadBalancerNotFoundError,
    TargetGroupNotFoundError,
)
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer
from moto.elbv2.responses import ELBV2Response

from patch import refusing, replaces

refuse = refusing("elbv2")

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http2.enabled": "true",
}


@replaces(FakeLoadBalancer, "__init__")
def made(old, self, *args, **kwargs):
    kwargs["scheme"] = kwargs.get("scheme") or "internet-facing"
    kwargs["loadbalancer_type"] = kwargs.get("loadbalancer_type") or "application"
    old(self, *args, **kwargs)
    if self.type == "application":
        self.attrs.update(ATTRIBUTES)


@replaces(ELBv2Backend)
def create_load_balancer(old, self, name, security_groups, subnet_ids, *args, **kwargs):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"""
    for known in self.load_balancers.values():
        if known.name != name:
            continue
        same = (
            sorted(known.security_groups or []) == sorted(security_groups or [])
            and sorted(it.id for it in known.subnets) == sorted(subnet_ids or [])
            and known.scheme == (kwargs.get("scheme") or "internet-facing")
        )
        if not same:
            raise DuplicateLoadBalancerName()
        return known
    return old(self, name, security_groups, subnet_ids, *args, **kwargs)


@replaces(ELBv2Backend)
def delete_load_balancer(old, self, arn):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html"""
    known = self.load_balancers.get(arn)
    if known and known.attrs.get("deletion_protection.enabled") == "true":
        refuse(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    return old(self, arn)


@replaces(ELBv2Backend)
def create_listener(old, self, load_balancer_arn, protocol, port, ssl_policy, *args, **kwargs):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html"""
    known = self.load_balancers.get(load_balancer_arn)
    if known and any(str(it.port) == str(port) for it in known.listeners.values()):
        raise DuplicateListenerError()
    listener = old(self, load_balancer_arn, protocol, port, ssl_policy, *args, **kwargs)
    if protocol not in ("HTTPS", "TLS"):
        listener.ssl_policy = None
    return listener


@replaces(ELBv2Backend)
def create_target_group(old, self, name, **kwargs):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"""
    for known in self.target_groups.values():
        asked = {key: value for key, value in kwargs.items() if value is not None and key != "tags"}
        is_so = (
            str(getattr(known, key.replace("healthcheck", "health_check"), value)).lower() == str(value).lower()
            for key, value in asked.items()
        )
        if known.name == name and all(is_so):
            return known
    return old(self, name, **kwargs)


@replaces(ELBV2Response)
def describe_tags(old, self):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html"""
    arns = self._get_param("ResourceArns", [])
    if len(arns) > 20:
        refuse("ValidationError", "Member must have length less than or equal to 20")
    backend = self.elbv2_backend
    listeners = [arn for lb in backend.load_balancers.values() for arn in lb.listeners]
    for arn in arns:
        if ":loadbalancer/" in arn and arn not in backend.load_balancers:
            raise LoadBalancerNotFoundError()
        if ":targetgroup/" in arn and arn not in backend.target_groups:
            raise TargetGroupNotFoundError()
        if ":listener/" in arn and arn not in listeners:
            raise ListenerNotFoundError()
    return old(self)


@replaces(ELBv2Backend)
def delete_target_group(old, self, target_group_arn):
    group = old(self, target_group_arn)
    self.tagging_service.delete_all_tags_for_resource(target_group_arn)
    return group
