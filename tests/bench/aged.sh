#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs in a whole Debian: works for some minutes as people's machines do, stage by stage, and tells
# after each how much memory could be had, then takes it out in earnest. Every step ends in a line
# that begins with @; nothing is judged here.
#
#   aged.sh WAY SECONDS QUIET_SECONDS BYTES...
#
# WAY: memplug or virtio-mem. SECONDS: of all stages together. BYTES: asked for in turn at the end,
# and given back each time; the last three times more, with what may help done before.
. /lab/lib.sh

way=$1
seconds=$2
quiet=$3
shift 3
place=/var/tmp/work
sources=/usr/src/glibc

# Stages; each goes on for as long as its part of the time lasts.
time_left() {
	[ "$(date +%s)" -lt "$over" ]
}

# Sources are unpacked, again and again, each time beside what is there. Files count that came until
# the end, or until the time was over (124); after any other failure, such as a full disk, none do.
unpack() {
	copy=0
	while time_left; do
		mkdir -p $place/unpacked/$copy
		status=0
		timeout "$share" tar -xvf $sources/*.tar.xz -C $place/unpacked/$copy >/run/unpacked ||
			status=$?
		case $status in
		0 | 124) work=$((work + $(wc -l </run/unpacked))) ;;
		esac
		[ $copy -lt 3 ] || rm -rf $place/unpacked/$((copy - 3))
		copy=$((copy + 1))
	done
}

# Two compilers at a time, each with headers to read and much to keep.
compile() {
	mkdir -p $place/compiled
	cd $place/compiled || return
	for unit in $(seq 40); do
		awk -v unit="$unit" 'BEGIN {
			print "#include <math.h>\n#include <regex.h>\n#include <stdio.h>\n#include <stdlib.h>"
			for (i = 0; i < 200; i++)
				printf "double f%d_%d(double x) { for (int i = 0; i < %d; i++) " \
					"x = sin(x) * i + printf(\"%%f\", x); return x; }\n", unit, i, i
		}' >unit"$unit".c
	done
	echo "all: $(echo unit*.c | sed 's/\.c/.o/g')" >Makefile
	while time_left; do
		timeout "$share" make -s -j2 CFLAGS=-O2 all
		for object in *.o; do
			[ ! -e "$object" ] || work=$((work + 1))
		done
		rm -f ./*.o
	done
}

# A history of many files, packed and taken apart.
history() {
	cd $place/unpacked || return
	git init -q . 2>/dev/null
	git config user.name lab
	git config user.email lab@example.org
	number=0
	for folder in */*/*/; do
		time_left || break
		timeout "$share" git add "$folder" && git commit -q -m "$number" &&
			work=$((work + 1))
		number=$((number + 1))
		[ $((number % 10)) -ne 0 ] || git repack -q -d
	done
}

# A table that grows, is searched and loses every third row.
database() {
	cd $place || return
	sqlite3 db 'CREATE TABLE t (i INTEGER PRIMARY KEY, a TEXT, b BLOB);'
	while time_left; do
		timeout "$share" sqlite3 db "
			INSERT INTO t (a, b) WITH RECURSIVE n(i) AS
				(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
				SELECT hex(randomblob(20)), randomblob(500) FROM n;
			CREATE INDEX IF NOT EXISTS t_a ON t (a);
			SELECT count(*) FROM t WHERE a LIKE '%00%';
			DELETE FROM t WHERE i % 3 = 0;" >/dev/null && work=$((work + 1))
	done
}

# Names by the ten thousand, most of which are gone again.
names() {
	round=0
	while time_left; do
		mkdir -p $place/names/$round
		cd $place/names/$round || return
		seq 10000 | timeout "$share" xargs touch
		find . -type f -size +1 -newer /etc/passwd
		seq 10000 | sed '/0$/d' | timeout "$share" xargs rm -f
		round=$((round + 1))
		work=$round
	done
}

# What others have left of the page cache is read full.
cache() {
	while time_left; do
		timeout "$share" find / -xdev -type f -exec cat {} + >/dev/null 2>&1
		work=$((work + 1))
	done
}

# Processes that come and go, hundreds at a time.
forks() {
	while time_left; do
		for _ in $(seq 200); do
			sh -c 'sleep 0.5; x=$(seq 2000); echo "${#x}"' >/dev/null &
		done
		wait
		work=$((work + 1))
	done
}

# tell STAGE: work is how often its step was done; of unpacking, how many files came.
tell() {
	forecast=null
	found=
	if [ "$way" = memplug ]; then
		forecast=$(memplugctl scan --json | tr -d '\n')
		# Of each subblock that can't be had, what the first page in the way is.
		found=$(memplugctl explain 0x100000000+16G --json 2>/dev/null | tr -d '\n ' |
			grep -o '"page_flags":\[[^]]*\]' | sort | uniq -c |
			awk '{ printf "%s{\"subblocks\":%d,%s}", separator, $1, $2; separator = "," }')
	fi
	echo "@stage {\"name\":\"$1\",\"scan\":$forecast,\"in_the_way\":[$found],\"work\":$work," \
		"\"slab_kb\":$(awk '/^Slab:/ { print $2 }' /proc/meminfo)," \
		"\"cached_kb\":$(awk '/^Cached:/ { print $2 }' /proc/meminfo)}"
}

all_is_back() {
	[ "$(memtotal_kb)" -ge "$all_kb" ]
}

# ask NAME BYTES: out, and in again, whatever became of it.
ask() {
	echo "@state $1"
	pacer "$way" "$2" "$quiet" 2>/tmp/error || {
		echo "@failed $1: $(tr '\n' ' ' </tmp/error)"
		if [ "$way" = memplug ]; then
			memplugctl plug --all --quiet >/dev/null
		else
			echo "@host take 0"
		fi
	}
	wait_for 120 all_is_back || fail "after '$1' MemTotal is $(memtotal_kb) kB, it was $all_kb kB"
}

# Each memory block of ZONE_NORMAL by itself, as an administrator would: how many went.
offline_blocks() {
	tried=0
	went=
	begun=$(date +%s)
	for block in /sys/devices/system/memory/memory*; do
		[ "$(cat "$block"/state)" = online ] || continue
		grep -q Normal "$block"/valid_zones || continue
		tried=$((tried + 1))
		# What can't be moved is tried for ever, until a signal.
		timeout -s INT 3 sh -c "echo offline >$block/state" 2>/dev/null && went="$went $block"
	done
	ended=$(date +%s)
	# shellcheck disable=SC2086
	set -- $went
	for block; do
		echo online_kernel >"$block"/state
	done
	echo "@offline {\"blocks\":$tried,\"offline\":$#,\"seconds\":$((ended - begun))," \
		"\"block_bytes\":$((0x$(cat /sys/devices/system/memory/block_size_bytes)))}"
}

mkdir -p $place
if [ "$way" = virtio-mem ]; then
	boot_kb=$(memtotal_kb)
	whole() {
		[ "$(memtotal_kb)" -ge $((boot_kb + (4 << 20))) ]
	}
	echo online_kernel >/sys/devices/system/memory/auto_online_blocks
	insmod /lab/virtio_mem.ko || fail "virtio_mem can't be loaded"
	wait_for 120 whole || fail "virtio-mem plugged only $(($(memtotal_kb) - boot_kb)) kB"
else
	insmod /lab/memplug.ko floor=16M || fail "memplug can't be loaded"
	dmesg | grep "memplug: unknown parameter" && fail "a parameter of memplug is unknown"
fi
all_kb=$(memtotal_kb)
work=0
tell booted
stages="unpack compile history database names cache forks"
share=$((seconds / 7))
for stage in $stages; do
	over=$(($(date +%s) + share))
	work=0
	$stage
	cd /
	tell "$stage"
done
for bytes; do
	ask "$bytes" "$bytes"
done
tell asked
# What would help: all of it again, with the rest of the kernel's own memory moved together, and
# then with what the kernel keeps for speed alone gone.
# The first without anything, for the comparison.
ask again "$bytes"
echo 1 >/proc/sys/vm/compact_memory
tell compacted
ask compacted "$bytes"
echo 2 >/proc/sys/vm/drop_caches
tell reclaimed
ask reclaimed "$bytes"
if [ "$way" = memplug ]; then
	rmmod memplug
	offline_blocks
fi
