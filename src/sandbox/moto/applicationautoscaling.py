"""Application Auto Scaling: what ends with a target, and what is not there. Nothing scales by itself.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
"""

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeApplicationAutoscalingPolicy

from patch import refusing, replaces

refuse = refusing("applicationautoscaling")


def must_be_there(backend, resource_id, scalable_dimension):
    if not backend._scalable_target_exists(resource_id, scalable_dimension):
        refuse("ObjectNotFoundException", f"No scalable target found for {resource_id}, {scalable_dimension}")


@replaces(ApplicationAutoscalingBackend)
def deregister_scalable_target(old, self, service_namespace, resource_id, scalable_dimension):
    must_be_there(self, resource_id, scalable_dimension)
    old(self, service_namespace, resource_id, scalable_dimension)
    for policy in [it for it in self.policies.values() if it.resource_id == resource_id]:
        self.delete_scaling_policy(policy.policy_name, service_namespace, resource_id, scalable_dimension)


def key(policy_name, service_namespace, resource_id, scalable_dimension):
    return FakeApplicationAutoscalingPolicy.formulate_key(
        service_namespace, resource_id, scalable_dimension, policy_name
    )


@replaces(ApplicationAutoscalingBackend)
def put_scaling_policy(old, self, policy_name, service_namespace, resource_id, scalable_dimension, **more):
    """A policy that is put again has new alarms in the place of its old ones."""
    must_be_there(self, resource_id, scalable_dimension)
    policy = self.policies.get(key(policy_name, service_namespace, resource_id, scalable_dimension))
    if policy:
        policy.delete_alarms(self.account_id, self.region_name)
    return old(self, policy_name, service_namespace, resource_id, scalable_dimension, **more)


@replaces(ApplicationAutoscalingBackend)
def describe_scaling_policies(old, self, service_namespace, resource_id, *args, **kwargs):
    """Those of exactly this resource."""
    token, policies = old(self, service_namespace, resource_id, *args, **kwargs)
    return token, [it for it in policies if not resource_id or it.resource_id == resource_id]


@replaces(ApplicationAutoscalingBackend)
def delete_scaling_policy(old, self, policy_name, service_namespace, resource_id, scalable_dimension):
    if key(policy_name, service_namespace, resource_id, scalable_dimension) not in self.policies:
        refuse("ObjectNotFoundException", f"No scaling policy found for {resource_id}, {policy_name}")
    return old(self, policy_name, service_namespace, resource_id, scalable_dimension)
