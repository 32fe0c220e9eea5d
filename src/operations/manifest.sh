# What was put on this host, noted so that it can be taken away again: `tw_undo`. A folder for each stack
# and host name holds `list`, what was noted in that order, and what was there before.

tw_made=

# STACK NAME: from here on, what is made is noted for them.
tw_begin() {
  [ -n "$tw_root" ] || return 0
  tw_made=$tw_state/made/$1/$2
  [ -d "$tw_made" ] || mkdir -p -m 700 "$tw_made"
}

# TEXT: `tw_key` is it as the name of a file.
tw_key_of() {
  tw_key= tw_rest=$1
  while :; do
    case $tw_rest in
      */*) tw_key=$tw_key${tw_rest%%/*}%; tw_rest=${tw_rest#*/} ;;
      *) tw_key=$tw_key$tw_rest; break ;;
    esac
  done
  # Names of files end at 255 bytes.
  if [ ${#tw_key} -gt 200 ]; then tw_key=$(printf %s "$1" | sha256sum) && tw_key=${tw_key%% *}; fi
}

# KIND TEXT: notes it, once; status 1 if nothing is noted or it was before.
tw_note() {
  [ -n "$tw_made" ] || return 1
  tw_key_of "$2"
  [ ! -e "$tw_made/$1.$tw_key" ] || return 1
  : >"$tw_made/$1.$tw_key" && echo "$1 $2" >>"$tw_made/list"
}

# PATH: it is going to be written; what is there is kept at the first time.
tw_note_file() {
  tw_note file "$1" || return 0
  if [ -e "$1" ] || [ -L "$1" ]; then cp -a -- "$1" "$tw_made/old.$tw_key"; fi
}

# PATH: it was written; if it is newer than this, somebody else has changed it since.
tw_noted_file() {
  [ -n "$tw_made" ] || return 0
  tw_key_of "$1"
  : >"$tw_made/file.$tw_key"
}

# PATH: a directory, and those above it, are going to be made.
tw_note_directory() {
  [ -n "$tw_made" ] && [ ! -d "$1" ] || return 0
  case $1 in */*/*) tw_note_directory "${1%/*}" ;; esac
  tw_note directory "$1"
  return 0
}

# UNIT: it is going to be started, stopped, enabled or disabled.
tw_note_unit() {
  [ -n "$tw_made" ] && [ ! -e "$tw_made/unit.$1" ] || return 0
  tw_was=$(systemctl show -p LoadState,ActiveState,UnitFileState --value -- "$1" | tr '\n' ' ')
  tw_note unit "$1" && echo "$tw_was" >"$tw_made/unit.$1"
}

# USER GROUP,...: a user that is there is going to be in groups.
tw_note_groups() {
  [ -n "$tw_made" ] || return 0
  tw_in=" $(id -Gn -- "$1") "
  for tw_group in $(echo "$2" | tr ',' ' '); do
    case $tw_in in *" $tw_group "*) ;; *) tw_note member "$1 $tw_group" ;; esac
  done
  return 0
}

# COMMAND...: a program that makes something new, which is noted if it did: `useradd`, `groupadd`.
# 9: a package before this made it already.
tw_make() {
  tw_new_kind=$1
  shift
  "$@"
  tw_result=$?
  [ $tw_result != 9 ] || return 0
  [ $tw_result = 0 ] || return $tw_result
  shift $(($# - 1))
  tw_note "$tw_new_kind" "$1"
  return 0
}

# LABEL <SCRIPT: a command is going to run; what takes it back, if anything does.
tw_note_command() {
  if tw_note command "$1"; then cat >"$tw_made/command.$tw_key"; fi
}

# What is noted for STACK NAME, a line each; status 1 if nothing is.
tw_see_made() { cat "$tw_state/made/$1/$2/list" 2>/dev/null; }

# STACK NAME: takes away what was put here for them, the newest first, and tells what became of each:
# `undone WHAT`, or `left WHAT: WHY`. What cannot be taken away because something fails stays noted.
tw_undo() {
  tw_made=$tw_state/made/$1/$2
  tw_list=$tw_made/list tw_from=$tw_made tw_made= tw_later= tw_failed=
  [ -f "$tw_list" ] || return 0
  # By tw_undo_file, tw_undo_directory, tw_undo_notify, tw_undo_unit, tw_undo_package, tw_undo_user,
  # tw_undo_group, tw_undo_member, tw_undo_key, tw_undo_command.
  tac "$tw_list" >"$d/undo" || return 1
  while read -r tw_kind tw_what <&3; do
    tw_key_of "$tw_what"
    tw_why=
    "tw_undo_$tw_kind" "$tw_what" >"$d/said" 2>&1 3<&-
    case $?/$tw_why in
      0/) echo "undone $tw_kind $tw_what" ;;
      0/*) echo "left $tw_kind $tw_what: $tw_why" ;;
      *) tw_failed=1; echo "left $tw_kind $tw_what: $(tail -n 1 "$d/said")" ;;
    esac
  done 3<"$d/undo"
  systemctl daemon-reload
  for tw_unit in $tw_later; do
    tw_act restart "$tw_unit" || { tw_failed=1; echo "left unit $tw_unit: it does not start with the old files"; }
  done
  [ -n "$tw_failed" ] || rm -rf "$tw_from"
}

tw_undo_file() {
  tw_old=$tw_from/old.$tw_key
  [ -e "$tw_old" ] || [ -L "$tw_old" ] || tw_old=
  if [ -e "$1" ] && [ "$1" -nt "$tw_from/file.$tw_key" ]; then tw_why="somebody has changed it since"; return; fi
  if [ ! -e "$1" ] && [ -z "$tw_old" ]; then return; fi
  tw_keep_if_risky "$1" || return 1
  case $tw_old$1 in
    /etc/systemd/system/*/*) ;;
    /etc/systemd/system/*.*) systemctl disable -q --now -- "${1##*/}" ;;
  esac
  tw_restore "$1" "$tw_old"
}

tw_undo_directory() {
  [ -d "$1" ] || return 0
  rmdir -- "$1" 2>/dev/null || tw_why="it is not empty"
}

tw_undo_notify() { case " $tw_later " in *" $1 "*) ;; *) tw_later="$tw_later $1" ;; esac; }

tw_undo_unit() {
  read -r tw_load tw_active tw_file <"$tw_from/unit.$tw_key" || return 1
  ! tw_is_risky_unit "$1" || tw_keep_unit "$1" || return 1
  case $tw_load/$tw_file in
    not-found/*) systemctl disable -q --now -- "$1"; return 0 ;;
    */masked*) systemctl mask -q -- "$1" ;;
    */enabled) systemctl unmask -q -- "$1"; systemctl enable -q -- "$1" ;;
    */disabled) systemctl unmask -q -- "$1"; systemctl disable -q -- "$1" ;;
  esac
  case $tw_active in
    active | reloading | activating) systemctl start -- "$1" ;;
    *) systemctl stop -- "$1" ;;
  esac
}

tw_undo_package() { tw_packages absent false false "$1"; }

tw_undo_user() {
  getent passwd "$1" >/dev/null || return 0
  if tw_is_us "$1"; then tw_why="we are logged in as it"; return 0; fi
  tw_home=$(getent passwd "$1" | cut -d: -f6)
  userdel -- "$1" || return 1
  [ ! -d "$tw_home" ] || tw_why="the user is removed, its home $tw_home stays"
}

tw_undo_group() { ! getent group "$1" >/dev/null || groupdel -- "$1"; }

tw_undo_member() {
  getent passwd "${1% *}" >/dev/null || return 0
  gpasswd -d "${1% *}" "${1#* }"
}

tw_undo_key() { echo "${1#* }" | tw_unauthorize "${1%% *}"; }

# A command, by the lines that take it back, if it has such.
tw_undo_command() {
  if [ -s "$tw_from/command.$tw_key" ]; then sh -e "$tw_from/command.$tw_key" </dev/null; return; fi
  tw_why="the playbook does not say how (\`undo\`)"
}
