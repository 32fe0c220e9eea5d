#!/bin/sh
# Installs Docker Engine where it is missing and starts it where none answers.
# Safe to repeat: each step looks first and does only what is lacking.
# Needs root on Debian or Ubuntu; elsewhere, have a running Docker Engine and this does nothing.
set -eu

say() { printf 'setup-docker: %s\n' "$*"; }
fail() { printf 'setup-docker: %s\n' "$*" >&2; exit 1; }

engine_version() { docker version --format '{{.Server.Version}}' 2>/dev/null; }
answers() { engine_version >/dev/null; }

# At the kernel's 128, systemd in the hosts fails from about 18 hosts up.
raise_inotify() {
    limit=/proc/sys/fs/inotify/max_user_instances
    [ -r "$limit" ] || return 0
    [ "$(cat "$limit")" -ge 8192 ] && return 0
    if echo 8192 2>/dev/null >"$limit"; then
        say "raised fs.inotify.max_user_instances to 8192"
    else
        say "fs.inotify.max_user_instances is $(cat "$limit") and cannot be raised: keep to few hosts"
    fi
}

# Debian's engine needs iptables for its network; apt recommends it, `--no-install-recommends` drops it.
install_engine() {
    missing=""
    command -v dockerd >/dev/null 2>&1 || missing="docker.io"
    command -v iptables >/dev/null 2>&1 || missing="$missing iptables"
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 || fail "dockerd is missing and there is no apt-get: install Docker Engine, then run this again"
    say "installing$(printf ' %s' $missing) with apt"
    apt-get update -qq
    # Another apt may be at work (unattended upgrades on a new machine): wait for it.
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null
}

# Some virtual machines mount the version 1 controllers read-only; the engine needs to write them.
remount_cgroups() {
    for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
        awk -v d="/sys/fs/cgroup/$controller" '$2 == d && $4 ~ /(^|,)ro(,|$)/ { found = 1 } END { exit !found }' /proc/mounts || continue
        mount -o remount,bind,rw "/sys/fs/cgroup/$controller"
        say "remounted /sys/fs/cgroup/$controller read-write"
    done
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        say "starting docker.service"
        systemctl reset-failed docker 2>/dev/null || true
        systemctl start docker
    else
        say "starting dockerd (log: /var/log/dockerd.log)"
        # A killed daemon leaves its pid file behind, and the next one refuses to start over it.
        pidfile=/var/run/docker.pid
        if [ -f "$pidfile" ] && ! kill -0 "$(cat "$pidfile")" 2>/dev/null; then rm -f "$pidfile"; fi
        setsid nohup dockerd --mtu 1400 >>/var/log/dockerd.log 2>&1 </dev/null &
    fi
    tries=0
    until answers; do
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || fail "dockerd does not answer after 60 seconds: see /var/log/dockerd.log or journalctl -u docker"
        sleep 0.5
    done
}

if answers; then
    say "Docker Engine $(engine_version) answers already"
    [ "$(id -u)" -ne 0 ] || raise_inotify
    exit 0
fi
[ "$(id -u)" -eq 0 ] || fail "no Docker Engine answers, and installing or starting one needs root: run this with sudo"
raise_inotify
install_engine
answers || { remount_cgroups; start_engine; }
say "Docker Engine $(engine_version) answers"
