"""The fleet for pyinfra."""
import os

d = os.environ["BENCH_DIR"]
net = os.environ["BENCH_NET"]
login = {
    "ssh_port": 2222,
    "ssh_user": "root",
    "ssh_key": f"{d}/sshd/id_ed25519",
    "ssh_known_hosts_file": f"{d}/sshd/known_hosts",
    "ssh_config_file": "/dev/null",
    "ssh_look_for_keys": False,
    "ssh_allow_agent": False,
}
fleet = [(f"{net}.{i}", login) for i in range(1, int(os.environ["BENCH_N"]) + 1)]
