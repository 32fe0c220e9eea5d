"""The fleet: one machine's sshd at many addresses; a host is an address with a folder of its own,
$BENCH_DIR/hosts/ADDRESS. `lo` is 127.0.1.1 and on; `wan` is 198.18.0.1 and on, in two network
namespaces that delaytun joins."""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

DIR = Path(os.environ["BENCH_DIR"])
HERE = Path(__file__).resolve().parent
NETS = {"lo": "127.0.1", "wan": "198.18.0"}
NAMESPACES = {"ctl": "tidebench-ctl", "fleet": "tidebench-fleet"}
SSHD = DIR / "sshd"


class Group:
    """A control group of its own, by which processes are found and their CPU time is counted."""

    V1 = Path("/sys/fs/cgroup/cpuacct")

    def __init__(self, name):
        self.first = self.V1.is_dir()
        root = self.V1 if self.first else Path("/sys/fs/cgroup")
        self.path = root / f"tidebench-{name}"
        self.path.mkdir(exist_ok=True)

    def join(self):
        """Moves this process into the group."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))
        shares = os.environ.get("BENCH_CPU_SHARES")
        if shares and self.first:
            # Ahead of what else runs on this machine.
            group = Path("/sys/fs/cgroup/cpu/tidebench")
            group.mkdir(exist_ok=True)
            (group / "cpu.shares").write_text(shares)
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def cpu(self):
        """CPU seconds so far."""
        if self.first:
            return int((self.path / "cpuacct.usage").read_text()) / 1e9
        stat = (self.path / "cpu.stat").read_text().split()
        return int(stat[stat.index("usage_usec") + 1]) / 1e6

    def memory(self):
        """Bytes that its processes have resident, what they share counted once."""
        total = 0
        for pid in (self.path / "cgroup.procs").read_text().split():
            try:
                for line in open(f"/proc/{pid}/smaps_rollup"):
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
                        break
            except OSError:
                pass  # It has ended.
        return total


def address(net, number):
    return f"{NETS[net]}.{number}"


def inside(net, side):
    """What runs a command where the net is."""
    return ["ip", "netns", "exec", NAMESPACES[side]] if net == "wan" else []


def make_keys(hosts):
    SSHD.mkdir(parents=True, exist_ok=True)
    for name in ("host_ed25519", "id_ed25519"):
        if not (SSHD / name).exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", SSHD / name], check=True)
    shutil.copy(SSHD / "id_ed25519.pub", SSHD / "authorized_keys")
    key = (SSHD / "host_ed25519.pub").read_text().strip()
    known = (f"[{address(net, i)}]:2222 {key}\n" for net in NETS for i in range(1, hosts + 1))
    (SSHD / "known_hosts").write_text("".join(known))


def start_sshd(net, number):
    """An sshd for one host, with a /run of its own: what a host has there is not another's."""
    name, listen = f"{net}{number}", address(net, number)
    conf = SSHD / f"{name}.conf"
    conf.write_text(f"""\
HostKey {SSHD}/host_ed25519
PidFile {SSHD}/{name}.pid
AuthorizedKeysFile {SSHD}/authorized_keys
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
PrintMotd no
SetEnv HOME={DIR}/home
MaxStartups 500
MaxSessions 100
Subsystem sftp internal-sftp
ListenAddress {listen}:2222
""")
    own = 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -f "$1" -E "$2"'
    command = [*inside(net, "fleet"), "unshare", "-m", "sh", "-c", own, "sh", conf, SSHD / f"{name}.log"]
    subprocess.run(command, check=True, preexec_fn=Group("fleet").join)


def up(hosts, nets, rtt_ms):
    down()
    make_keys(hosts)
    for folder in (DIR / "home", DIR / "hosts", Path("/run/sshd")):
        folder.mkdir(parents=True, exist_ok=True)
    if "lo" in nets:
        for number in range(1, hosts + 1):
            start_sshd("lo", number)
    if "wan" in nets:
        wan_up(hosts, rtt_ms)


def wan_up(hosts, rtt_ms):
    subprocess.run(["cc", "-O2", "-o", DIR / "delaytun", HERE / "delaytun.c"], check=True)
    for name in NAMESPACES.values():
        subprocess.run(["ip", "netns", "add", name], check=True)
    command = [DIR / "delaytun", NAMESPACES["ctl"], NAMESPACES["fleet"], str(rtt_ms * 500)]
    with open(SSHD / "delaytun.log", "w") as log:
        relay = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=Group("net").join, start_new_session=True)
    (SSHD / "delaytun.pid").write_text(str(relay.pid))
    time.sleep(1)
    own = {"ctl": ["198.18.1.1"], "fleet": [address("wan", i) for i in range(1, hosts + 1)]}
    there = {"ctl": "198.18.0.0/24", "fleet": "198.18.1.0/24"}
    for side in NAMESPACES:
        ip = lambda *words: subprocess.run([*inside("wan", side), "ip", *words], check=True)
        ip("link", "set", "lo", "up")
        ip("link", "set", "wan0", "mtu", "1500", "txqueuelen", "5000")
        for it in own[side]:
            ip("addr", "add", f"{it}/32", "dev", "wan0")
        ip("link", "set", "wan0", "up")
        ip("route", "add", there[side], "dev", "wan0")
    for number in range(1, hosts + 1):
        start_sshd("wan", number)


def down():
    for pid in SSHD.glob("*.pid"):
        try:
            os.kill(int(pid.read_text()), signal.SIGTERM)
        except (ProcessLookupError, ValueError):
            pass
        pid.unlink(missing_ok=True)
    for name in NAMESPACES.values():
        if Path(f"/run/netns/{name}").exists():
            subprocess.run(["ip", "netns", "del", name], check=True)


def close_connections():
    """Ends the ssh masters that tools left behind."""
    for folder in ("cm", "run"):
        for path in (DIR / folder).rglob("*"):
            if path.is_socket():
                exit_ = ["ssh", "-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "x"]
                subprocess.run(exit_, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                path.unlink(missing_ok=True)
