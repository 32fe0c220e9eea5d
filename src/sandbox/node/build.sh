#!/bin/sh
# Builds the image that sandbox hosts run: Debian 12 with systemd, sshd, sudo and cloud-init.
# usage: build.sh IMAGE RECIPE      RECIPE is kept as a label: an image of another recipe is built anew
# needs root, apt and a Docker Engine
set -eu

image=$1
recipe=$2
say() { printf '%s\n' "$*"; }

if ! command -v mmdebstrap >/dev/null 2>&1; then
    say "installing mmdebstrap with apt"
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends mmdebstrap >/dev/null
fi

# Thousands of small files: in memory where that is possible.
work=$(mktemp -d -p "$( [ -w /dev/shm ] && echo /dev/shm || echo /tmp )" tidewalk-node.XXXXXX)
trap 'rm -rf "$work"' EXIT
export TMPDIR="$work"

# On Debian 12, the same sources as this machine's (they may be a mirror); elsewhere the default.
sources=""
. /etc/os-release
if [ "${ID:-}" = debian ] && [ "${VERSION_CODENAME:-}" = bookworm ]; then
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
        if [ -s "$file" ]; then sources=$file; break; fi
    done
fi

cat >"$work/tidewalk.cfg" <<'CFG'
# The seed lies in /var/lib/cloud/seed/nocloud; nothing else is asked.
datasource_list: [NoCloud]
datasource: { NoCloud: { fs_label: null } }
network: { config: disabled }
# Docker bind-mounts /etc/hostname and /etc/hosts: they cannot be replaced.
preserve_hostname: true
locale: false
manage_etc_hosts: false
apt_preserve_sources_list: true
ssh_genkeytypes: [ed25519]
disable_root: true
no_ssh_fingerprints: true
ssh: { emit_keys_to_console: false }
cloud_init_modules: [bootcmd, write-files, ca-certs, rsyslog, users-groups, ssh]
cloud_config_modules: [ssh-import-id, locale, set-passwords, apt-configure, ntp, timezone, runcmd]
cloud_final_modules: [package-update-upgrade-install, write-files-deferred, scripts-vendor, scripts-per-once, scripts-per-boot, scripts-per-instance, scripts-user, phone-home, final-message, power-state-change]
CFG
cat >"$work/nodes.conf" <<'CFG'
UseDNS no
MaxStartups 100
PasswordAuthentication no
CFG
cat >"$work/journald.conf" <<'CFG'
[Journal]
Storage=volatile
RuntimeMaxUse=16M
CFG
# The addresses that AWS would route to the instance; the sandbox writes the list.
cat >"$work/addresses" <<'CFG'
#!/bin/sh
list=/etc/tidewalk-sandbox/addresses
[ -r "$list" ] || exit 0
for old in $(ip -4 -o address show dev eth0 | awk '$4 ~ /\/32$/ { sub("/32", "", $4); print $4 }'); do
    grep -qx "$old" "$list" || ip address del "$old/32" dev eth0
done
while read -r new; do
    ip -4 -o address show dev eth0 | grep -q " $new/32 " || ip address add "$new/32" dev eth0
done <"$list"
CFG
cat >"$work/addresses.service" <<'CFG'
[Unit]
Description=Public addresses of this instance
DefaultDependencies=no
Before=network.target ssh.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/tidewalk-sandbox-addresses
[Install]
WantedBy=sysinit.target
CFG
cat >"$work/customize" <<'CFG'
#!/bin/sh
set -eu
root=$1
from=$2
install -D -m 644 "$from/tidewalk.cfg" "$root/etc/cloud/cloud.cfg.d/95-tidewalk.cfg"
install -D -m 644 "$from/nodes.conf" "$root/etc/ssh/sshd_config.d/tidewalk.conf"
install -D -m 644 "$from/journald.conf" "$root/etc/systemd/journald.conf.d/tidewalk.conf"
install -D -m 755 "$from/addresses" "$root/usr/local/sbin/tidewalk-sandbox-addresses"
install -D -m 644 "$from/addresses.service" "$root/etc/systemd/system/tidewalk-sandbox-addresses.service"
# With a policy set, the boot generator need not look for clouds.
printf 'policy: enabled\ndatasource: NoCloud\n' >"$root/etc/cloud/ds-identify.cfg"
rm -f "$root"/etc/ssh/ssh_host_*key* "$root/var/lib/dbus/machine-id" "$root/usr/sbin/policy-rc.d"
: >"$root/etc/machine-id"
systemctl -q --root="$root" enable ssh.service tidewalk-sandbox-addresses.service
systemctl -q --root="$root" set-default multi-user.target
# What a container cannot do, or what only makes its start slow.
systemctl -q --root="$root" mask \
    systemd-udevd.service systemd-udev-trigger.service systemd-modules-load.service systemd-remount-fs.service \
    systemd-tmpfiles-clean.timer systemd-journal-flush.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
    systemd-networkd.service systemd-resolved.service networking.service ifupdown-wait-online.service \
    systemd-logind.service getty.target console-getty.service modprobe@.service \
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    e2scrub_reap.service e2scrub_all.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    cloud-init-hotplugd.socket cloud-init-hotplugd.service
# Byte code beforehand: cloud-init is four Python processes at each boot.
chroot "$root" python3 -m compileall -q /usr/lib/python3/dist-packages >/dev/null 2>&1 || true
CFG
chmod 755 "$work/customize"

say "installing Debian 12 into $work"
mmdebstrap --quiet --variant=minbase \
    --include=systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,procps,curl,ca-certificates,cloud-init,gpg,iputils-ping,less \
    --customize-hook="$work/customize \"\$1\" $work" \
    bookworm "$work/root.tar" $sources

say "importing it as $image"
docker import --change 'ENV container=docker' --change 'CMD ["/sbin/init"]' \
    --change "LABEL tidewalk.sandbox.recipe=$recipe" "$work/root.tar" "$image" >/dev/null
