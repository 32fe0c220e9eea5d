"""ECS tasks that run: containers of Docker Engine, in the network of the sandbox's hosts.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

import ipaddress
import os
import queue
import sys
import threading
import time
from copy import deepcopy
from datetime import datetime, timezone

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from moto.ec2 import ec2_backends
from moto.ecs.models import Container, Task

import agent

NETWORK = os.environ["TIDEWALK_NETWORK"]
SUBNET = ipaddress.ip_network(os.environ["TIDEWALK_SUBNET"])
# The part of the network whose addresses tasks have.
FIRST, COUNT = 1536, 510
# Seconds between SIGTERM and SIGKILL:
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
STOP_TIMEOUT = 30
# Output is sent on when so many lines are there, or nothing came for so long.
LINES, QUIET = 500, 0.2

engine = docker.from_env(timeout=600)


def now():
    return datetime.now(timezone.utc)


def say(text):
    print(f"services: {text}", file=sys.stderr, flush=True)


class Addresses:
    """Those of tasks; one that was given back is given out last."""

    def __init__(self):
        self.free = queue.Queue()
        for offset in range(FIRST, FIRST + COUNT):
            self.free.put(str(SUBNET[offset]))

    def take(self):
        try:
            return self.free.get_nowait()
        except queue.Empty:
            raise Failed("RESOURCE:ENI", "no address is left in the network") from None

    def give_back(self, address):
        self.free.put(address)


addresses = Addresses()


class Failed(Exception):
    """A task that cannot start: the reason, and the container that is at fault."""

    def __init__(self, reason, message, container=None):
        super().__init__(f"{reason}: {message}")
        self.container = container


class Life:
    """One task, from its first container to its last."""

    def __init__(self, backend, cluster, definition, *, group, launch_type, started_by="", tags=None, network=None, overrides=None):
        network = deepcopy(network) or None
        if network:
            network["awsvpcConfiguration"].setdefault("securityGroups", [])
        self.backend = backend
        self.definition = definition
        self.task = Task(
            cluster=cluster,
            task_definition=definition,
            container_instance_arn=None,
            resource_requirements=None,
            backend=backend,
            group=group,
            launch_type=launch_type,
            overrides=overrides,
            started_by=started_by,
            tags=tags,
            networking_configuration=network,
        )
        # Its state is what its containers do, not what it was asked how often.
        self.task._transitions = []
        self.task.status = "PROVISIONING"
        self.task.created_at = now()
        self.task.cpu, self.task.memory = definition.cpu, definition.memory
        self.address = None
        self.started = None
        self.interface = None
        # It ended, or has to end, by its own fault.
        self.failed = False
        # What its service knows of it: whether it is well, since when it is ill or leaves, and why.
        self.healthy = self.registered = False
        self.ill = self.leaves = self.reason = None
        self.containers = {}
        self.stopping = threading.Event()
        self.ended = threading.Event()
        self.threads = []
        self.task.containers = [self.listed(it) for it in definition.container_definitions]
        backend.tasks.setdefault(cluster.name, {})[self.task.task_arn] = self.task
        lives[self.task.task_arn] = self
        threading.Thread(target=self.live, daemon=True).start()

    def listed(self, wanted):
        told = Container(self.definition)
        told.name, told.image = wanted["name"], wanted.get("image")
        told.cpu, told.memory = wanted.get("cpu", 0), wanted.get("memory")
        told.task_arn = self.task.task_arn
        told.last_status, told.health_status = "PENDING", "UNKNOWN"
        # Until it has ended, it has none.
        del told.exitCode
        return told

    def told(self, name):
        return next(it for it in self.task.containers if it.name == name)

    def stop(self, code, reason):
        """Asks it to stop; what was asked first counts."""
        if not self.stopping.is_set():
            self.task.stop_code, self.task.stopped_reason = code, reason
            self.task.desired_status = "STOPPED"
            self.stopping.set()

    @property
    def is_running(self):
        return self.started is not None and not self.stopping.is_set()

    def live(self):
        try:
            self.start()
        except Failed as failed:
            if failed.container:
                self.told(failed.container).reason = str(failed)
            self.failed = not self.stopping.is_set()
            self.stop("TaskFailedToStart", str(failed))
        except Exception as error:  # The sandbox's own trouble: told where its messages go.
            say(f"task {self.task.id}: {error!r}")
            self.failed = not self.stopping.is_set()
            self.stop("TaskFailedToStart", f"Unexpected: {error}")
        self.stopping.wait()
        try:
            self.end()
        except Exception as error:
            say(f"task {self.task.id}: {error!r}")
        self.task.status = "STOPPED"
        self.task.stopped_at = now()
        self.ended.set()

    def start(self):
        self.address = addresses.take()
        self.attach()
        wanted = self.definition.container_definitions
        secrets = {it["name"]: agent.secrets(self, it) for it in wanted}
        self.task.status = "PENDING"
        self.task.pull_started_at = now()
        images = {it["name"]: agent.image(self, it) for it in wanted}
        self.task.pull_stopped_at = now()
        agent.open_logs(self, wanted)
        for it in wanted:
            if self.stopping.is_set():
                return
            self.run(it, images[it["name"]], secrets[it["name"]])
        self.task.started_at = self.started = now()
        self.task.status, self.task.connectivity = "RUNNING", "CONNECTED"

    def attach(self):
        """Its network interface has the address that it can be reached at."""
        for attachment in self.task.attachments:
            details = {it["name"]: it for it in attachment["details"]}
            details["privateIPv4Address"]["value"] = self.address
            self.interface = details["networkInterfaceId"]["value"]
            for told in self.task.containers:
                told.network_interfaces = [{"attachmentId": attachment["id"], "privateIpv4Address": self.address}]

    def run(self, wanted, image, secrets):
        name, api = wanted["name"], engine.api
        first = next(iter(self.containers.values()), None)
        environment = {it["name"]: it["value"] for it in wanted.get("environment", [])}
        override = next((it for it in (self.task.overrides or {}).get("containerOverrides", []) if it["name"] == name), {})
        environment.update({it["name"]: it["value"] for it in override.get("environment", [])})
        limit = wanted.get("memory") or self.definition.memory
        host = {
            "network_mode": NETWORK if first is None else f"container:{first}",
            "mem_limit": f"{limit}m" if limit else None,
            "log_config": {"type": "json-file", "config": {"max-size": "16m"}},
        }
        if wanted.get("memory") or limit:
            host["memswap_limit"] = host["mem_limit"]
        own = {
            "image": image,
            "command": override.get("command") or wanted.get("command") or None,
            "entrypoint": wanted.get("entryPoint") or None,
            "environment": {**agent.environment(self), **environment, **secrets},
            "user": wanted.get("user"),
            "working_dir": wanted.get("workingDirectory"),
            "labels": {os.environ["TIDEWALK_LABEL"]: os.environ["TIDEWALK_SANDBOX"]},
            "healthcheck": health_check(wanted.get("healthCheck")),
            "host_config": api.create_host_config(**{key: value for key, value in host.items() if value}),
        }
        if first is None:
            endpoint = api.create_endpoint_config(ipv4_address=self.address)
            own["networking_config"] = api.create_networking_config({NETWORK: endpoint})
        label = f"tidewalk-{os.environ['TIDEWALK_SANDBOX']}-task-{self.task.id[:8]}-{name}"
        told = self.told(name)
        try:
            made = api.create_container(name=label, **{key: value for key, value in own.items() if value})["Id"]
            self.containers[name] = made
            api.start(made)
        except APIError as error:
            raise Failed("CannotStartContainerError", f"Error response from daemon: {error.explanation}", name) from None
        told.runtime_id, told.last_status = made, "RUNNING"
        threading.Thread(target=self.watch, args=(wanted, made), daemon=True).start()
        if (wanted.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            logs = threading.Thread(target=agent.ship, args=(self, wanted, made), daemon=True)
            self.threads.append(logs)
            logs.start()

    def watch(self, wanted, made):
        """Waits for the container's end; an essential one's ends the task."""
        told = self.told(wanted["name"])
        if wanted.get("healthCheck"):
            threading.Thread(target=self.feel, args=(told, made), daemon=True).start()
        while True:
            try:
                status = engine.api.wait(made, timeout=None)["StatusCode"]
                state = engine.api.inspect_container(made)["State"]
                break
            except NotFound:
                return
            except DockerException as error:
                say(f"task {self.task.id}: {error!r}")
                time.sleep(1)
        told.exitCode, told.last_status = status, "STOPPED"
        if state.get("OOMKilled"):
            told.reason = "OutOfMemoryError: Container killed due to memory usage"
        if wanted.get("essential", True) and not self.stopping.is_set():
            self.failed = True
            self.stop("EssentialContainerExited", "Essential container in task exited")

    def feel(self, told, made):
        """Looks at a container's own health check."""
        words = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}
        while not self.ended.is_set():
            try:
                health = engine.api.inspect_container(made)["State"].get("Health", {}).get("Status")
            except DockerException:
                return
            told.health_status = words.get(health, "UNKNOWN")
            states = [it.health_status for it in self.task.containers if it.health_status != "UNKNOWN"]
            self.task.health_status = "UNHEALTHY" if "UNHEALTHY" in states else told.health_status
            time.sleep(0.5)

    def end(self):
        self.task.stopping_at = now()
        self.task.status = "STOPPING"
        limits = {it["name"]: it.get("stopTimeout") or STOP_TIMEOUT for it in self.definition.container_definitions}
        for name, made in reversed(self.containers.items()):
            try:
                engine.api.stop(made, timeout=limits[name])
            except NotFound:
                pass
        self.task.execution_stopped_at = now()
        for thread in self.threads:
            thread.join(10)
        # `watch` has seen each of them end.
        waited = time.monotonic() + 5
        while any(self.told(name).last_status != "STOPPED" for name in self.containers) and time.monotonic() < waited:
            time.sleep(0.02)
        self.task.status = "DEPROVISIONING"
        for made in reversed(self.containers.values()):
            try:
                engine.api.remove_container(made, v=True, force=True)
            except NotFound:
                pass
        for told in self.task.containers:
            told.last_status = "STOPPED"
        if self.interface:
            ec2_backends[self.backend.account_id][self.backend.region_name].enis.pop(self.interface, None)
        if self.address:
            addresses.give_back(self.address)


def health_check(wanted):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html"""
    if not wanted:
        return None
    second = 1_000_000_000
    return {
        "test": wanted["command"],
        "interval": wanted.get("interval", 30) * second,
        "timeout": wanted.get("timeout", 5) * second,
        "retries": wanted.get("retries", 3),
        "start_period": wanted.get("startPeriod", 0) * second,
    }


# By the task's ARN.
lives = {}
