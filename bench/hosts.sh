#!/usr/bin/env bash
# Thirty operations a host by tidewalk, Ansible, Mitogen, pyinfra and bare OpenSSH, on 1 to 64 hosts, on
# loopback and over 20 ms: one interleaved run, and a table of it. Needs root and Debian 12.
# `bench/hosts.sh --help` lists the options; BENCH_DIR is where it works (a short path), TIDEWALK
# names the binary; without it, the script builds a release. BENCH_CPU_SHARES=20480 puts the runs
# ahead of what else the machine does (control groups, version 1).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export BENCH_DIR=${BENCH_DIR:-/var/tmp/tidebench}
mkdir -p "$BENCH_DIR"
case " $* " in *" --help "* | *" -h "*) TIDEWALK=tidewalk exec python3 "$here/hosts/measure.py" --help ;; esac
missing=
for package in openssh-server python3-venv python3-apt iproute2 gcc libc6-dev; do
  dpkg-query -W -f '${Status}' $package 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "installing$missing" >&2
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >/dev/null
fi
"$here/hosts/peers.sh"
if [ -z "${TIDEWALK:-}" ]; then
  (cd "$here/.." && cargo build --release --locked)
  TIDEWALK=${CARGO_TARGET_DIR:-$here/../target}/release/tidewalk
fi
export TIDEWALK
rm -f "$BENCH_DIR/results.jsonl"
python3 "$here/hosts/measure.py" "$@" >&2
python3 "$here/hosts/table.py" "$BENCH_DIR/results.jsonl" | tee "$BENCH_DIR/table.md"
