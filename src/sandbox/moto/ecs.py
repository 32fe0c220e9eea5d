"""ECS: clusters and services that are there, going or gone.

With a network of containers, tasks run in it (`tasks.py`, `rollouts.py`). Without, a service has all
its tasks at once, and none of them runs.
"""

import os
from copy import copy

from moto.core.utils import camelcase_to_underscores
from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.models import elbv2_backends

from patch import refusing, replaces

refuse = refusing("ecs")

RUNS = "TIDEWALK_NETWORK" in os.environ
if RUNS:
    import balancers  # noqa: F401  It puts itself in moto's place.
    import clock  # noqa: F401  It looks at schedules by itself.
    import rollouts
    from tasks import Life

# Parameters of a service that moto forgets.
KEPT = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "serviceConnectConfiguration",
)


# Changes of a service that take new tasks.
ANEW = ("task_definition", "network_configuration", "load_balancers", "capacity_provider_strategy")


def settle(service):
    """What is wanted runs: no container is started."""
    if RUNS:
        return
    service.running_count, service.pending_count = service.desired_count, 0
    for deployment in service.deployments[:1]:
        deployment.update(
            desiredCount=service.desired_count,
            runningCount=service.desired_count,
            pendingCount=0,
            rolloutState="COMPLETED",
            rolloutStateReason=f"ECS deployment {deployment['id']} completed.",
        )


@replaces(Service, "_validate_network")
def checked(old, self, nc):
    nc["awsvpcConfiguration"].setdefault("securityGroups", [])
    return old(self, nc)


@replaces(Service, "__init__")
def made(old, self, *args, **kwargs):
    old(self, *args, **kwargs)
    settle(self)


@replaces(EC2ContainerServiceBackend)
def create_cluster(old, self, cluster_name, *args, **kwargs):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html"""
    known = self.clusters.get(cluster_name)
    if known and known.status == "ACTIVE":
        return known
    return old(self, cluster_name, *args, **kwargs)


@replaces(EC2ContainerServiceBackend)
def delete_cluster(old, self, cluster_str):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html"""
    cluster = self._get_cluster(cluster_str)
    if any(it.cluster_arn == cluster.arn and it.status == "ACTIVE" for it in self.services.values()):
        refuse(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        )
    if RUNS and any(it.status != "STOPPED" for it in self.tasks.get(cluster.name, {}).values()):
        refuse("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    return old(self, cluster_str)


@replaces(EC2ContainerServiceBackend)
def list_clusters(old, self):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListClusters.html"""
    return [it.arn for it in self.clusters.values() if it.status == "ACTIVE"]


@replaces(EC2ContainerServiceBackend)
def list_services(old, self, *args, **kwargs):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServices.html"""
    gone = {it.arn for it in self.services.values() if it.status == "INACTIVE"}
    return [arn for arn in old(self, *args, **kwargs) if arn not in gone]


def must_be_used(backend, balancers):
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb.html"""
    groups = elbv2_backends[backend.account_id][backend.region_name].target_groups
    for arn in (it.get("targetGroupArn") for it in balancers or ()):
        if arn in groups and not groups[arn].load_balancer_arns:
            text = f"The target group with targetGroupArn {arn} does not have an associated load balancer."
            refuse("InvalidParameterException", text)


@replaces(EC2ContainerServiceBackend)
def create_service(old, self, cluster_str, service_name, *args, **kwargs):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html"""
    cluster = self._get_cluster(cluster_str)
    if cluster.status != "ACTIVE":
        refuse("ClusterNotFoundException", "Cluster not found.")
    known = self.services.get(f"{cluster.name}:{service_name}")
    if known and known.status == "ACTIVE":
        refuse("InvalidParameterException", "Creation of service was not idempotent.")
    if known and known.status == "DRAINING":
        if not RUNS:
            known.status = "INACTIVE"
        refuse("InvalidParameterException", "Unable to Start a service that is still Draining.")
    must_be_used(self, args[2])
    service = old(self, cluster_str, service_name, *args, **kwargs)
    if RUNS:
        service.scheduler = rollouts.Scheduler(self, service)
    return service


@replaces(EC2ContainerServiceBackend)
def update_service(old, self, service_properties):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html"""
    name = service_properties["service"].split("/")[-1]
    cluster = self._get_cluster(service_properties.get("cluster", "default"))
    known = self.services.get(f"{cluster.name}:{name}")
    if known and known.status == "INACTIVE":
        refuse("ServiceNotActiveException", "Service was not ACTIVE.")
    must_be_used(self, service_properties.get("load_balancers"))
    before = {name: getattr(known, name, None) for name in ANEW}
    anew = service_properties.get("force_new_deployment")
    service = old(self, service_properties)
    settle(service)
    if RUNS:
        changed = any(getattr(service, name, None) != value for name, value in before.items())
        if changed or anew:
            service.scheduler.deploy()
        else:
            service.scheduler.tell()
    return service


@replaces(EC2ContainerServiceBackend)
def delete_service(old, self, cluster_name, service_name, force):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html

    One with tasks drains first: here those on Fargate, since no machine is there to run others.
    """
    if self._get_service(cluster_name, service_name).status == "INACTIVE":
        refuse("ServiceNotFoundException", "Service not found.")
    service = old(self, cluster_name, service_name, force)
    service.desired_count = 0
    if RUNS:
        service.status = "DRAINING"
        return service
    service.running_count = 0
    service.deployments = []
    shares = getattr(service, "capacity_provider_strategy", None) or ()
    fargate = any(it["capacityProvider"].startswith("FARGATE") for it in shares)
    if fargate or service.launch_type == "FARGATE":
        service.status = "DRAINING"
    return service


@replaces(EC2ContainerServiceBackend)
def describe_services(old, self, *args, **kwargs):
    """A service that drains has done so when it is looked at again."""
    services, failures = old(self, *args, **kwargs)
    told = []
    for service in services:
        told.append(copy(service))
        if service.status == "DRAINING" and not RUNS:
            service.status = "INACTIVE"
    return told, failures


@replaces(EC2ContainerServiceBackend)
def list_tasks(
    old, self, cluster_str=None, container_instance=None, family=None, started_by=None, service_name=None, desiredStatus=None
):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html"""
    status = desiredStatus or "RUNNING"
    told = old(self, cluster_str, container_instance, family, started_by, service_name, status)
    if service_name:
        group = f"service:{service_name.split('/')[-1]}"
        told = [it for it in told if it.group == group]
    return told


@replaces(EC2ContainerServiceResponse, "create_service", "update_service")
def kept(old, self):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html

    A service that names neither a launch type nor capacity has what its cluster has for that.
    """
    answer = old(self)
    service = answer.result["service"]
    for name in KEPT:
        value = self._get_param(name)
        if value is not None:
            setattr(service, camelcase_to_underscores(name), value)
    shares = self._get_param("capacityProviderStrategy")
    if old.__name__ == "create_service" and not self._get_param("launchType"):
        cluster = self.ecs_backend._get_cluster(self._get_param("cluster", "default"))
        shares = shares or cluster.default_capacity_provider_strategy
    if shares:
        service.capacity_provider_strategy, service.launch_type = shares, None
    return answer


if RUNS:

    @replaces(EC2ContainerServiceBackend)
    def run_task(
        old, self, cluster_str, task_definition_str, count, overrides, started_by, tags, launch_type, *args, **kwargs
    ):
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html"""
        network, group = (*args, None, None)[:2]
        network = network or kwargs.get("networking_configuration")
        definition = self.describe_task_definition(task_definition_str)
        begun = [
            Life(
                self,
                self._get_cluster(cluster_str),
                definition,
                group=group or kwargs.get("group") or f"family:{definition.family}",
                launch_type=launch_type or "FARGATE",
                started_by=started_by or "",
                tags=tags,
                network=network,
                overrides=overrides,
            )
            for _ in range(count)
        ]
        return [life.task for life in begun]

    @replaces(EC2ContainerServiceBackend)
    def stop_task(old, self, cluster_str, task_str, reason):
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html"""
        cluster = self._get_cluster(cluster_str)
        wanted = task_str.split("/")[-1]
        task = next((it for it in self.tasks.get(cluster.name, {}).values() if it.id == wanted), None)
        if task is None:
            refuse("InvalidParameterException", "The referenced task was not found.")
        rollouts.stop_of_one(self, task.task_arn, reason)
        return task
