# Functions for packages and where they come from, by apt, dnf or yum.

# `apt-get`, `dnf` or `yum`: what the distribution is managed by, whatever else is installed.
tw_manager() {
  case $(. /etc/os-release && echo " $ID $ID_LIKE ") in
    *" debian "* | *" ubuntu "*) set -- apt-get dnf yum ;;
    *" fedora "* | *" rhel "* | *" centos "* | *" amzn "*) set -- dnf yum apt-get ;;
    *) set -- apt-get dnf yum ;;
  esac
  for tw_program; do
    if command -v "$tw_program" >/dev/null; then echo "$tw_program"; return; fi
  done
  tw_die "neither apt-get nor dnf nor yum is here"
}

# NAME...: `NAME TAB VERSION` of those that are installed; with `--latest`, `NAME TAB VERSION TAB
# CANDIDATE`.
tw_see_packages() {
  tw_latest=
  if [ "$1" = --latest ]; then tw_latest=1; shift; fi
  tw_program=$(tw_manager) || return 1
  case $tw_program in
    apt-get) tw_see_debs "$@" ;;
    *) tw_see_rpms "$@" ;;
  esac
}

# dpkg is not at work on its file, which then has all that it knows.
tw_dpkg_rests() {
  for tw_file in "${tw_status%/*}"/updates/*; do
    [ ! -e "$tw_file" ] || return 1
  done
  [ -r "$tw_status" ]
}

# dpkg's own file tells in a third of dpkg-query's time, names without an architecture only.
tw_see_debs() {
  tw_status=/var/lib/dpkg/status
  case $* in *:*) tw_status= ;; esac
  if [ -z "$tw_latest" ] && [ -n "$tw_status" ] && tw_dpkg_rests; then
    awk -v names=" $* " '
      /^Package: / { name = index(names, " " $2 " ") ? $2 : "" }
      name && /^Status: / && $4 != "installed" { name = "" }
      name && /^Version: / { print name "\t" $2; name = "" }
    ' "$tw_status"
    return
  fi
  dpkg-query -W -f '${Package}\t${Version}\t${db:Status-Status}\n' "$@" | while IFS='	' read -r tw_name tw_version tw_status; do
    [ "$tw_status" = installed ] || continue
    if [ -n "$tw_latest" ]; then
      tw_new=$(apt-cache policy "$tw_name" | sed -n 's/^  Candidate: //p')
      printf '%s\t%s\t%s\n' "$tw_name" "$tw_version" "$tw_new"
    else
      printf '%s\t%s\n' "$tw_name" "$tw_version"
    fi
  done
}

# A name may be what a package is called or what it provides (`vim`: vim-enhanced).
tw_see_rpms() {
  tw_format='%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n'
  for tw_name; do
    tw_seen=$(rpm -q --qf "$tw_format" "$tw_name") ||
      tw_seen=$(rpm -q --whatprovides --qf "$tw_format" "$tw_name") || continue
    tw_seen=${tw_seen##*"$tw_line"}
    if [ -n "$tw_latest" ]; then
      printf '%s\t%s\t%s\n' "$tw_name" "${tw_seen#*	}" "$(tw_newer_rpm "${tw_seen%%	*}" "${tw_seen#*	}")"
    else
      printf '%s\t%s\n' "$tw_name" "${tw_seen#*	}"
    fi
  done
}

# NAME VERSION: the version that the sources have. Status 100 of check-update is a newer one, told as
# `NAME.ARCH VERSION SOURCE`, wrapped if long.
tw_newer_rpm() {
  tw_offers=$("$tw_program" -q check-update "$1")
  case $? in
    0) echo "$2"; return ;;
    100) ;;
    *) echo "not known: $tw_program check-update failed"; return ;;
  esac
  tw_wanted=$1
  set -- $tw_offers
  while [ $# -ge 3 ]; do
    if [ "${1%.*}" = "$tw_wanted" ]; then echo "$2"; return; fi
    shift 3
  done
  echo newer
}

# STATE UPDATE RECOMMENDS NAME...: installs, upgrades or removes packages. The package manager writes
# to a file, so that a lost connection does not break it half-way.
tw_packages() {
  tw_want=$1 tw_update=$2 tw_recommends=$3 tw_updated=
  shift 3
  tw_program=$(tw_manager) || return 1
  if [ -n "$tw_made" ] && [ "$tw_want" != absent ]; then
    tw_have=$tw_line$(tw_see_packages "$@" 2>/dev/null | cut -f 1)$tw_line
    for tw_name; do
      case $tw_have in *"$tw_line${tw_name%%:*}$tw_line"*) ;; *) tw_note package "$tw_name" ;; esac
    done
  fi
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
  case $tw_program in
    apt-get) tw_apt "$@" >"$d/said" 2>&1 ;;
    *) tw_dnf "$@" >"$d/said" 2>&1 ;;
  esac
  tw_result=$?
  [ $tw_result = 0 ] || tw_cause "$d/said" >&2
  return $tw_result
}

# FILE: the end of what apt or dnf said, and last what it gave as the cause: the first error.
tw_cause() {
  grep -v -e '^[EN]: ' -e '^$' -e 'performed unsandboxed' "$1" | tail -n 10
  grep '^E: ' "$1" | tail -n +2 | head -n 4
  grep -m 1 '^E: ' "$1" | sed -e 's/^E: //' -e 's/ is not signed\.$/ is not signed by the key that it is to be trusted by: see `key` of the `repository`/'
}

tw_apt() {
  case $tw_want in
    absent) tw_apt_get remove "$@"; return ;;
  esac
  case $tw_update in
    true) tw_apt_update || return 1 ;;
    auto) tw_apt_is_fresh || tw_apt_update || return 1 ;;
  esac
  tw_apt_get install "$@" && return 0
  [ "$tw_update" != false ] && [ -z "$tw_updated" ] && grep -q '^E: .*\(Unable to locate\|no installation candidate\|Unable to fetch\|Failed to fetch\)' "$d/try" || return 1
  # What failed with the old lists is no cause any more.
  sed -i 's/^E: /with the lists as they were: /' "$d/said"
  tw_apt_update && tw_apt_get install "$@"
}

# apt-get, which waits for dpkg's locks by itself but not for its own, and does not finish what an
# interrupted dpkg has left.
tw_apt_get() {
  tw_end=$(($(date +%s) + 300)) tw_mended=
  while :; do
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
      -o "APT::Install-Recommends=$tw_recommends" "$@" >"$d/try" 2>&1
    tw_result=$?
    if [ $tw_result = 0 ]; then cat "$d/try"; return 0; fi
    if [ -z "$tw_mended" ] && grep -q 'dpkg was interrupted' "$d/try"; then
      tw_mended=1
      dpkg --configure -a --force-confdef --force-confold && continue
      echo "E: dpkg was interrupted earlier, and \`dpkg --configure -a\` cannot finish it: log in, mend or remove the package that it names, then run the same command again"
      return 1
    fi
    if [ "$(date +%s)" -lt $tw_end ] && grep -q 'Could not get lock /var/\(lib\|cache\)/apt/' "$d/try"; then
      sleep 1
      continue
    fi
    cat "$d/try"
    if grep -q 'Could not get lock' "$d/try"; then
      sed -n 's/^E: \(Could not get lock.*\)/E: another program has been at the packages for five minutes: \1/p' "$d/try"
    fi
    return $tw_result
  done
}

# The package lists are from today, and no source has been changed since.
tw_apt_is_fresh() {
  tw_stamp=$tw_state/apt-updated
  [ -n "$(find "$tw_stamp" -mtime -1 2>/dev/null)" ] || return 1
  [ -z "$(find /etc/apt/sources.list /etc/apt/sources.list.d -newer "$tw_stamp" 2>/dev/null)" ]
}

tw_apt_update() {
  tw_apt_get update || return 1
  tw_updated=1
  mkdir -p "$tw_state" && touch "$tw_state/apt-updated"
}

# Lists that dnf keeps are read again if a package is not in them.
tw_dnf() {
  if [ "$tw_update" = true ]; then "$tw_program" -q clean expire-cache || return 1; fi
  case $tw_want in
    absent) "$tw_program" -q -y remove "$@"; return ;;
  esac
  tw_weak=
  if [ "$tw_recommends" = false ] && [ "$tw_program" = dnf ]; then tw_weak=--setopt=install_weak_deps=False; fi
  "$tw_program" -q -y $tw_weak install "$@" || {
    [ "$tw_update" = auto ] && "$tw_program" -q clean expire-cache && "$tw_program" -q -y $tw_weak install "$@" || return 1
  }
  [ "$tw_want" != latest ] || "$tw_program" -q -y $tw_weak upgrade "$@"
}

# The host is one for apt sources.
tw_has_apt() {
  tw_program=$(tw_manager) || return 1
  [ "$tw_program" = apt-get ] || tw_die "this host's packages come by $tw_program, and a \`repository\` is an apt source: use \`file\` with a path in /etc/yum.repos.d"
}

# URL SHA256 PATH: fetches a signing key with apt's own downloader, as binary.
tw_fetch_key() {
  [ -x /usr/lib/apt/apt-helper ] || { tw_die "apt is not here"; return 1; }
  /usr/lib/apt/apt-helper download-file "$1" "$d/key" >"$d/said" 2>&1 || { tw_cause "$d/said" >&2; return 1; }
  if [ "$2" != - ]; then
    tw_hash=$(sha256sum <"$d/key")
    [ "${tw_hash%% *}" = "$2" ] || { tw_die "the key at $1 has SHA-256 ${tw_hash%% *}, not $2"; return 1; }
  fi
  tw_dearmor "$d/key" >"$d/key.bin"
  # An OpenPGP packet begins with its highest bit set (RFC 9580, section 4.2).
  tw_first=$(head -c 1 "$d/key.bin" | od -A n -t u1)
  [ "${tw_first:-0}" -ge 128 ] || { tw_die "what $1 gives is not an OpenPGP key"; return 1; }
  tw_put "$3" 0644 root root '' <"$d/key.bin"
}

# FILE: a key without its armor; every one of several.
tw_dearmor() {
  grep -q '^-----BEGIN PGP PUBLIC' "$1" || { cat "$1"; return; }
  rm -f "$d"/armored.*
  awk -v to="$d/armored." '
    /^-----BEGIN PGP PUBLIC/ { block++; head = 1; body = 0; next }
    head && /^[[:space:]]*$/ { head = 0; body = 1; next }
    /^=/ || /^-----END/ { body = 0 }
    body { print >(to block) }
  ' "$1"
  for tw_file in "$d"/armored.*; do base64 -d -i "$tw_file"; done
}
