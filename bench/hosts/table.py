"""table.py RESULTS: medians as Markdown tables, tidewalk beside each peer and its floor."""
import json
import statistics
import sys

rows = [json.loads(line) for line in open(sys.argv[1])]
PHASES = {
    "first": "first run",
    "again": "unchanged, new connections",
    "kept": "unchanged, kept connections",
    "plan": "plan, new connections",
}
FLOORS = {"first": "floor-tar-cold", "again": "floor-true-cold", "kept": "floor-sum-warm", "plan": "floor-true-cold"}
PEERS = {"pyinfra": "pyinfra", "mitogen": "Mitogen", "ansible": "Ansible"}
MEASURES = {"wall": "Seconds", "ctl": "CPU seconds of the tool and its ssh clients", "fleet": "CPU seconds of all hosts together", "memory": "MiB of the tool and its ssh clients, at most"}
NETS = {"lo": "loopback", "wan": "20 ms there and back"}


def median(tool, phase, n, net, measure):
    """The median, and how many runs it is of; a plan's floor is that of a run that changes nothing."""
    if tool.startswith("floor") and phase == "plan":
        phase = "again"
    some = [row[measure] for row in rows if (row["tool"], row["phase"], row["n"], row["net"]) == (tool, phase, n, net)]
    return statistics.median(some) if some else None


def number(value, measure):
    if value is None:
        return "–"
    return f"{value:.0f}" if measure == "memory" or value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def peer(value, own, measure):
    if value is None or not own:
        return "–"
    return f"{number(value, measure)} ({value / own:.0f}×)" if value >= 10 * own else f"{number(value, measure)} ({value / own:.1f}×)"


def table(net, measure):
    print(f"| {NETS[net]} | hosts | floor | **tidewalk** | of the floor | " + " | ".join(PEERS.values()) + " |")
    print("| --- | --: | --: | --: | --: |" + " --: |" * len(PEERS))
    for phase, name in PHASES.items():
        for n in sorted({row["n"] for row in rows if row["net"] == net}):
            own, floor = (median(tool, phase, n, net, measure) for tool in ("tidewalk", FLOORS[phase]))
            if own is None:
                continue
            ratio = "–" if not floor else f"{own / floor:.1f}×"
            peers = " | ".join(peer(median(it, phase, n, net, measure), own, measure) for it in PEERS)
            print(f"| {name} | {n} | {number(floor, measure)} | **{number(own, measure)}** | {ratio} | {peers} |")
    print()


for measure, heading in MEASURES.items():
    print(f"### {heading}\n")
    for net in NETS:
        if any(row["net"] == net for row in rows):
            table(net, measure)
