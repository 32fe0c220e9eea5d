"""measure.py: runs the job with every tool, interleaved, and appends a JSON line a run to
$BENCH_DIR/results.jsonl. CPU is split by control group: ctl (the tool and its ssh clients), fleet
(sshd and all it starts); other is the rest of the machine, so that a spoiled run shows."""
import argparse
import fcntl
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

import fleet
from fleet import DIR, HERE, SSHD, Group

JOB = HERE / "job"
HOSTS = DIR / "hosts"
REFERENCE = DIR / "reference"
TIDEWALK = os.environ["TIDEWALK"]
SSH = f"-F none -o IdentitiesOnly=yes -o UserKnownHostsFile={SSHD}/known_hosts"
PERSIST = f"{SSH} -o ControlMaster=auto -o ControlPersist=600s"
FIRST, AGAIN, KEPT, PLAN = PHASES = ("first", "again", "kept", "plan")
KEEPS = "10m"


def tidewalk(phase, hosts, net, env):
    key = (SSHD / "host_ed25519.pub").read_text().split()
    own = {
        "addresses": [fleet.address(net, i) for i in range(1, hosts + 1)],
        "identity": f"{SSHD}/id_ed25519",
        "host_key": " ".join(key[:2]),
        "root": str(HOSTS),
        "blob": f"{DIR}/blob.bin",
    }
    # JSON is YAML.
    values = DIR / f"tidewalk-{net}-{hosts}.yml"
    values.write_text(json.dumps(own))
    env["XDG_RUNTIME_DIR"] = f"{DIR}/run"
    # A folder of its own for the journal.
    job = DIR / "job"
    if phase == KEPT:
        env["TIDEWALK_KEEP_CONNECTIONS"] = KEEPS
    words = ["plan"] if phase == PLAN else ["apply", "--yes"]
    files = [word for file in (JOB / "vars.yml", values) for word in ("--vars-file", file)]
    return [TIDEWALK, *words, job / "tidewalk.yml", *files, "--parallelism", "64"]


def ansible(venv, strategy, phase, hosts, net, env):
    mitogen = strategy.startswith("mitogen")
    env.update(
        ANSIBLE_CONFIG=f"{JOB}/ansible.cfg", BENCH_STRATEGY=strategy, ANSIBLE_SSH_CONTROL_PATH_DIR=f"{DIR}/cm",
        ANSIBLE_SSH_ARGS=SSH if mitogen else PERSIST, ANSIBLE_HOME=f"{DIR}/ansible-home", ANSIBLE_NOCOLOR="1",
    )
    if mitogen:
        where = "import ansible_mitogen as m, os; print(os.path.dirname(m.__file__) + '/plugins/strategy')"
        path = subprocess.check_output([DIR / venv / "bin/python", "-c", where], text=True)
        env["ANSIBLE_STRATEGY_PLUGINS"] = path.strip()
    inventory = DIR / f"ansible-{net}-{hosts}"
    login = f"ansible_port=2222\nansible_user=root\nansible_ssh_private_key_file={SSHD}/id_ed25519\n"
    names = "".join(f"{fleet.address(net, i)}\n" for i in range(1, hosts + 1))
    inventory.write_text(f"[fleet]\n{names}\n[fleet:vars]\n{login}")
    dry = ["--check", "--diff"] if phase == PLAN else []
    return [DIR / venv / "bin/ansible-playbook", "-i", inventory, JOB / "ansible.yml", *dry]


def pyinfra(phase, hosts, net, env):
    env.update(BENCH_N=str(hosts), BENCH_NET=fleet.NETS[net])
    dry = ["--dry", "--diff"] if phase == PLAN else ["-y"]
    return [DIR / "venv-pyinfra/bin/pyinfra", "--parallel", "64", *dry, JOB / "pyinfra_inventory.py", JOB / "pyinfra_deploy.py"]


def floor(what):
    return lambda phase, hosts, net, env: [sys.executable, HERE / "floor.py", what, str(hosts), net]


class Tool:
    """How a tool is run; up to how many hosts on each net unless asked otherwise; in which phases."""

    def __init__(self, command, phases=PHASES, lo=64, wan=64):
        self.command, self.phases, self.most = command, phases, {"lo": lo, "wan": wan}


TOOLS = {
    # It makes the trees that the next ones find.
    "floor-tar-cold": Tool(floor("tar-cold"), phases=[FIRST]),
    "floor-true-cold": Tool(floor("true-cold"), phases=[AGAIN]),
    "floor-sum-warm": Tool(floor("sum-warm"), phases=[KEPT]),
    "tidewalk": Tool(tidewalk),
    "pyinfra": Tool(pyinfra, [FIRST, AGAIN], wan=32),
    "mitogen": Tool(lambda *a: ansible("venv-mitogen", "mitogen_linear", *a), [FIRST, AGAIN], 8, 1),
    # Its second run finds the first one's connections open.
    "ansible": Tool(lambda *a: ansible("venv-ansible", "linear", *a), [FIRST, KEPT], 8, 1),
}


def busy():
    """CPU seconds of the whole machine so far."""
    fields = [int(word) for word in open("/proc/stat").readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(limit):
    """Until the rest of the machine uses less than 0.15 of a core, or `limit` seconds."""
    end = time.time() + limit
    while time.time() < end:
        before = busy()
        time.sleep(1)
        if busy() - before < 0.15:
            return


class Memory(threading.Thread):
    """Samples a group's memory, in at most a twentieth of one core."""

    def __init__(self, group):
        super().__init__(daemon=True)
        self.group, self.peak, self.over = group, 0, threading.Event()

    def run(self):
        rest = 0.05
        while not self.over.wait(rest):
            begun = time.thread_time()
            self.peak = max(self.peak, self.group.memory())
            rest = max(0.05, 20 * (time.thread_time() - begun))


def tree(folder, host, like=None):
    """Mode and hash of everything in a host's folder; in texts, `host` reads `like`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        facts = path.lstat()
        digest = ""
        if stat.S_ISREG(facts.st_mode):
            content = path.read_bytes()
            if like and len(content) < 100_000:
                content = content.replace(host.encode(), like.encode())
            digest = hashlib.sha256(content).hexdigest()
        found[str(path.relative_to(folder))] = (oct(facts.st_mode), digest)
    found["."] = (oct(folder.lstat().st_mode), "")
    return found


def compare(tool, hosts, net):
    """Every host's tree is the reference's."""
    like = fleet.address("lo", 1)
    wanted = tree(REFERENCE, like)
    for host in (fleet.address(net, i) for i in range(1, hosts + 1)):
        found = tree(HOSTS / host, host, like) if (HOSTS / host).is_dir() else {}
        if found != wanted:
            names = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
            lines = [f"  {name}: {found.get(name)}, wanted {wanted.get(name)}" for name in names]
            sys.exit("\n".join([f"{tool} left another tree on {host}:", *lines]))


def clear():
    shutil.rmtree(HOSTS, ignore_errors=True)
    HOSTS.mkdir()


def run(tool, phase, hosts, net, rep, wait):
    """One measured run; returns its row."""
    opens = phase == KEPT and tool != "ansible"
    if phase == FIRST:
        clear()
    if phase != KEPT or opens:
        fleet.close_connections()
    env = dict(os.environ)
    command = TOOLS[tool].command(phase, hosts, net, env)
    ctl, others = Group("ctl"), Group("fleet")
    where = dict(env=env, stdin=subprocess.DEVNULL, preexec_fn=ctl.join, cwd=DIR, start_new_session=True)
    if opens:
        before = floor("true-warm")(phase, hosts, net, env) if tool.startswith("floor") else command
        subprocess.run([*fleet.inside(net, "ctl"), *before], **where, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_quiet(wait)
    output = tempfile.TemporaryFile()
    memory = Memory(ctl)
    memory.start()
    before = ctl.cpu(), others.cpu(), busy(), time.time()
    process = subprocess.Popen([*fleet.inside(net, "ctl"), *command], **where, stdout=output, stderr=subprocess.STDOUT)
    try:
        status = process.wait(timeout=900)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(process.pid, signal.SIGTERM)
        raise
    after = ctl.cpu(), others.cpu(), busy(), time.time()
    memory.over.set()
    memory.join()
    used = [b - a for a, b in zip(before, after)]
    row = dict(
        tool=tool, phase=phase, n=hosts, net=net, rep=rep, wall=round(used[3], 3), ctl=round(used[0], 3), fleet=round(used[1], 3),
        other=round(max(0, used[2] - used[0] - used[1]), 2), memory=round(memory.peak / 2**20, 1),
    )
    output.seek(0)
    said = output.read().decode(errors="replace")
    if status != 0:
        sys.exit(f"{said}\n{tool} ended with {status} in {row}")
    if tool == "tidewalk" and phase != FIRST and "Nothing" not in said:
        sys.exit(f"{said}\ntidewalk found something to do in {row}")
    compare(tool, hosts, net)
    with open(DIR / "results.jsonl", "a") as results:
        results.write(json.dumps(row) + "\n")
    print(row, flush=True)
    return row


def make_reference():
    """The tree that all must leave: pyinfra's on one host, which has nothing in common with ours."""
    clear()
    env = dict(os.environ)
    command = pyinfra(FIRST, 1, "lo", env)
    done = subprocess.run(command, env=env, cwd=DIR, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\nno reference")
    shutil.rmtree(REFERENCE, ignore_errors=True)
    shutil.copytree(HOSTS / fleet.address("lo", 1), REFERENCE)
    subprocess.run(["tar", "-cf", DIR / "floor.tar", "-C", REFERENCE, "."], check=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tools", default=",".join(TOOLS), help="which, with commas")
    arguments.add_argument("--n", default="1,8,32,64", help="how many hosts, with commas")
    arguments.add_argument("--net", default="lo,wan", help="`lo`, `wan` or both")
    arguments.add_argument("--rtt", type=int, default=20, help="milliseconds there and back, on `wan`")
    arguments.add_argument("--reps", type=int, default=3, help="runs of each; what takes longer than 10 s runs once")
    arguments.add_argument("--phases", default=",".join(PHASES), help="which, with commas")
    arguments.add_argument("--quiet", type=float, default=5, help="seconds that a run may wait for a quiet machine")
    arguments.add_argument("--all", action="store_true", help="the slow ones with many hosts, too")
    chosen = arguments.parse_args()
    tools, phases, nets = chosen.tools.split(","), chosen.phases.split(","), chosen.net.split(",")
    counts = [int(word) for word in chosen.n.split(",")]
    lock = open(DIR / "lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # Two at once would spoil each other.
    for folder in ("cm", "run"):
        (DIR / folder).mkdir(mode=0o700, exist_ok=True)
    shutil.copytree(JOB, DIR / "job", dirs_exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        fleet.up(max(counts), {*nets, "lo"}, chosen.rtt)
        make_reference()
        for net in nets:
            for hosts in counts:
                slow = set()
                for rep in range(chosen.reps):
                    for tool in tools:
                        if tool in slow or (hosts > TOOLS[tool].most[net] and not chosen.all):
                            continue
                        for phase in phases:
                            if phase in TOOLS[tool].phases and run(tool, phase, hosts, net, rep, chosen.quiet)["wall"] > 10:
                                slow.add(tool)
    finally:
        fleet.close_connections()
        fleet.down()


main()
