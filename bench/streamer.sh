#!/usr/bin/env bash
# What trade-streamer takes at 10,000 trades a second of a simulated exchange, on one core: to standard output, to a
# Kinesis stream, and beside it a Python script with `websockets` to standard output. Writes bench/streamer.md.
# RATE and SECONDS_EACH (60) choose; TIDEWALK names the binary that serves the exchange (or
# EXCHANGE another command that takes `--listen` and `--rate`), BENCH_DIR is where it works. Needs two cores, Python 3
# with venv, curl and Rust.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
app=$here/../playbooks/apps/trade-streamer
dir=${BENCH_DIR:-/var/tmp/tidebench-streamer}
rate=${RATE:-10000} seconds=${SECONDS_EACH:-60}
exchange=${EXCHANGE:-${TIDEWALK:-tidewalk} sandbox exchange}
websockets=17.4
mkdir -p "$dir"

if [ -z "${EXCHANGE:-}" ] && ! command -v "${TIDEWALK:-tidewalk}" >/dev/null; then
  echo "streamer.sh: there is no \`${TIDEWALK:-tidewalk}\`, which serves the exchange: \`cargo install --path .\`, or name it by TIDEWALK" >&2
  exit 2
fi
(cd "$app" && cargo build --release --locked --bins --examples)
target=$(cd "$app" && cargo metadata --format-version 1 --no-deps |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release
[ -x "$dir/venv/bin/pip" ] || python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" -q install "websockets==$websockets"

cat > "$dir/peer.py" <<'PEER'
"""Trades of all pairs as JSON lines on standard output."""
import asyncio
import os
import websockets


async def main():
    streams = "/".join(f"{pair.lower()}@trade" for pair in os.environ["PAIRS"].split(","))
    async for connection in websockets.connect(f"{os.environ['EXCHANGE_STREAM_URL']}/ws/{streams}"):
        try:
            async for message in connection:
                print(message)
        except websockets.ConnectionClosed:
            continue


asyncio.run(main())
PEER

address=127.0.0.1:18991 sink=127.0.0.1:18992
export EXCHANGE_URL=http://$address EXCHANGE_STREAM_URL=ws://$address
export PAIRS=BTCUSDT,ETHUSDT,LTCUSDT,NEOUSDT,BNBUSDT,ETHBTC,LTCBTC,NEOBTC,BNBBTC,LTCETH,NEOETH,BNBETH,LTCBNB,NEOBNB
export AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true
unset TO KINESIS_STREAM STATE_FILE AWS_ENDPOINT_URL AWS_PROFILE

# What is measured has the second core for itself; the exchange and the meter share the first
# shellcheck disable=SC2086
taskset -c 0 $exchange --listen "$address" --rate "$rate" > "$dir/exchange.log" 2>&1 &
exchange_pid=$!
trap 'kill "$exchange_pid" 2> "$dir/kill.log" || true' EXIT
until curl -sf "$EXCHANGE_URL/api/v3/ping" -o "$dir/ping"; do
  kill -0 "$exchange_pid" || { cat "$dir/exchange.log" >&2; exit 1; }
  sleep 0.2
done

# How many trades the exchange has made, and when
made() {
  curl -sf "$EXCHANGE_URL/control/counts" |
    python3 -c 'import json, sys, time; print(sum(json.load(sys.stdin)["count"].values()), time.time())'
}

# to_lines NAME COMMAND…: through a pipe, which ends the command when the meter has seen enough
to_lines() {
  local name=$1 pid before
  shift
  rm -f "$dir/pipe" && mkfifo "$dir/pipe"
  before=$(made)
  taskset -c 1 "$@" > "$dir/pipe" 2> "$dir/$name.log" &
  pid=$!
  taskset -c 0 "$target/examples/meter" "$pid" "$seconds" < "$dir/pipe" > "$dir/$name.json"
  echo "$before $(made)" > "$dir/$name.made"
  wait "$pid" || true
}

# to_stream NAME COMMAND…: to a sink that speaks PutRecords
to_stream() {
  local name=$1 pid meter before
  shift
  before=$(made)
  AWS_ENDPOINT_URL=http://$sink taskset -c 1 "$@" 2> "$dir/$name.log" &
  pid=$!
  taskset -c 0 "$target/examples/meter" "$pid" "$seconds" "$sink" > "$dir/$name.json"
  echo "$before $(made)" > "$dir/$name.made"
  { kill -KILL "$pid" && wait "$pid"; } 2> "$dir/kill.log" || true
}

to_lines stdout "$target/trade-streamer" --metrics 10
to_stream kinesis "$target/trade-streamer" --metrics 10 --to kinesis --stream crypto
to_lines python "$dir/venv/bin/python" "$dir/peer.py"

python3 - "$dir" "$rate" "$seconds" "$websockets" "$here/streamer.md" <<'TABLE'
import json
import os
import platform
import sys

folder, rate, seconds, websockets, path = sys.argv[1:]
rows = [
    ("**trade-streamer** → standard output", "stdout"),
    ("**trade-streamer** → Kinesis (`PutRecords`)", "kinesis"),
    (f"Python, `websockets` {websockets} → standard output", "python"),
]
lines = [
    f"| at {int(rate):,} trades/s for {seconds} s | sent/s | received/s | lost | out of order | CPU s | of a core | peak RSS MiB "
    "| lag p50 ms | lag p99 ms |",
    "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
]
lost = 0
for label, name in rows:
    with open(os.path.join(folder, f"{name}.json"), encoding="utf-8") as file:
        r = json.load(file)
    with open(os.path.join(folder, f"{name}.made"), encoding="utf-8") as file:
        before, since, after, until = map(float, file.read().split())
    lines.append(
        f"| {label} | {(after - before) / (until - since):,.0f} | {r['per_second']:,.0f} | {r['missing']} | {r['unordered']} | {r['cpu_seconds']:.1f} "
        f"| {r['cpu_seconds'] / r['seconds']:.0%} | {r['peak_mib']:.1f} | {r['p50_ms']} | {r['p99_ms']} |"
    )
    if name != "python":
        lost += r["missing"] + r["unordered"]
text = f"""# Live trades

`bench/streamer.sh` writes this table. A simulated exchange makes trades of 14 pairs; what follows them has a core for itself
(`taskset`), the exchange and the meter share the other; all in one run, one after the other, {platform.system()} with
{os.cpu_count()} cores, Python {platform.python_version()}.

{chr(10).join(lines)}

- Lag is from the time within the trade to its arrival behind the pipe or at the stream. trade-streamer gathers lines for 5 ms and
  records for 100 ms.
- Lost are ids that are missing between the first and the last of a pair. The script has no means to notice or fetch any and
  prints what comes, buffered by Python; trade-streamer reads and checks each trade.
- The stream is a small server on loopback that reads what is put and takes it all.
"""
with open(path, "w", encoding="utf-8") as file:
    file.write(text)
print("\n".join(lines))
sys.exit(1 if lost else 0)
TABLE
