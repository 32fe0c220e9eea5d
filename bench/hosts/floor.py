"""floor.py WHAT N NET: the least that a tool without an agent could do, by OpenSSH alone.
true-cold: `ssh HOST true` on all hosts at once; tar-cold: one command that takes a tar of the host's
whole tree; sum-warm: on open connections, one command that hashes and stats the tree, which is what a
run without changes must at least learn; true-warm: opens those connections."""
import os
import subprocess
import sys

import fleet

what, mode = sys.argv[1].split("-")
hosts = [fleet.address(sys.argv[3], i) for i in range(1, int(sys.argv[2]) + 1)]
ssh = ["ssh", "-F", "none", "-p", "2222", "-l", "root", "-i", f"{fleet.SSHD}/id_ed25519"]
options = ["IdentitiesOnly=yes", f"UserKnownHostsFile={fleet.SSHD}/known_hosts", "BatchMode=yes"]
if mode == "warm":
    options += ["ControlMaster=auto", "ControlPersist=600s", f"ControlPath={fleet.DIR}/cm/%C"]
ssh += [word for option in options for word in ("-o", option)]
line = {
    "true": "true",
    "tar": "mkdir -p {r} && tar -xf - -C {r}",
    "sum": "cd {r} && find . -printf '%m %U %G %p\\n' && find . -type f -exec sha256sum {{}} +",
}[what]
stdin = f"{fleet.DIR}/floor.tar" if what == "tar" else os.devnull
# A master keeps its standard error open.
stderr = subprocess.DEVNULL if mode == "warm" else None
running = [
    subprocess.Popen([*ssh, host, line.format(r=f"{fleet.DIR}/hosts/{host}")], stdin=open(stdin), stdout=subprocess.DEVNULL, stderr=stderr)
    for host in hosts
]
sys.exit(sum(it.wait() != 0 for it in running))
