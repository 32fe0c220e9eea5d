# Functions that operations may name as programs. POSIX sh with coreutils; `$d` is a private folder
# that goes away with this run. Functions that begin with `tw_see` only read.

if [ -n "$root" ] || [ "$(id -u)" = 0 ]; then tw_root=1 tw_state=/var/lib/tidewalk; else tw_root= tw_state=$HOME/.local/state/tidewalk; fi
tw_count=0

tw_die() { echo "$*" >&2; return 1; }

tw_line='
'

# What /etc/os-release says.
tw_see_os() {
  while IFS= read -r tw_text; do printf '%s\n' "$tw_text"; done </etc/os-release
}

# PATH...: looks at many files by two programs; `tw_see_file` then takes what they said line by line,
# so it must be called for the same paths in the same order.
tw_look_files() {
  tw_stats=$(stat -L -c '%n|%F|%a|%U|%G|%s' -- "$@")$tw_line
  tw_sums=$(sha256sum -- "$@")$tw_line
}

# UNIT...: looks at many units by one program, for `tw_see_unit` in the same order.
tw_look_units() {
  tw_units=$(systemctl show -p ActiveState,SubState,UnitFileState,NeedDaemonReload -- "$@")$tw_line$tw_line
}

# PATH WANTED-SHA256: `TYPE|MODE|OWNER|GROUP|SIZE`, the hash, and the content if the hash is another.
tw_see_file() {
  tw_first=${tw_stats%%"$tw_line"*}
  case $tw_first in "$1|"*) ;; *) return 1 ;; esac
  tw_stats=${tw_stats#*"$tw_line"}
  echo "${tw_first#"$1|"}"
  tw_first=${tw_sums%%"$tw_line"*}
  case $tw_first in *"  $1") ;; *) return 0 ;; esac
  tw_sums=${tw_sums#*"$tw_line"}
  tw_hash=${tw_first%%  *}
  echo "$tw_hash"
  [ "$tw_hash" = "$2" ] || head -c 262145 -- "$1"
}

# UNIT: its ActiveState, SubState, UnitFileState and NeedDaemonReload.
tw_see_unit() {
  echo "${tw_units%%"$tw_line$tw_line"*}"
  tw_units=${tw_units#*"$tw_line$tw_line"}
}

# Units that an interrupted run has left to reload or restart.
tw_see_pending() {
  [ ! -f "$tw_state/unproven" ] || echo unproven
  for tw_file in "$tw_state"/pending/*; do
    [ -f "$tw_file" ] && read -r tw_verb <"$tw_file" && echo "$tw_verb ${tw_file##*/}"
  done
  return 0
}

# USER: its passwd entry, its groups, and the hash field of its password (root only), which is not
# told while a first password is half given.
tw_see_user() {
  getent passwd "$1" || return 1
  id -Gn -- "$1"
  [ -e "$tw_state/first-password/$1" ] || getent shadow "$1" | cut -d: -f2
}

# USER <PASSWORD: sets it, to be changed at the first login. The two belong together: a run that ends
# between them leaves a mark.
tw_first_password() {
  mkdir -p "$tw_state/first-password" && : >"$tw_state/first-password/$1" || return 1
  { printf '%s:' "$1" && cat && echo; } | chpasswd && chage -d 0 -- "$1" || return 1
  rm -f -- "$tw_state/first-password/$1"
}

# USER: its home, `PATH|MODE|OWNER` of the file, and the file.
tw_see_authorized_keys() {
  tw_home=$(getent passwd "$1" | cut -d: -f6)
  [ -n "$tw_home" ] || return 1
  echo "$tw_home"
  [ -f "$tw_home/.ssh/authorized_keys" ] || return 0
  cat -- "$tw_home/.ssh/authorized_keys"
}

# The host is going to be changed, and was seen to answer as it should.
tw_unproven() { mkdir -p "$tw_state" && : >"$tw_state/unproven"; }
tw_proven() { rm -f "$tw_state/unproven"; }

# VERB:UNIT: remembers that it is to be reloaded or restarted; a restart is not forgotten for a reload.
tw_mark() {
  tw_unit=${1#*:}
  [ -d "$tw_state/pending" ] || mkdir -p "$tw_state/pending" || return 1
  if [ -f "$tw_state/pending/$tw_unit" ]; then
    read -r tw_verb <"$tw_state/pending/$tw_unit"
    [ "$tw_verb" = restart ] && return 0
  else
    : >"$d/fresh.$tw_unit"
  fi
  tw_note notify "$tw_unit"
  echo "${1%%:*}" >"$tw_state/pending/$tw_unit"
}

# UNIT: nothing of this run needs it any more, as nothing did before.
tw_unmark() {
  if [ -f "$d/fresh.$1" ]; then rm -f "$d/fresh.$1" "$tw_state/pending/$1"; fi
}

# VALIDATE: that it failed, in words that are no names of ours.
tw_invalid() {
  case $1 in
    tw_verify_unit*) echo "systemd does not accept the unit" ;;
    *) echo "validation failed: $1" ;;
  esac
}

# PATH OLD: puts back a copy of what was there; nothing was there if OLD is empty.
tw_restore() {
  if [ -n "$2" ]; then
    cp -a -- "$2" "$1.tidewalk-old" && mv -fT -- "$1.tidewalk-old" "$1"
  else
    rm -f -- "$1"
  fi
}

# PATH MODE OWNER GROUP VALIDATE [VERB:UNIT]... <CONTENT: replaces a file at once, validated.
# `-` keeps what is there. VALIDATE without `%s` runs after the swap, which is undone if it fails.
# Programs are few: each takes as long as all the rest.
tw_put() {
  tw_path=$1
  if [ -L "$1" ]; then tw_path=$(readlink -f -- "$1") || tw_path=$1; fi
  tw_dir=${tw_path%/*}
  tw_validate=$5
  if [ ! -d "$tw_dir/" ]; then
    tw_note_directory "$tw_dir"
    mkdir -p -- "$tw_dir/" || return 1
  fi
  for tw_stage in "$tw_dir"/.tidewalk.?????? "$tw_dir"/.tidewalk.put-*; do
    [ ! -e "$tw_stage" ] || rm -rf -- "$tw_stage"
  done
  case $tw_validate in
    *%s*)
      # The command may go by the file's name.
      tw_stage=$(mktemp -d "$tw_dir/.tidewalk.XXXXXX") || return 1
      tw_new=$tw_stage/${tw_path##*/} ;;
    *)
      # Nobody can guess the word.
      tw_stage=$tw_dir/.tidewalk.put-$word
      tw_new=$tw_stage ;;
  esac
  tw_put_staged "$@"
  tw_result=$?
  [ ! -e "$tw_stage" ] || rm -rf -- "$tw_stage"
  shift 5
  if [ $tw_result != 0 ]; then
    for tw_notify; do : >"$d/refused.${tw_notify#*:}"; done
  fi
  return $tw_result
}

tw_put_staged() {
  tw_mode=$2 tw_owner=$3 tw_group=$4
  shift 5
  if [ -e "$tw_path" ]; then
    [ ! -d "$tw_path" ] || { tw_die "$tw_path is a directory"; return 1; }
    umask 077
    cat >"$tw_new"
    tw_result=$?
    umask 022
    [ $tw_result = 0 ] || return 1
    cp --attributes-only --preserve=mode,ownership -- "$tw_path" "$tw_new" || return 1
  else
    if [ "$tw_mode" = - ]; then tw_mode=0644; fi
    install -m "$tw_mode" -- /dev/stdin "$tw_new" || return 1
    if [ "$tw_owner$tw_group" = -- ]; then tw_mode=-; fi
  fi
  case $tw_owner/$tw_group in
    -/-) ;;
    */-) chown -- "$tw_owner" "$tw_new" || return 1 ;;
    -/*) chown -- ":$tw_group" "$tw_new" || return 1 ;;
    *) chown -- "$tw_owner:$tw_group" "$tw_new" || return 1 ;;
  esac
  [ "$tw_mode" = - ] || chmod -- "$tw_mode" "$tw_new" || return 1
  case $tw_validate in
    *%s*)
      (set -- "$tw_new"; eval "${tw_validate%%\%s*}\"\$1\"${tw_validate#*%s}") </dev/null >"$d/said" 2>&1 || {
        cat "$d/said" >&2
        tw_die "$(tw_invalid "$tw_validate"); $tw_path is left as it was"
        return 1
      } ;;
  esac
  tw_keep_if_risky "$tw_path" "$@" || return 1
  tw_save "$tw_path" && tw_note_file "$tw_path" || return 1
  for tw_notify; do tw_mark "$tw_notify" || return 1; done
  mv -fT -- "$tw_new" "$tw_path" && tw_noted_file "$tw_path" || return 1
  case $tw_validate in
    '' | *%s*) ;;
    *)
      (set --; eval "$tw_validate") </dev/null >"$d/said" 2>&1 || {
        tw_restore "$tw_path" "$tw_old"
        for tw_notify; do [ -f "$d/undo.${tw_notify#*:}" ] || tw_unmark "${tw_notify#*:}"; done
        cat "$d/said" >&2
        tw_die "$(tw_invalid "$tw_validate"); $tw_path is back to what it was"
        return 1
      } ;;
  esac
  for tw_notify; do printf '%s\n%s\n' "$tw_path" "$tw_old" >>"$d/undo.${tw_notify#*:}"; done
}

# PATH: keeps a copy for this run; `tw_old` is where, or empty when nothing is there.
tw_save() {
  tw_old=
  [ -e "$1" ] || [ -L "$1" ] || return 0
  tw_count=$((tw_count + 1))
  tw_old=$d/old.$tw_count
  cp -a -- "$1" "$tw_old"
}

# PATH SHA256 ...: as tw_put, but only if the file still is what the content was made from;
# otherwise it is left for the next look.
tw_put_if() {
  tw_hash=absent
  if [ -f "$1" ]; then tw_hash=$(sha256sum <"$1"); tw_hash=${tw_hash%% *}; fi
  [ "$tw_hash" = "$2" ] || return 0
  tw_path=$1
  shift 2
  tw_put "$tw_path" "$@"
}

# PATH [VERB:UNIT]...: removes a file.
tw_remove() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  [ ! -d "$1" ] || { tw_die "$1 is a directory"; return 1; }
  tw_keep_if_risky "$@" || return 1
  tw_path=$1
  tw_save "$tw_path" && tw_note_file "$tw_path" || return 1
  shift
  for tw_notify; do tw_mark "$tw_notify" || return 1; done
  rm -f -- "$tw_path" || return 1
  for tw_notify; do printf '%s\n%s\n' "$tw_path" "$tw_old" >>"$d/undo.${tw_notify#*:}"; done
}

# PATH MODE OWNER GROUP: a directory, with its parents.
tw_directory() {
  tw_note_directory "$1"
  if [ "$3$4" = -- ] && [ "$2" != - ] && [ ! -e "$1" ]; then
    mkdir -p -m "$2" -- "$1"
    return
  fi
  mkdir -p -- "$1" || return 1
  [ "$3" = - ] || chown -- "$3" "$1" || return 1
  [ "$4" = - ] || chgrp -- "$4" "$1" || return 1
  [ "$2" = - ] || chmod -- "$2" "$1"
}

# Statuses that are as good as 0, `,`-separated, then a command.
tw_accept() {
  tw_good=$1
  shift
  "$@"
  tw_result=$?
  case ",$tw_good," in *",$tw_result,"*) return 0 ;; esac
  return $tw_result
}

# VERB UNIT: systemctl, with the unit's own words when it fails.
tw_service() {
  ! tw_is_risky_unit "$2" || tw_keep_unit "$2" || return 1
  tw_note_unit "$2"
  systemctl "$1" -- "$2"
  tw_result=$?
  case $tw_result/$1 in
    0/start | 0/restart) tw_stays_up "$2" || tw_result=1 ;;
  esac
  [ $tw_result = 0 ] || tw_last_words "$2"
  return $tw_result
}

# UNIT: what it wrote last. What it wrote before its end may come to the journal after systemd's own words on it,
# and without the unit's name if its process is gone by then (https://github.com/systemd/systemd/issues/2913).
tw_last_words() {
  journalctl --sync 2>/dev/null
  tw_shown=$(systemctl show -- "$1")
  tw_of=$(printf '%s\n' "$tw_shown" | sed -n 's/^Id=//p')
  # shellcheck disable=SC2046 # Words.
  set -- $(printf '%s\n' "$tw_shown" | sed -n 's/^Exec[A-Z].*; pid=\([1-9][0-9]*\) ;.*/+ _TRANSPORT=stdout _PID=\1/p')
  # As `-u` does, and what the processes of its commands wrote.
  journalctl -b -n 10 --no-pager -o cat _SYSTEMD_UNIT="$tw_of" + _PID=1 UNIT="$tw_of" \
    + _UID=0 OBJECT_SYSTEMD_UNIT="$tw_of" + _UID=0 COREDUMP_UNIT="$tw_of" "$@" >&2
}

# UNIT: it did not fail right after its start, which systemd calls a success for most services.
tw_stays_up() {
  sleep 0.2
  tw_is=$(systemctl show -p ActiveState,SubState --value -- "$1" | tr '\n' ' ')
  case $tw_is in
    failed*) tw_die "unit $1 has failed" ;;
    *auto-restart*) tw_die "unit $1 ends and is started again and again" ;;
  esac
}

tw_act() {
  tw_is=$(systemctl is-active -- "$2")
  case $1/$tw_is in
    reload/active | reload/reloading | reload/activating) systemctl reload-or-restart -- "$2" || return 1 ;;
    */active | */reloading | */activating | */failed)
      systemctl reset-failed -- "$2" 2>/dev/null
      systemctl restart -- "$2" || return 1 ;;
    *) return 0 ;;
  esac
  tw_stays_up "$2"
}

# UNIT: puts back what asked for it in this run, the newest first; `tw_back` names it.
tw_put_back() {
  tw_back=
  tac "$d/undo.$1" >"$d/undo.back"
  while read -r tw_old && read -r tw_path; do
    tw_restore "$tw_path" "$tw_old"
    tw_back="$tw_back $tw_path"
  done <"$d/undo.back"
  rm -f "$d/undo.$1"
  systemctl daemon-reload
}

# UNIT: reloads or restarts it if that is pending. If it fails, or if a file for it was refused, the
# others that asked for it are put back: it has all of what is new, or nothing.
tw_notify() {
  [ -f "$tw_state/pending/$1" ] || return 0
  if [ -f "$d/refused.$1" ] && [ -s "$d/undo.$1" ]; then
    tw_put_back "$1"
    tw_unmark "$1"
    tw_die "put back, too, so that $1 keeps what it had:$tw_back"
    [ -f "$tw_state/pending/$1" ] || return 1
  fi
  read -r tw_verb <"$tw_state/pending/$1"
  if tw_act "$tw_verb" "$1"; then
    rm -f "$tw_state/pending/$1"
    return 0
  fi
  tw_last_words "$1"
  [ -s "$d/undo.$1" ] || { tw_die "$tw_verb of $1 failed"; return 1; }
  tw_put_back "$1"
  rm -f "$tw_state/pending/$1"
  if tw_act "$tw_verb" "$1"; then
    tw_die "$tw_verb of $1 failed; put back as before and loaded again:$tw_back"
  else
    tw_die "$tw_verb of $1 failed, and again with the old files put back:$tw_back"
  fi
}

# USER EXCLUSIVE <KEYS: adds keys, or sets them. Written as the user, so that links in the home
# folder lead nowhere that the user may not write.
tw_authorize() {
  tw_user=$1 tw_exclusive=$2
  tw_home=$(getent passwd "$tw_user" | cut -d: -f6)
  [ -n "$tw_home" ] || { tw_die "there is no user $tw_user"; return 1; }
  [ "$tw_exclusive" = false ] || ! tw_is_us "$tw_user" || tw_keep "$tw_home/.ssh/authorized_keys" || return 1
  set -- sh -c '
    umask 077
    mkdir -p "$1/.ssh" && cd "$1/.ssh" && chmod 700 . || exit 1
    new=authorized_keys.tidewalk
    if [ "$2" = false ] && [ -f authorized_keys ]; then cat authorized_keys; fi >$new || exit 1
    [ -z "$(tail -c 1 $new)" ] || echo >>$new
    while IFS= read -r key; do grep -qxF -e "$key" $new || printf "%s\n" "$key" >>$new; done
    chmod 600 $new && mv -f $new authorized_keys
  ' sh "$tw_home" "$tw_exclusive"
  if [ -n "$tw_root" ] && [ "$tw_user" != root ]; then set -- runuser -u "$tw_user" -- "$@"; fi
  "$@"
}

# USER <KEYS: those that are not there yet are going to be added.
tw_note_keys() {
  tw_home=$(getent passwd "$1" | cut -d: -f6)
  while IFS= read -r tw_words; do
    grep -qsxF -e "$tw_words" "$tw_home/.ssh/authorized_keys" || tw_note key "$1 $tw_words"
  done
  return 0
}

# USER <KEYS: takes keys away.
tw_unauthorize() {
  tw_user=$1
  tw_home=$(getent passwd "$tw_user" | cut -d: -f6)
  [ -n "$tw_home" ] && [ -f "$tw_home/.ssh/authorized_keys" ] || return 0
  ! tw_is_us "$tw_user" || tw_keep "$tw_home/.ssh/authorized_keys" || return 1
  set -- sh -c '
    umask 077
    cd "$1/.ssh" || exit 1
    new=authorized_keys.tidewalk
    cat >$new.gone
    grep -vxF -f $new.gone authorized_keys >$new
    rm -f $new.gone
    chmod 600 $new && mv -f $new authorized_keys
  ' sh "$tw_home"
  if [ -n "$tw_root" ] && [ "$tw_user" != root ]; then set -- runuser -u "$tw_user" -- "$@"; fi
  "$@"
}

# UNIT-FILE: systemd-analyze, forgiving what other units do where it can tell. The manual pages that
# a unit names may be missing: minimal systems have none.
tw_verify_unit() {
  if systemd-analyze --help | grep -q -e --recursive-errors; then
    systemd-analyze verify --man=no --recursive-errors=no "$1"
  else
    systemd-analyze verify --man=no "$1"
  fi
}

# SCHEDULE: systemd can read it; a timer with one that it cannot read is not even loaded.
tw_verify_schedule() {
  systemd-analyze calendar "$1" >"$d/said" 2>&1 || { cat "$d/said" >&2; return 1; }
}
