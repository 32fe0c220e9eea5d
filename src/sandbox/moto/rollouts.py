"""ECS services that run: deployments, the circuit breaker, targets, events.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
"""

import math
import threading
import time
import uuid

from moto.elbv2 import elbv2_backends
from moto.moto_api._internal import mock_random

import balancers
from tasks import Life, lives, now, say

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
LEAST_FAILURES, MOST_FAILURES = 3, 200
# Seconds between two looks at a service.
LOOK = 0.2
# Seconds after which a task that the load balancer finds ill is stopped; in AWS it is more.
ILL = 2.0
# Events that are kept: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
EVENTS = 100


class Deployment:
    """A version of a service that is rolled out, with its tasks."""

    def __init__(self, service, definition, network, reason=None):
        self.definition, self.network = definition, network
        self.lives = []
        self.failures = 0
        self.steady = False
        self.told = {
            "id": f"ecs-svc/{mock_random.randint(10**18, 10**19 - 1)}",
            "status": "PRIMARY",
            "taskDefinition": definition.arn,
            "desiredCount": service.desired_count,
            "runningCount": 0,
            "pendingCount": 0,
            "failedTasks": 0,
            "createdAt": now(),
            "updatedAt": now(),
            "launchType": service.launch_type,
            "platformFamily": "Linux",
            "rolloutState": "IN_PROGRESS",
            "networkConfiguration": network,
        }
        self.told["rolloutStateReason"] = reason or f"ECS deployment {self.id} in progress."

    @property
    def id(self):
        return self.told["id"]

    def state(self, state, reason):
        self.told.update(rolloutState=state, rolloutStateReason=reason, updatedAt=now())

    @property
    def staying(self):
        return [it for it in self.lives if not it.stopping.is_set() and it not in self.leaving]

    @property
    def leaving(self):
        return [it for it in self.lives if it.leaves and not it.ended.is_set()]


class Scheduler:
    """Keeps one service's tasks."""

    def __init__(self, backend, service):
        self.backend, self.service = backend, service
        self.lock = threading.RLock()
        self.deployments = []
        self.completed = None
        self.wait = 0.0
        self.problem = None
        service.events = []
        self.deploy()
        threading.Thread(target=self.keep, daemon=True).start()

    def event(self, text):
        told = {"id": str(uuid.uuid4()), "createdAt": now(), "message": f"(service {self.service.name}) {text}"}
        self.service.events = [told, *self.service.events][:EVENTS]

    def deploy(self):
        """Rolls out what the service says now."""
        with self.lock:
            definition = self.backend.describe_task_definition(self.service.task_definition)
            self.lead(Deployment(self.service, definition, self.service.network_configuration))

    def lead(self, deployment):
        for other in self.deployments:
            other.told["status"] = "ACTIVE"
        deployment.told["status"] = "PRIMARY"
        self.deployments = [deployment, *(it for it in self.deployments if it is not deployment)]
        self.wait = 0.0
        self.tell()

    @property
    def primary(self):
        return self.deployments[0]

    def keep(self):
        while self.service.status != "INACTIVE":
            try:
                with self.lock:
                    self.look()
                self.problem = None
            except Exception as error:  # The sandbox's own trouble: told once.
                if repr(error) != self.problem:
                    self.problem = repr(error)
                    say(f"service {self.service.name}: {self.problem}")
            time.sleep(LOOK)

    def look(self):
        service = self.service
        self.bury()
        self.register()
        self.judge()
        if service.status == "DRAINING":
            for life in self.all_staying():
                self.leave(life, f"Scaling activity initiated by (deployment {self.primary.id})")
            if not any(it.lives for it in self.deployments):
                service.status = "INACTIVE"
        elif self.primary.told["rolloutState"] != "FAILED":
            self.scale()
        self.drain()
        self.tell()
        self.settle()

    def all_staying(self):
        return [life for it in self.deployments for life in it.staying]

    def bury(self):
        """Forgets tasks that have ended; counts those that ended by themselves."""
        for deployment in self.deployments:
            for life in [it for it in deployment.lives if it.stopping.is_set() and not it.leaves]:
                # It has ended by itself, or somebody stopped it.
                life.leaves = time.monotonic()
                self.deregister(life)
                if life.failed:
                    self.failed(deployment, life)
            deployment.lives = [it for it in deployment.lives if not it.ended.is_set()]

    def failed(self, deployment, life):
        deployment.failures += 1
        deployment.told["failedTasks"] = deployment.failures
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
        self.wait = time.monotonic() + min(0.25 * 2**deployment.failures, 30)
        enough = max(LEAST_FAILURES, min(math.ceil(self.service.desired_count / 2), MOST_FAILURES))
        configuration = getattr(self.service, "deployment_configuration", None) or {}
        breaker = configuration.get("deploymentCircuitBreaker") or {}
        if deployment.told["rolloutState"] != "IN_PROGRESS" or deployment.failures < enough:
            if deployment.failures == enough:
                self.event(
                    "is unable to consistently start tasks successfully. For more information, see the "
                    "Troubleshooting section of the Amazon ECS Developer Guide."
                )
            return
        if not breaker.get("enable"):
            return
        deployment.state("FAILED", "ECS deployment circuit breaker: tasks failed to start.")
        self.event(f"(deployment {deployment.id}) deployment failed: tasks failed to start.")
        if deployment is self.primary and breaker.get("rollback") and self.completed:
            self.roll_back()
        for it in deployment.staying:
            self.leave(it, f"Scaling activity initiated by (deployment {self.primary.id})")

    def roll_back(self):
        definition, network, last = self.completed
        self.event(f"rolling back to (deployment {last}).")
        there = next((it for it in self.deployments if it.id == last), None)
        reason = f"ECS deployment circuit breaker: rolling back to deploymentId {last}"
        back = there or Deployment(self.service, definition, network)
        back.state("IN_PROGRESS", reason)
        back.steady = False
        self.service.task_definition = definition.arn
        self.lead(back)

    # Targets.

    def groups(self):
        """Target groups, with the container's port."""
        elb = elbv2_backends[self.backend.account_id][self.backend.region_name]
        for it in self.service.load_balancers or []:
            group = elb.target_groups.get(it.get("targetGroupArn"))
            if group:
                yield group, it["containerPort"]

    def register(self):
        for life in self.all_staying():
            if not life.is_running or life.registered:
                continue
            life.registered = True
            for group, port in self.groups():
                group.register([{"Id": life.address, "Port": port}])
                self.event(f"registered 1 targets in (target-group {group.arn})")

    def deregister(self, life):
        if not life.registered:
            return
        life.registered = False
        for group, _ in self.groups():
            if life.address in group.targets:
                group.deregister([{"Id": life.address}])
                self.event(f"deregistered 1 targets in (target-group {group.arn})")

    def judge(self):
        """Looks which tasks are well; those that the load balancer or their own check finds ill go."""
        grace = getattr(self.service, "health_check_grace_period_seconds", None) or 0
        for deployment in self.deployments:
            for life in deployment.staying:
                if not life.is_running:
                    life.healthy = False
                    continue
                own = getattr(life.task, "health_status", None)
                verdicts = [(group, balancers.verdict(group, life.address)) for group, _ in self.groups()]
                checked = any(it.get("healthCheck") for it in life.definition.container_definitions)
                life.healthy = all(it.state == "healthy" for _, it in verdicts) and (not checked or own == "HEALTHY")
                bad = next(((group, it) for group, it in verdicts if it.state == "unhealthy"), None)
                young = (now() - life.started).total_seconds() < grace
                if not bad or young:
                    life.ill = None
                elif not life.ill:
                    life.ill = time.monotonic()
                if own == "UNHEALTHY":
                    life.failed = True
                    self.event(f"(task {life.task.id}) failed container health checks.")
                    life.stop("ServiceSchedulerInitiated", "Task failed container health checks")
                elif life.ill and time.monotonic() - life.ill > ILL:
                    group, verdict = bad
                    life.failed = True
                    port = next(port for it, port in self.groups() if it is group)
                    self.event(
                        f"(port {port}) is unhealthy in (target-group {group.arn}) due to (reason {verdict.description})"
                    )
                    life.stop(
                        "ServiceSchedulerInitiated", f"Task failed ELB health checks in (target-group {group.arn})"
                    )

    # Tasks.

    def scale(self):
        service = self.service
        configuration = getattr(service, "deployment_configuration", None) or {}
        wanted = service.desired_count
        least = math.ceil(wanted * configuration.get("minimumHealthyPercent", 100) / 100)
        most = math.floor(wanted * configuration.get("maximumPercent", 200) / 100)
        reason = f"Scaling activity initiated by (deployment {self.primary.id})"
        # Those that are ill or young first.
        order = lambda life: (bool(life.healthy), life.started is not None)
        surplus = sorted(self.primary.staying, key=order)[: max(0, len(self.primary.staying) - wanted)]
        for life in surplus:
            self.leave(life, reason)
        old = [life for it in self.deployments[1:] for life in it.staying]
        well = sum(bool(it.healthy) for it in self.all_staying())
        # No more of the old ones go than are replaced, or may be missing.
        for life in sorted(old, key=order):
            if life.healthy and well - 1 < least:
                continue
            well -= bool(life.healthy)
            self.leave(life, reason)
        room = most - sum(len(it.lives) for it in self.deployments)
        missing = min(wanted - len(self.primary.staying), room)
        if missing > 0 and time.monotonic() >= self.wait:
            begun = [self.begin() for _ in range(missing)]
            names = " ".join(f"(task {it.task.id})" for it in begun)
            self.event(f"has started {missing} tasks: {names}.")
            self.primary.steady = False

    def begin(self):
        service, deployment = self.service, self.primary
        tags = {"SERVICE": service.tags, "TASK_DEFINITION": deployment.definition.tags}
        life = Life(
            self.backend,
            self.backend._get_cluster(service.cluster_name),
            deployment.definition,
            group=f"service:{service.name}",
            launch_type=service.launch_type or "FARGATE",
            started_by=deployment.id,
            tags=tags.get(service.propagate_tags),
            network=deployment.network,
        )
        deployment.lives.append(life)
        return life

    def leave(self, life, reason):
        """Takes a task out of service; it stops when its requests have ended."""
        life.leaves, life.reason = time.monotonic(), reason
        self.deregister(life)

    def drain(self):
        for life in [it for deployment in self.deployments for it in deployment.leaving]:
            if life.stopping.is_set():
                continue
            waited = time.monotonic() - life.leaves
            if all(balancers.is_drained(group, life.address, waited) for group, _ in self.groups()):
                self.event(f"has stopped 1 running tasks: (task {life.task.id}).")
                life.stop("ServiceSchedulerInitiated", life.reason)

    # What is told.

    def tell(self):
        for deployment in self.deployments:
            staying = deployment.staying
            running = sum(it.is_running for it in staying)
            desired = self.service.desired_count if deployment is self.primary else len(staying)
            if deployment.told["rolloutState"] == "FAILED":
                desired = 0
            deployment.told.update(desiredCount=desired, runningCount=running, pendingCount=len(staying) - running)
        self.service.deployments = [it.told for it in self.deployments]
        self.service.running_count = sum(it.is_running for d in self.deployments for it in d.lives)
        self.service.pending_count = sum(it["pendingCount"] for it in self.service.deployments)

    def settle(self):
        primary = self.primary
        self.deployments = [it for it in self.deployments if it is primary or it.lives]
        alone = len(self.deployments) == 1 and not primary.leaving
        well = sum(bool(it.healthy) for it in primary.staying) == self.service.desired_count
        if not (alone and well and len(primary.staying) == self.service.desired_count):
            return
        if self.service.status != "ACTIVE" or primary.told["rolloutState"] == "FAILED":
            return
        if primary.told["rolloutState"] == "IN_PROGRESS":
            primary.state("COMPLETED", f"ECS deployment {primary.id} completed.")
            self.completed = (primary.definition, primary.network, primary.id)
            self.event(f"(deployment {primary.id}) deployment completed.")
        if not primary.steady:
            primary.steady = True
            self.event("has reached a steady state.")
        self.tell()


def stop_of_one(backend, task_arn, reason):
    """`StopTask`: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html"""
    life = lives.get(task_arn)
    if life:
        life.stop("UserInitiated", reason or "Task stopped by user")
    return life
