# What asks for a restart of this host: Debian's mark, with the packages, or what dnf knows.
tw_see_reboot() {
  if [ -e /run/reboot-required ]; then
    sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' '
    return 0
  fi
  command -v needs-restarting >/dev/null || return 1
  ! needs-restarting -r >/dev/null 2>&1
}

# Restarts the host, a moment after this was heard.
tw_reboot() {
  setsid sh -c 'sleep 1; exec systemctl reboot' >/dev/null 2>&1 </dev/null &
}
