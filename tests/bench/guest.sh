#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs in the guest of one driver: makes each state of memory, has pacer measure, and cleans up.
# Every state ends in one line, @result or @failed; nothing is judged here.
#
#   guest.sh DRIVER QUIET_SECONDS [STATE BYTES MODULE_ARGS]...
. /lab/lib.sh

kind=$1
quiet=$2
shift 2
files=/mnt
files_mib=3686

# failed STATE: what went wrong is in /tmp/error.
failed() {
	echo "@failed $1: $(tr '\n' ' ' </tmp/error)"
}

whole() {
	[ "$(memtotal_kb)" -ge "$all_kb" ]
}

plug_device() {
	boot_kb=$(memtotal_kb)
	all_kb=$((boot_kb + (4 << 20)))
	echo online_kernel >/sys/devices/system/memory/auto_online_blocks
	insmod /lab/virtio_mem.ko || fail "virtio_mem can't be loaded"
	wait_for 120 whole || fail "virtio-mem plugged only $(($(memtotal_kb) - boot_kb)) kB"
}

# A guest that has run for a while has touched all of its memory: what it costs the host to provide
# that is no driver's business.
touch_all_memory() {
	warmup "$(percent_mib 93)"
}

# percent_mib PERCENT: that much of MemTotal.
percent_mib() {
	echo $(($(memtotal_kb) * $1 / 100 / 1024))
}

make_state() {
	case $1 in
	idle | beside) ;;
	coarse) filler $files 64 $files_mib alternate ;;
	half) filler $files 64 $files_mib first-half ;;
	fine) filler $files 1 $files_mib alternate ;;
	sprinkled) insmod /lab/sprinkle.ko ;;
	full) filler $files 16 "$(percent_mib 90)" keep ;;
	*) false ;;
	esac
}

clean_state() {
	find $files -type f -exec rm -f {} +
	[ "$1" != sprinkled ] || rmmod sprinkle
	echo 3 >/proc/sys/vm/drop_caches
}

# measure NAME BYTES MODULE_ARGS: pacer's own stdout is the result.
measure() {
	option=
	module=
	case $kind in
	memplug) module=memplug ;;
	buddy) module=buddies ;;
	esac
	if [ -n "$module" ]; then
		# Word splitting is wanted: these are separate parameters.
		# shellcheck disable=SC2086
		insmod /lab/$module.ko $3 2>/tmp/error || return
		# The kernel loads it all the same; the figures would then bear the wrong name.
		if dmesg | grep "$module: unknown parameter" >/tmp/error; then
			rmmod "$module"
			return 1
		fi
	fi
	# A balloon takes single pages: whole blocks that it left are no measure of it.
	case $kind/$1 in
	*-balloon/*) ;;
	*/sprinkled) option=missed ;;
	*/beside) option=streams ;;
	esac
	measured=0
	# shellcheck disable=SC2086
	pacer "$kind" "$2" "$quiet" $option 2>/tmp/error || measured=1
	[ -z "$module" ] || rmmod "$module" 2>>/tmp/error || measured=1
	return $measured
}

[ "$kind" != virtio-mem ] || plug_device
mount -t tmpfs -o size=8g tmpfs $files
touch_all_memory || fail "memory can't be filled"
all_kb=$(memtotal_kb)
for reference in quiet busy; do
	echo "@state $reference"
	pacer $reference 2 2>/tmp/error || failed $reference
done
while [ $# -gt 0 ]; do
	echo "@state $1"
	if ! make_state "$1" 2>/tmp/error || ! measure "$1" "$2" "$3"; then
		failed "$1"
	fi
	clean_state "$1"
	wait_for 60 whole || fail "after '$1' MemTotal is $(memtotal_kb) kB, it was $all_kb kB"
	shift 3
done
