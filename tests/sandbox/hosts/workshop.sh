# Makes a sandbox host into one with package sources of its own, under /srv; run as root, once.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends dnf rpm createrepo-c apt-utils gpg-agent >/dev/null
work=$(mktemp -d)
cd "$work"

# FOLDER NAME VERSION: an RPM of nothing.
rpm_of() {
    printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: A stand-in\nLicense: MIT\nBuildArch: noarch\n%%description\nA stand-in.\n%%files\n' "$2" "$3" >"$2.spec"
    rpmbuild -bb --quiet --define "_topdir $work/rpmbuild" --define "_rpmdir $1" "$2.spec"
}
rpm_of /srv/rpm tide 1
rpm_of /srv/rpm walk 1
rpm_of /srv/rpm-newer tide 2
createrepo_c -q /srv/rpm
createrepo_c -q /srv/rpm-newer

# NAME VERSION POSTINST: a package with what is in the folder NAME, which may be missing.
deb_of() {
    mkdir -p "$1/DEBIAN" /srv/apt
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\nDescription: a stand-in\n' "$1" "$2" >"$1/DEBIAN/control"
    printf '#!/bin/sh\nset -e\n%s\n' "$3" >"$1/DEBIAN/postinst"
    chmod 755 "$1/DEBIAN/postinst"
    dpkg-deb -b --root-owner-group "$1" /srv/apt >/dev/null
}
install -d beacon/lib/systemd/system
printf '[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >beacon/lib/systemd/system/beacon.service
deb_of beacon 1.0 'systemctl daemon-reload'
# Takes its time while /etc/slowly is there.
deb_of slowpoke 1.0 'if [ -e /etc/slowly ]; then echo x >>/root/slowpoke.begun; sleep 4; fi'
deb_of broken 1.0 'test -e /etc/mended || { echo "broken is not mended" >&2; exit 1; }'

# Two keys, and the same source signed by either; the first is also there without its armor.
cd /srv/apt
apt-ftparchive packages . >Packages
apt-ftparchive release . >"$work/Release"
for name in first second; do
    export GNUPGHOME="$work/$name"
    install -d -m 700 "$GNUPGHOME"
    gpg --batch -q --passphrase '' --quick-gen-key "$name@example.com" ed25519 sign never
    gpg --batch -q --armor --export >"/srv/$name.asc"
    gpg --batch -q --export >"/srv/$name.gpg"
    gpg --batch -q --clearsign -o "/srv/InRelease.$name" "$work/Release"
    gpgconf --kill all
done
cp /srv/InRelease.first InRelease
cat >/etc/systemd/system/archive.service <<'UNIT'
[Service]
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /srv 8080
[Install]
WantedBy=multi-user.target
UNIT
ln -s /etc/systemd/system/archive.service /etc/systemd/system/multi-user.target.wants/
# Nothing comes from anywhere else.
rm -rf "$work" /etc/apt/sources.list.d/* /var/lib/apt/lists/*
