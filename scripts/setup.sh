#!/usr/bin/env bash
# Installs what building, testing and the sandbox need; with `tests`, also what only the tests use: a browser,
# Podman, Redis, and R with its packages.
# Safe to repeat: does nothing where all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# What the toolchain must be; Cargo.toml has the same number.
need_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v cargo >/dev/null || fail "cargo is missing: install Rust $need_rust or newer (https://rustup.rs), then run this again"
have_rust=$(rustc --version | cut -d' ' -f2)
[ "$(printf '%s\n' "$need_rust" "$have_rust" | sort -V | head -1)" = "$need_rust" ] ||
  fail "rustc $have_rust is too old: tidewalk needs $need_rust or newer (rustup update)"

missing=()
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null || missing+=("$2")
}
need cc build-essential
need ssh openssh-client
need curl curl
need git git
need mmdebstrap mmdebstrap
need puttygen putty-tools
need docker-registry docker-registry
need haproxy haproxy
need python3 python3-venv
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ "${1:-}" = tests ] && ! command -v chromium-headless-shell chromium google-chrome >/dev/null; then
  missing+=(chromium-headless-shell)
fi
if [ "${1:-}" = tests ]; then
  need podman podman
  need pgrep procps
  need redis-server redis-server
  need Rscript r-base-core
  need pandoc pandoc
  # What the data apps and their tests are written with.
  for name in callr data.table ggplot2 httpuv httr jsonlite knitr lintr logger openssl plumber processx rmarkdown scales shiny testthat withr yaml; do
    [ -d "/usr/lib/R/site-library/$name" ] || missing+=("r-cran-$name")
  done
fi
if [ "${#missing[@]}" -gt 0 ]; then
  say "installing ${missing[*]}"
  [ "$(id -u)" = 0 ] || fail "that needs root: run \`sudo apt-get install ${missing[*]}\`, then this again"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  # The sandbox starts its own.
  for service in docker-registry haproxy redis-server; do
    case " ${missing[*]} " in
      *" $service "*) if [ -d /run/systemd/system ]; then systemctl disable -q --now "$service"; fi ;;
    esac
  done
fi
scripts/setup-docker.sh
say "everything is there"
