"""A program for `tidewalk stream consume`, as `program.py NAME`: makes a checkpoint after each batch.

What it is told goes to `told.log`, a line each, `NAME SHARD WHAT`. While the file `hold-NAME` is there, it keeps a
batch and makes no checkpoint.
"""

import base64
import json
import os
import sys
import time

name = sys.argv[1]
shard = "?"
log = open("told.log", "a", buffering=1)


def note(what):
    log.write(f"{name} {shard} {what}\n")


def say(action, **members):
    print(json.dumps({"action": action, **members}), flush=True)


def checkpoint(at=None):
    say("checkpoint", sequenceNumber=at)
    answer = json.loads(sys.stdin.readline())
    note(f"checkpoint {answer.get('error', 'made')}")


def wrong_checkpoints():
    """Before the last one, and behind all that was told."""
    for at in ("0", "9" * 60):
        checkpoint(at)


for line in sys.stdin:
    told = json.loads(line)
    action = told["action"]
    if action == "initialize":
        shard = told["shardId"][-1]
        note(f"begun at {'the start' if told['sequenceNumber'] == 'TRIM_HORIZON' else 'a checkpoint'}")
    elif action == "processRecords":
        for record in told["records"]:
            note(f"record {base64.b64decode(record['data']).decode()}")
        while os.path.exists(f"hold-{name}"):
            time.sleep(0.05)
        checkpoint()
        if any(base64.b64decode(record["data"]) == b"first" for record in told["records"]):
            wrong_checkpoints()
    else:
        note(action)
        if action == "shardEnded":
            checkpoint()
    say("status", responseFor=action)
