#!/usr/bin/env bash
# The job of 15 kinds (19 objects) on a sandbox of its own: calls and seconds of each step.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${TIDEWALK:-}" ]; then
  (cd "$here/.." && cargo build --release --locked)
  TIDEWALK="${CARGO_TARGET_DIR:-$here/../target}/release/tidewalk"
fi
work=${1:-$(mktemp -d)}
export TIDEWALK_SANDBOX_DIR=$work/sandbox
cp "$here/cloud.yml" "$work/"
cd "$work"
[ -f lab ] || ssh-keygen -q -t ed25519 -N '' -f lab
trap '"$TIDEWALK" sandbox down >/dev/null 2>&1' EXIT
"$TIDEWALK" sandbox up --no-hosts >/dev/null

step() { # name, command, options
  local begun code=0
  begun=$(date +%s.%N)
  "$TIDEWALK" "$2" cloud.yml --sandbox --json "${@:3}" >"$1.json" 2>"$1.err" || code=$?
  python3 - "$1" "$begun" "$code" <<'PY'
import json, sys, time

step, begun, code = sys.argv[1], float(sys.argv[2]), sys.argv[3]
seconds = time.time() - begun
documents = {}
for line in open(f"{step}.json"):
    line = json.loads(line)
    documents[line["event"]] = line.get(line["event"])
calls = sum((documents.get("calls") or {}).values())
receipt = documents.get("receipt")
proven = "" if receipt is None else f", proven: {receipt['proven']}"
print(f"{step:12} {calls:4} calls {seconds:6.2f} s, exit code {code}{proven}")
PY
}

step first-plan plan
step apply apply --yes
step plan plan
step destroy destroy --yes
