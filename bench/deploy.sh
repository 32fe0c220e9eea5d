#!/usr/bin/env bash
# What a deploy of one service takes, by tidewalk and by `docker build && docker push && aws ecs update-service
# --force-new-deployment && aws ecs wait services-stable`, in turn on one sandbox, and a table of it. Needs root,
# Docker Engine and what `make setup` installs. `bench/deploy.sh --help` lists the options; BENCH_DIR is where it
# works, TIDEWALK names the binary; without it, the script builds a release.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export BENCH_DIR=${BENCH_DIR:-/var/tmp/tidebench-deploy}
case " $* " in *" --help "* | *" -h "*) TIDEWALK=tidewalk exec python3 "$here/deploy/measure.py" --help ;; esac
mkdir -p "$BENCH_DIR"
if [ -z "${TIDEWALK:-}" ]; then
  (cd "$here/.." && cargo build --release --locked)
  TIDEWALK=${CARGO_TARGET_DIR:-$here/../target}/release/tidewalk
fi
export TIDEWALK
[ -x "$BENCH_DIR/venv/bin/pip" ] || python3 -m venv "$BENCH_DIR/venv"
"$BENCH_DIR/venv/bin/pip" -q install awscli==1.46.3
rustc --edition 2024 -O -C target-feature=+crt-static -o "$BENCH_DIR/server" "$here/../tests/sandbox/deploy/app.rs"
python3 "$here/deploy/measure.py" "$@" | tee "$BENCH_DIR/table.md"
