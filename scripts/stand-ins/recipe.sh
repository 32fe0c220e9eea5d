# Makes a sandbox host into one with a signed source of stand-ins for what Debian does not have, under
# /srv; run as root, once, by stand-ins.sh. `serve.py` and `agent.py` are in /root.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends apt-utils gpg-agent gpg >/dev/null
work=$(mktemp -d)
cd "$work"

# NAME POSTINST [VERSION FOLDER]: a package with what is in the folder NAME.
deb_of() {
    mkdir -p "$1/DEBIAN" "${4:-/srv/apt}"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\nDescription: a stand-in\n' "$1" "${3:-99.0}" >"$1/DEBIAN/control"
    printf '#!/bin/sh\nset -e\n%s\n' "$2" >"$1/DEBIAN/postinst"
    chmod 755 "$1/DEBIAN/postinst"
    dpkg-deb -b --root-owner-group "$1" "${4:-/srv/apt}" >/dev/null
}

# NAME WHAT LINES: a package whose unit serves, as `serve.py WHAT`.
service_of() {
    install -d "$1/lib/systemd/system" "$1/usr/lib/$1"
    cp /root/serve.py "$1/usr/lib/$1/"
    printf '[Unit]\nAfter=network.target\n[Service]\nExecStart=/usr/bin/python3 -u /usr/lib/%s/serve.py %s\n%s\n[Install]\nWantedBy=multi-user.target\n' "$1" "$2" "$3" >"$1/lib/systemd/system/$1.service"
}

service_of rstudio-server rstudio ''
install -d rstudio-server/etc/rstudio
echo '# Server Configuration File' >rstudio-server/etc/rstudio/rserver.conf
deb_of rstudio-server 'systemctl daemon-reload; systemctl enable --now rstudio-server'

service_of shiny-server shiny 'User=shiny'
deb_of shiny-server 'id shiny >/dev/null 2>&1 || useradd -r -m shiny; install -d /etc/shiny-server /srv/shiny-server /var/log/shiny-server; systemctl daemon-reload; systemctl enable --now shiny-server'

service_of jenkins jenkins "$(printf 'User=jenkins\nWorkingDirectory=/var/lib/jenkins\nEnvironment=JENKINS_PORT=8080')"
install -d jenkins/usr/share/java
: >jenkins/usr/share/java/jenkins.war
deb_of jenkins 'id jenkins >/dev/null 2>&1 || useradd -r -m -d /var/lib/jenkins jenkins; systemctl daemon-reload; systemctl enable jenkins; systemctl start jenkins || true'

agent=aws-kinesis-agent
install -d $agent/lib/systemd/system $agent/etc/aws-kinesis $agent/usr/share/$agent
cp /root/agent.py $agent/usr/share/$agent/
echo '{}' >$agent/etc/aws-kinesis/agent.json
cat >$agent/lib/systemd/system/$agent.service <<UNIT
[Unit]
After=network.target
[Service]
User=$agent-user
RuntimeDirectory=$agent
RuntimeDirectoryPreserve=yes
ExecStart=/usr/bin/python3 /usr/share/$agent/agent.py
Restart=on-failure
[Install]
WantedBy=multi-user.target
UNIT
deb_of $agent "id $agent-user >/dev/null 2>&1 || useradd -r $agent-user; systemctl daemon-reload"

# The plugin manager is a program of this Java: it makes a file for each plugin.
install -d stand-in-java/usr/bin
cat >stand-in-java/usr/bin/java <<'JAVA'
#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in
        --plugin-file) ids=$2 ;;
        --plugin-download-directory) to=$2 ;;
    esac
    shift
done
mkdir -p "$to"
while read -r id; do : >"$to/$id.jpi"; done <"$ids"
JAVA
chmod 755 stand-in-java/usr/bin/java
deb_of stand-in-java ''
: >/srv/manager.jar

# R knows how to look for a package and how to install one from GitHub.
install -d r-base/usr/bin
cat >r-base/usr/bin/Rscript <<'RSCRIPT'
#!/bin/sh
name=$(printf '%s' "$2" | sed -n "s/.*['\"(/]\([A-Za-z0-9.]*\)['\"].*/\1/p")
library=/usr/local/lib/R/site-library
case $2 in
    *install_github*) name=$(printf '%s' "$2" | sed "s/[^']*'\([^']*\)'.*/\1/"); mkdir -p "$library/${name##*/}" ;;
    *requireNamespace*) test -d "$library/$name" ;;
esac
RSCRIPT
chmod 755 r-base/usr/bin/Rscript
deb_of r-base ''
install -d r-cran-ggplot2 r-cran-remotes
deb_of r-cran-ggplot2 ''
deb_of r-cran-remotes ''

# Gives a certificate of its own for a name, once its hook has stopped what is on port 80.
install -d certbot/usr/bin
cat >certbot/usr/bin/certbot <<'CERTBOT'
#!/bin/sh
set -e
echo "$*" >>/etc/letsencrypt/asked
while [ $# -gt 0 ]; do
    case $1 in
        --domain) name=$2 ;;
        --pre-hook) before=$2 ;;
        --post-hook) after=$2 ;;
    esac
    shift
done
$before
python3 -c 'import socket; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", 80))'
mkdir -p "/etc/letsencrypt/live/$name"
cd "/etc/letsencrypt/live/$name"
openssl req -x509 -newkey ed25519 -nodes -days 9 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" -keyout privkey.pem -out fullchain.pem 2>/dev/null
$after
CERTBOT
chmod 755 certbot/usr/bin/certbot
deb_of certbot 'mkdir -p /etc/letsencrypt'

# A tool of which there is an older version, too.
install -d stand-in-tool
deb_of stand-in-tool '' 1.0 /srv/older
deb_of stand-in-tool ''

cd /srv/apt
apt-ftparchive packages . >Packages
apt-ftparchive release . >"$work/Release"
export GNUPGHOME="$work/gpg"
install -d -m 700 "$GNUPGHOME"
gpg --batch -q --passphrase '' --quick-gen-key stand-ins@example.com ed25519 sign never
gpg --batch -q --armor --export >/srv/key.asc
gpg --batch -q --clearsign -o InRelease "$work/Release"
gpgconf --kill all
cat >/etc/systemd/system/archive.service <<'UNIT'
[Service]
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /srv 9999
[Install]
WantedBy=multi-user.target
UNIT
ln -s /etc/systemd/system/archive.service /etc/systemd/system/multi-user.target.wants/
rm -rf "$work"
