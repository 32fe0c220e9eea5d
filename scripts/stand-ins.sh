#!/usr/bin/env bash
# A signed package source of stand-ins for what Debian does not have (RStudio Server, Jenkins …): small
# packages that install a unit on the right port. The demo and the tests fetch from it what others fetch
# from the Internet. It needs the image of the sandbox's hosts (`tidewalk sandbox up` makes it).
#   stand-ins.sh image           prints the name of a host image that has the source in /srv, made if missing
#   stand-ins.sh serve NETWORK   serves it in a sandbox's network until `sandbox down`; prints variables for
#                                playbooks/data-server.yml
set -euo pipefail
here=$(dirname "$0")/stand-ins
node=tidewalk-node:debian-12

image() {
  local base hash name maker
  # Who comes at the same time waits until it is there.
  exec 9>"${TMPDIR:-/tmp}/tidewalk-stand-ins.lock" && flock 9
  base=$(docker image inspect -f '{{.Id}}' $node)
  hash=$(printf '%s' "$base" | cat - "$here/recipe.sh" "$here/serve.py" "$here/agent.py" | sha256sum | cut -c1-16)
  name=tidewalk-node:stand-ins-$hash
  if [ -z "$(docker images -q "$name")" ]; then
    maker=tidewalk-stand-ins-$hash
    docker rm -f "$maker" >/dev/null 2>&1 || true
    docker create --name "$maker" $node sh -c "$(cat "$here/recipe.sh")" >/dev/null
    docker cp "$here/serve.py" "$maker:/root/serve.py" >/dev/null
    docker cp "$here/agent.py" "$maker:/root/agent.py" >/dev/null
    docker start -a "$maker" >&2
    docker commit -c 'CMD ["/sbin/init"]' "$maker" "$name" >/dev/null
    docker rm -f "$maker" >/dev/null
  fi
  exec 9>&-
  echo "$name"
}

serve() {
  local network=$1 id subnet address name
  name=$(image)
  id=${network#tidewalk-}
  subnet=$(docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' "$network")
  # The last of the addresses that are for instances: it is given out last.
  IFS=./ read -r a b c _ <<<"$subnet"
  address=$a.$b.$((c + 7)).255
  docker run -d --rm --name "tidewalk-stand-ins-$id" --label "tidewalk.sandbox=$id" \
    --network "$network" --ip "$address" "$name" \
    python3 -m http.server --directory /srv 80 >/dev/null
  curl -sf -o /dev/null --noproxy '*' --retry 120 --retry-delay 1 --retry-max-time 60 --retry-all-errors \
    --connect-timeout 2 "http://$address/key.asc" || {
    echo "stand-ins: http://$address/key.asc does not answer: see \`docker logs tidewalk-stand-ins-$id\`" >&2
    exit 1
  }
  cat <<VARS
# Sources on this machine, with stand-ins for what Debian does not have.
cran: { uri: "http://$address/apt", suites: [./], key: { url: "http://$address/key.asc" } }
r2u: null
r_packages: [r-cran-ggplot2]
rstudio_server: http://$address/apt/rstudio-server_99.0_all.deb
shiny_server: http://$address/apt/shiny-server_99.0_all.deb
jenkins: { uri: "http://$address:80/apt", suites: [./], key: { url: "http://$address/key.asc" } }
jenkins_java: stand-in-java
jenkins_plugin_manager: http://$address/manager.jar
VARS
}

case ${1:-} in
  image) image ;;
  serve) serve "$2" ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
