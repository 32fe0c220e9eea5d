#!/usr/bin/env bash
# Installs the peers into virtual environments in $BENCH_DIR, and makes the file of 1 MiB.
set -euo pipefail
cd "${BENCH_DIR:?}"
venv() { # name, packages
  [ -x "venv-$1/bin/pip" ] || python3 -m venv "venv-$1"
  "venv-$1/bin/pip" -q install "${@:2}"
}
venv ansible ansible-core==2.19.14
venv mitogen ansible-core==2.19.14 mitogen==0.3.54
venv pyinfra pyinfra==3.10.0 pyyaml
[ -f blob.bin ] || head -c 1048576 /dev/urandom >blob.bin
