# Changes that can cut us off (sshd, sudo, logins, network, firewall) are taken back by the host itself,
# unless it hears through a new connection that we still get in: `tw_confirm`. What is to be taken back
# lies in a folder; a unit waits beside it, and also starts with the host.

tw_guard=/var/lib/tidewalk/guard
tw_armed=

# PATH: can its content cut us off?
tw_is_risky() {
  case $1 in
    /etc/ssh/* | /etc/default/ssh | /etc/systemd/system/ssh* | /etc/systemd/system/sudo* | */.ssh/authorized_keys) ;;
    /etc/sudoers | /etc/sudoers.d/* | /etc/pam.d/* | /etc/security/* | /etc/nsswitch.conf | /etc/nologin) ;;
    /etc/passwd | /etc/shadow | /etc/group | /etc/gshadow | /etc/hosts.allow | /etc/hosts.deny) ;;
    /etc/network/* | /etc/netplan/* | /etc/systemd/network/* | /etc/NetworkManager/*) ;;
    /etc/nftables* | /etc/iptables/* | /etc/ufw/* | /etc/default/ufw | /etc/firewalld/*) ;;
    *) return 1 ;;
  esac
}

# UNIT: can it cut us off?
tw_is_risky_unit() {
  case $1 in
    ssh.* | sshd.* | ssh@* | sshd@* | networking.* | systemd-networkd.* | NetworkManager.*) ;;
    nftables.* | iptables.* | netfilter-persistent.* | ufw.* | firewalld.* | fail2ban.*) ;;
    *) return 1 ;;
  esac
}

# LOGIN: is it who we are logged in as?
tw_is_us() { [ "$1" = "${SUDO_USER:-$(id -un)}" ]; }

# The host can take changes back: others, without root or systemd, go unguarded.
tw_can_guard() { [ -n "$tw_root" ] && [ -d /run/systemd/system ]; }

# Before the first such change of a run. What an earlier run left unconfirmed stays to be taken back.
tw_arm() {
  [ -z "$tw_armed" ] || return 0
  mkdir -p -m 700 "$tw_guard" && echo "$d" >"$tw_guard/run" && cat >"$tw_guard/revert" <<'REVERT' || return 1
# Waits for the run that changes the host to end, then for its word; without it, takes everything back.
guard=/var/lib/tidewalk/guard unit=/etc/systemd/system/tidewalk-guard.service
exec 9>/run/tidewalk.lock
while [ "$1" != now ]; do
  flock 9
  seen=$(cat "$guard/run" 2>/dev/null) || exit 0
  flock -u 9
  sleep 45 9>&-
  flock 9
  [ "$(cat "$guard/run" 2>/dev/null)" != "$seen" ] || break
  flock -u 9
done
cd "$guard" || exit 0
for entry in $(ls -r | grep -e '\.path$' -e '\.undo$'); do
  case $entry in
    *.path)
      read -r path <"$entry"
      old=${entry%.path}.old
      if [ -e "$old" ] || [ -L "$old" ]; then
        cp -a -- "$old" "$path.tidewalk-old" && mv -fT -- "$path.tidewalk-old" "$path"
      else
        rm -f -- "$path"
      fi
      echo "$path" ;;
    *.undo)
      sh -e "$entry" </dev/null >/dev/null 2>&1 9>&-
      sed -n '1s/^# //p' "$entry" ;;
  esac
done >../undone.new
sort -u ../undone.new >../undone
rm -f ../undone.new
systemctl daemon-reload 9>&-
for entry in *.unit; do
  [ -f "$entry" ] && read -r name active file <"$entry" || continue
  rm -f "../pending/$name"
  case $file in
    masked*) ;;
    enabled) systemctl unmask -q "$name"; systemctl enable -q "$name" ;;
    disabled) systemctl disable -q "$name" ;;
  esac 9>&-
  case $active in
    active | reloading | activating) systemctl reset-failed "$name"; systemctl restart "$name" ;;
    *) systemctl stop "$name" ;;
  esac 9>&-
done 2>/dev/null
cd / && rm -rf "$guard" "$unit" /etc/systemd/system/multi-user.target.wants/tidewalk-guard.service
systemctl daemon-reload 9>&-
REVERT
  tw_unit=/etc/systemd/system/tidewalk-guard.service
  cat >$tw_unit <<UNIT || return 1
[Unit]
Description=Takes back what may have cut tidewalk off, unless it comes back first

[Service]
ExecStart=/bin/sh $tw_guard/revert
KillMode=process
UNIT
  mkdir -p /etc/systemd/system/multi-user.target.wants &&
    ln -sf $tw_unit /etc/systemd/system/multi-user.target.wants/ &&
    systemctl daemon-reload && systemctl restart --no-block tidewalk-guard || return 1
  tw_armed=1
}

# What the next entry is called: a number that sorts.
tw_entry() {
  set -- "$tw_guard"/[0-9]*
  [ -e "$1" ] || shift
  printf '%s/%04d' "$tw_guard" $#
}

# PATH: keeps what is there now.
tw_keep() {
  tw_can_guard || return 0
  tw_arm || tw_die "what may cut us off is not changed: the host could not get ready to take it back" || return 1
  tw_kept=$(tw_entry)
  if [ -e "$1" ] || [ -L "$1" ]; then cp -a -- "$1" "$tw_kept.old" || return 1; fi
  echo "$1" >"$tw_kept.path"
}

# UNIT: keeps how it is now.
tw_keep_unit() {
  tw_can_guard || return 0
  tw_arm || tw_die "what may cut us off is not changed: the host could not get ready to take it back" || return 1
  grep -qs "^$1 " "$tw_guard"/*.unit && return 0
  tw_kept=$(tw_entry)
  echo "$1 $(systemctl show -p ActiveState,UnitFileState --value -- "$1" | tr '\n' ' ')" >"$tw_kept.unit"
}

# PATH [VERB:UNIT]...: keeps what is there, and the units that hear of it, if that can cut us off.
tw_keep_if_risky() {
  tw_risk=
  tw_is_risky "$1" && tw_risk=1
  for tw_notify; do tw_is_risky_unit "${tw_notify#*:}" && tw_risk=1; done
  [ -n "$tw_risk" ] || return 0
  tw_keep "$1" || return 1
  shift
  for tw_notify; do tw_keep_unit "${tw_notify#*:}" || return 1; done
}

# <SCRIPT: what takes the next command back; its first line is a remark that tells of it.
tw_on_undo() {
  tw_can_guard || tw_die "only root, with systemd, can let the host take it back" || return 1
  tw_arm || return 1
  cat >"$(tw_entry).undo"
}

# LOGIN COMMAND...: changes an account.
tw_account() {
  tw_login=$1
  shift
  if tw_is_us "$tw_login"; then
    for tw_file in /etc/passwd /etc/shadow /etc/group /etc/gshadow; do
      [ ! -f $tw_file ] || tw_keep $tw_file || return 1
    done
  fi
  "$@"
}

# Whether this run changed what can cut us off.
tw_see_armed() { [ -n "$tw_armed" ]; }

# What an interrupted run has changed and not confirmed.
tw_see_guard() {
  [ -d "$tw_guard" ] || return 1
  cat "$tw_guard"/*.path 2>/dev/null
  sed -n '1s/^# //p' "$tw_guard"/*.undo 2>/dev/null
  return 0
}

# We got in: nothing is taken back. Status 1, and what was taken back, if that has happened already.
tw_confirm() {
  if [ ! -d "$tw_guard" ]; then cat /var/lib/tidewalk/undone; return 1; fi
  rm -rf "$tw_guard" /etc/systemd/system/tidewalk-guard.service \
    /etc/systemd/system/multi-user.target.wants/tidewalk-guard.service || return 1
  systemctl stop --no-block tidewalk-guard
  systemctl daemon-reload
  return 0
}

# Takes it all back at once, and tells what.
tw_take_back() {
  if [ -d "$tw_guard" ]; then
    systemctl stop --no-block tidewalk-guard
    sh "$tw_guard/revert" now
  fi
  cat /var/lib/tidewalk/undone
}
