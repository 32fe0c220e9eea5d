"""Load balancers that answer: HAProxy at an address of each, health checks of the targets.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

import atexit
import ctypes
import http.client
import ipaddress
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

from moto.acm import acm_backends
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from patch import replaces

SUBNET = ipaddress.ip_network(os.environ["TIDEWALK_SUBNET"])
DEVICE = os.environ["TIDEWALK_DEVICE"]
# The part of the network whose addresses load balancers have.
FIRST, COUNT = 3841, 253
# Targets of one group that requests are sent to, at most.
SLOTS = 32
# Seconds between two looks at what is there.
LOOK = 0.1
# Seconds from a target's registration to its first check.
FIRST_CHECK = 1
PR_SET_PDEATHSIG = 1


def say(text):
    print(f"load balancers: {text}", file=sys.stderr, flush=True)


@dataclass
class Verdict:
    """How a target is, in AWS's words."""

    state: str = "initial"
    reason: str = "Elb.RegistrationInProgress"
    description: str = "Target registration is in progress"


UNUSED = Verdict("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
DRAINING = Verdict("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")


class Checked:
    """One target that is looked at again and again."""

    def __init__(self, group, target):
        self.group, self.id, self.port = group, target["Id"], int(target["Port"])
        self.verdict = Verdict()
        self.passed = self.missed = 0
        self.drains_since = None
        threading.Thread(target=self.check, daemon=True).start()

    @property
    def is_there(self):
        return self.id in self.group.targets

    def check(self):
        time.sleep(FIRST_CHECK)
        while self.is_there:
            begun = time.monotonic()
            code, problem = self.ask()
            if not self.is_there:
                return
            self.note(code, problem)
            pause = int(self.group.health_check_interval_seconds)
            time.sleep(max(0, pause - (time.monotonic() - begun)))

    def ask(self):
        port = self.group.health_check_port
        port = self.port if port in (None, "traffic-port") else int(port)
        timeout = int(self.group.health_check_timeout_seconds)
        secure = {"context": ssl._create_unverified_context()} if self.group.health_check_protocol == "HTTPS" else {}
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self.id, port, timeout=timeout, **secure)
        try:
            connection.request("GET", self.group.health_check_path or "/", headers={"User-Agent": "ELB-HealthChecker/2.0"})
            answer = connection.getresponse()
            answer.read()
            return answer.status, None
        except TimeoutError:
            return None, ("Target.Timeout", "Request timed out")
        except (OSError, http.client.HTTPException):
            return None, ("Target.FailedHealthChecks", "Health checks failed")
        finally:
            connection.close()

    def note(self, code, problem):
        if code is not None and fits(code, (self.group.matcher or {}).get("HttpCode", "200")):
            self.passed, self.missed = self.passed + 1, 0
            # A new target has to pass once.
            enough = 1 if self.verdict.state == "initial" else int(self.group.healthy_threshold_count)
            if self.verdict.state != "healthy" and self.passed >= enough:
                self.verdict = Verdict("healthy", None, None)
            return
        self.passed, self.missed = 0, self.missed + 1
        if code is not None:
            problem = ("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]")
        if self.missed >= int(self.group.unhealthy_threshold_count):
            self.verdict = Verdict("unhealthy", *problem)


def fits(code, matcher):
    """`200,301-302`"""
    for part in str(matcher).split(","):
        low, _, high = part.partition("-")
        if int(low) <= code <= int(high or low):
            return True
    return False


class Fleet:
    """All load balancers of the sandbox, in one HAProxy."""

    def __init__(self):
        self.lock = threading.RLock()
        self.backends = []
        self.checked = {}
        self.slots = {}
        self.addresses = {}
        self.given = 0
        self.written = None
        self.process = None
        self.problem = None
        self.folder = tempfile.mkdtemp(prefix="tidewalk-lb-")
        self.socket = os.path.join(self.folder, "admin")
        atexit.register(self.end)
        threading.Thread(target=self.keep, daemon=True).start()

    def end(self):
        if self.process:
            self.process.terminate()

    def know(self, backend):
        with self.lock:
            if backend not in self.backends:
                self.backends.append(backend)

    def address(self, balancer):
        """The address of a load balancer, which this machine answers at."""
        with self.lock:
            if balancer.arn not in self.addresses:
                address = str(SUBNET[FIRST + self.given % COUNT])
                self.given += 1
                subprocess.run(["ip", "address", "replace", f"{address}/32", "dev", DEVICE], check=True)
                self.addresses[balancer.arn] = address
            return self.addresses[balancer.arn]

    def keep(self):
        while True:
            try:
                with self.lock:
                    self.look()
                self.problem = None
            except Exception as error:  # The sandbox's own trouble: told once.
                if repr(error) != self.problem:
                    self.problem = repr(error)
                    say(self.problem)
            time.sleep(LOOK)

    def look(self):
        for backend in self.backends:
            for group in [it for it in backend.target_groups.values() if it.target_type == "ip"]:
                for target in list(group.targets.values()):
                    key = (group.arn, target["Id"])
                    known = self.checked.get(key)
                    if not known or known.drains_since:
                        self.checked[key] = Checked(group, target)
        for key, it in list(self.checked.items()):
            if not it.is_there and not it.drains_since:
                it.drains_since = time.monotonic()
        self.configure()
        if self.process:
            self.aim()

    # HAProxy's files and commands.

    def configure(self):
        """Writes the configuration anew and has it loaded, when listeners or groups changed."""
        there = {lb.arn for backend in self.backends for lb in backend.load_balancers.values()}
        for arn in [it for it in self.addresses if it not in there]:
            address = self.addresses.pop(arn)
            subprocess.run(["ip", "address", "delete", f"{address}/32", "dev", DEVICE], check=False)
        text = self.configuration()
        if text == self.written:
            return
        path = os.path.join(self.folder, "haproxy.cfg")
        with open(path, "w") as file:
            file.write(text)
        if self.process is None:
            command = ["haproxy", "-W", "-db", "-q", "-f", path]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
            self.wait_for(lambda: os.path.exists(self.socket))
        else:
            before = self.started()
            self.process.send_signal(signal.SIGUSR2)
            self.wait_for(lambda: self.started() != before)
        self.written = text
        self.slots.clear()

    def wait_for(self, there):
        for _ in range(200):
            if there():
                return
            time.sleep(0.02)
        raise RuntimeError("HAProxy does not answer")

    def started(self):
        """What tells one life of HAProxy from the next."""
        try:
            lines = self.command("show info").splitlines()
            return next(it for it in lines if it.startswith("Pid:"))
        except OSError:
            return None

    def configuration(self):
        lines = [
            "global",
            f"  stats socket {self.socket} mode 600 level admin expose-fd listeners",
            "  maxconn 2000",
            "  log stderr format raw local0 err",
            "defaults",
            "  mode http",
            "  timeout connect 5s",
            "  timeout client 60s",
            "  timeout server 60s",
            "  timeout tunnel 1h",
            # A connection to a target that ends meanwhile would fail a request.
            "  http-reuse never",
            "  option forwardfor",
            # What nobody waits for any more is in nobody's way.
            "  option abortonclose",
        ]
        for backend in self.backends:
            for balancer in backend.load_balancers.values():
                for listener in balancer.listeners.values():
                    lines += self.front(backend, balancer, listener)
        for backend in self.backends:
            for group in backend.target_groups.values():
                name = named(group.arn)
                lines += [f"backend {name}", "  balance roundrobin"]
                secure = " ssl verify none" if group.protocol == "HTTPS" else ""
                lines.append(f"  server-template t 1-{SLOTS} 127.0.0.1:1{secure} disabled")
        return "\n".join([*lines, ""])

    def front(self, backend, balancer, listener):
        bind = f"  bind {self.address(balancer)}:{listener.port}"
        if listener.protocol == "HTTPS":
            bind += f" ssl crt {self.certificate(backend, listener.certificates)}"
        lines = [
            f"frontend {named(listener.arn)}",
            bind,
            f"  http-request set-header X-Forwarded-Proto {listener.protocol.lower()}",
            f"  http-request set-header X-Forwarded-Port {listener.port}",
        ]
        rules = sorted(listener._non_default_rules.values(), key=lambda it: int(it.priority))
        for rule in rules:
            name = f"rule{rule.priority}"
            tests = [f"{name}c{number}" for number, _ in enumerate(rule.conditions)]
            for test, condition in zip(tests, rule.conditions):
                lines.append(f"  acl {test} {matched(condition)}")
            lines += self.acts(rule.actions, " if " + " ".join(tests))
        lines += self.acts(listener.default_actions, "")
        return lines

    def acts(self, actions, when):
        action = next((it for it in actions if it.type in ("forward", "redirect", "fixed-response")), None)
        if action is None:
            return []
        if action.type == "fixed-response":
            told = action.data["FixedResponseConfig"]
            body = (told.get("MessageBody") or "").replace('"', '\\"')
            kind = told.get("ContentType") or "text/plain"
            return [f'  http-request return status {told["StatusCode"]} content-type "{kind}" string "{body}"{when}']
        if action.type == "redirect":
            told = action.data["RedirectConfig"]
            code = told["StatusCode"].removeprefix("HTTP_")
            parts = {"protocol": "%[hdr(X-Forwarded-Proto)]", "host": "%[hdr(host),field(1,:)]", "port": told.get("Port", "443")}
            parts |= {"path": "%[path]", "query": "%[query]"}
            protocol = told.get("Protocol", "#{protocol}").lower().replace("#{protocol}", parts["protocol"])
            host = told.get("Host", "#{host}").replace("#{host}", parts["host"])
            return [f"  http-request redirect code {code} location {protocol}://{host}:{parts['port']}%[pathq]{when}"]
        data = action.data
        groups = [it["TargetGroupArn"] for it in (data.get("ForwardConfig") or {}).get("TargetGroups", [])]
        group = named(data.get("TargetGroupArn") or groups[0])
        return [f"  use_backend {group}{when}" if when else f"  default_backend {group}"]

    def certificate(self, backend, arns):
        known = acm_backends[backend.account_id][backend.region_name]._certificates
        arn = next(it["certificate_arn"] if isinstance(it, dict) else it for it in arns)
        certificate = known[arn]
        path = os.path.join(self.folder, f"{named(arn)}.pem")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(certificate.cert + (certificate.chain or b"") + certificate.key)
        return path

    def command(self, text):
        with socket.socket(socket.AF_UNIX) as way:
            way.settimeout(5)
            way.connect(self.socket)
            way.sendall(text.encode() + b"\n")
            parts = []
            while piece := way.recv(65536):
                parts.append(piece)
        return b"".join(parts).decode()

    def aim(self):
        """Sends requests to the targets that are well, and to no others."""
        commands = []
        for key, it in self.checked.items():
            group = named(it.group.arn)
            state = "ready" if it.verdict.state == "healthy" else "maint"
            if it.drains_since:
                state = "drain"
            slot, now_so = self.slots.get(key, (None, "maint"))
            if slot is None and state != "ready":
                continue
            if slot is None:
                taken = {number for (arn, _), (number, _) in self.slots.items() if arn == it.group.arn}
                slot = next(number for number in range(1, SLOTS + 1) if number not in taken)
                commands.append(f"set server {group}/t{slot} addr {it.id} port {it.port}")
            if state != now_so:
                commands.append(f"set server {group}/t{slot} state {state}")
            self.slots[key] = (slot, state)
        if commands:
            self.command("; ".join(commands))

    def open_requests(self, key):
        slot, _ = self.slots.get(key, (None, None))
        if slot is None:
            return 0
        group = named(key[0])
        for line in self.command("show stat").splitlines():
            fields = line.split(",")
            if fields[:2] == [group, f"t{slot}"]:
                return int(fields[4] or 0)
        return 0

    def forget(self, key):
        slot, _ = self.slots.pop(key, (None, None))
        if slot is not None and self.process:
            self.command(f"set server {named(key[0])}/t{slot} state maint")
        self.checked.pop(key, None)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def named(arn):
    return "n-" + arn.split(":", 5)[-1].replace("/", "-").replace(":", "-")


def matched(condition):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html"""
    field = condition["Field"]
    config = condition.get({"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig"}.get(field, "")) or {}
    values = config.get("Values") or condition.get("Values") or []
    patterns = ["^" + "".join({"*": ".*", "?": "."}.get(c, c if c.isalnum() or c in "/-_~" else "\\" + c) for c in it) + "$" for it in values]
    what = {"path-pattern": "path_reg", "host-header": "hdr_reg(host) -i"}[field]
    return f"{what} {' '.join(patterns)}"


fleet = Fleet()


def verdict(group, address):
    """How a target is."""
    if not group.load_balancer_arns:
        return UNUSED
    it = fleet.checked.get((group.arn, address))
    return it.verdict if it else Verdict()


def is_drained(group, address, waited):
    """Whether nothing waits for an answer of a target that was taken out.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
    """
    key = (group.arn, address)
    with fleet.lock:
        it = fleet.checked.get(key)
        if it is None:
            return True
        late = waited > int(group.attributes["deregistration_delay.timeout_seconds"])
        # What was on its way when it was taken out has arrived by then.
        if late or (it.drains_since and waited > 5 * LOOK and fleet.open_requests(key) == 0):
            fleet.forget(key)
            return True
    return False


@replaces(ELBv2Backend)
def create_load_balancer(old, self, *args, **kwargs):
    """It answers at its name, which is an address here."""
    balancer = old(self, *args, **kwargs)
    fleet.know(self)
    if balancer.type == "application":
        balancer.dns_name = fleet.address(balancer)
    return balancer


@replaces(ELBv2Backend)
def create_target_group(old, self, *args, **kwargs):
    fleet.know(self)
    return old(self, *args, **kwargs)


@replaces(FakeTargetGroup)
def health_for(old, self, target, ec2_backend):
    told = old(self, target, ec2_backend)
    it = fleet.checked.get((self.arn, target["Id"]))
    if self.target_type != "ip" or it is None:
        return told
    so = DRAINING if it.drains_since else verdict(self, target["Id"])
    return FakeHealthStatus(it.id, it.port, self.health_check_port, so.state, so.reason, so.description)


@replaces(ELBv2Backend)
def describe_target_health(old, self, target_group_arn, targets):
    """Those that are taken out are told while they drain."""
    told = old(self, target_group_arn, targets)
    if not targets:
        group, there = self.target_groups[target_group_arn], {it.instance_id for it in told}
        for (arn, _), it in list(fleet.checked.items()):
            if arn == target_group_arn and it.drains_since and it.id not in there:
                told.append(group.health_for({"Id": it.id, "Port": it.port}, self.ec2_backend))
    return told
