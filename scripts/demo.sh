#!/usr/bin/env bash
# The main job, end to end, on the sandbox: what tidewalk does, shown by doing it.
#   demo.sh PATH_OF_TIDEWALK
set -euo pipefail
tidewalk=$(realpath "$1")
cd "$(dirname "$0")/.."
here=$PWD

# The demo works in a folder of its own, with a sandbox of its own.
rm -rf .demo && mkdir -p .demo/playbooks && cp playbooks/data-server.yml .demo/playbooks/ && cd .demo
playbook=playbooks/data-server.yml
common="$playbook --sandbox --vars-file stand-ins.yml"
export TIDEWALK_SANDBOX_DIR=$PWD/sandbox TIDEWALK_VAR_admin_cidr=me
started=$SECONDS

bold=$'\e[1m' plain=$'\e[0m'
[ -t 1 ] || bold='' plain=''
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
show() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; }
# run EXPECTED_EXIT_CODE COMMAND...: shows the command, runs it, and stops the demo if it ends otherwise.
run() {
  local expected=$1 code=0
  shift
  show "${@/#$tidewalk/tidewalk}"
  "$@" || code=$?
  if [ "$code" != "$expected" ]; then
    printf '\ndemo: that ended with exit code %s, not %s\n' "$code" "$expected" >&2
    exit 1
  fi
}
finish() { "$tidewalk" sandbox down >/dev/null 2>&1 || true; }
trap finish EXIT

say "A local cloud: the AWS API on this machine, and real Linux hosts behind it."
run 0 "$tidewalk" sandbox up

# What a program reads: the documents that --json prints.
field() { python3 -c 'import json, sys
for line in sys.stdin:
    found = json.loads(line).get(sys.argv[1])
    if found:
        print(eval(sys.argv[2], {"it": found}))' "$@"; }
running() { "$tidewalk" sandbox status --json | field sandbox "it['running']$1"; }
endpoint=$(running '["endpoint"]')
python=${XDG_DATA_HOME:-$HOME/.local/share}/tidewalk/venv/bin/python

say "Small packages stand in for RStudio Server, Jenkins and others, and two people work here."
show "stand-ins.sh serve NETWORK > stand-ins.yml"
"$here/scripts/stand-ins.sh" serve "$(running '["network"]["name"]')" >stand-ins.yml
show "python by-hand.py join de3 jane.doe@example.com joe"
"$python" "$here/scripts/by-hand.py" "$endpoint" join de3 jane.doe@example.com joe

say "What would be done? (Exit code 3 says: there is something to do.)"
run 3 "$tidewalk" plan $common --out de3.plan

say "Do exactly that."
run 0 "$tidewalk" apply de3.plan

url=$("$tidewalk" status $common --json |
  field status '"http://" + [row["reach"] for row in it["resources"] if row["address"] == "elastic_ips.server"][0]')
say "It runs: Nginx answers, and behind it RStudio, Jenkins and port 8000, and a websocket."
run 0 curl -sS --fail "$url/rstudio/"
run 0 curl -sS --fail "$url/jenkins/"
run 0 curl -sS --fail "$url/8000/"
show "python echo.py ${url/http/ws}/rstudio/events tide"
python3 "$here/scripts/echo.py" "${url/http/ws}/rstudio/events" tide
run 0 "$tidewalk" users $common
run 0 "$tidewalk" exec server -f $common -- sudo chage -l jane_doe

say "Again: nothing to do."
run 0 "$tidewalk" plan $common

say "Somebody changes a file on the host, and opens a port in the console."
run 0 "$tidewalk" exec server -f $common -- sudo sed -i s/:8787/:8788/ /etc/nginx/sites-available/default
show "python by-hand.py open de3 8787"
"$python" "$here/scripts/by-hand.py" "$endpoint" open de3 8787

say "The plan shows exactly those two."
run 3 "$tidewalk" plan $common --out de3.plan
run 0 "$tidewalk" apply de3.plan

say "Take it all down, and prove it."
run 0 "$tidewalk" destroy $common --yes
printf '\nThe demo took %s seconds.\n' "$((SECONDS - started))"
