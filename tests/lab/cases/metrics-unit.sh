#!/bin/sh
# SPDX-License-Identifier: MIT
# The unit of contrib/ for Prometheus's node exporter, in a Debian with systemd: its file has the
# figures while the module is loaded, and says that there are none before that and afterwards; by the
# timer, too.
# lab: mem=6G
# lab: timeout=300
# lab: system=yes
# lab: module=none
# lab: files=contrib
set -eu
. /lab/lib.sh

folder=/var/lib/prometheus/node-exporter
file=$folder/memplug.prom

# Whether the file has figures.
is_up() {
	grep -qx 'memplug_up 1' $file && grep -q '^memplug_managed_bytes{node="0"} [1-9]' $file
}

# Whether it says that there are none, and has none.
is_down() {
	[ "$(grep -v '^#' $file)" = "memplug_up 0" ]
}

# What one run of the unit makes of the file.
expect() {
	systemctl start memplug-metrics.service || fail "the unit fails $2"
	"$1" || {
		journalctl --no-pager -u memplug-metrics.service
		fail "$2 the file has: $(cat $file)"
	}
}

mkdir -p $folder
cp /lab/contrib/memplug-metrics.* /etc/systemd/system/
systemctl daemon-reload
expect is_down "before the module is loaded"
modprobe memplug
expect is_up "while the module is loaded"
cat $file
rmmod memplug
expect is_down "after the module is gone"
assert_eq "what is there" "$(ls $folder)" memplug.prom
assert_eq "its mode" "$(stat -c %a $file)" 644

systemctl start memplug-metrics.timer
modprobe memplug
wait_for 60 is_up || fail "by the timer the file has: $(cat $file)"
rmmod memplug
wait_for 60 is_down || fail "by the timer, after the module is gone, the file has: $(cat $file)"
modprobe memplug
wait_for 60 is_up || fail "by the timer, with the module back, the file has: $(cat $file)"
systemctl stop memplug-metrics.timer
