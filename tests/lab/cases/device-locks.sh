#!/bin/sh
# SPDX-License-Identifier: MIT
# Who reads INFO, which takes no privilege, is in nobody's way: a reset of a PCI function that does
# not wait for the lock of its device never finds that taken.
# lab: mem=5G
# lab: devices=pci-function
# lab: timeout=120
set -eu
. /lab/lib.sh

# Behind a bridge: /sys/devices/pci0000:00/BRIDGE/FUNCTION.
function=
for device in /sys/bus/pci/devices/*; do
	case $(readlink -f "$device") in
	/sys/devices/pci*/*/*) [ ! -e "$device/reset" ] || function=${device##*/} ;;
	esac
done
[ -n "$function" ] || fail "no PCI function behind a bridge can be reset"

chmod 644 /dev/memplug
echo "nobody:x:65534:65534::/:/bin/sh" >/etc/passwd
readers=
for reader in 1 2; do
	su nobody -c "exec info_reader" >/tmp/reads-$reader &
	readers="$readers $!"
done

insmod /lab/resets.ko function="$function" seconds=5 || fail "$function can't be reset"
# shellcheck disable=SC2086  # several words
kill $readers
# shellcheck disable=SC2086  # several words
wait $readers || fail "a reader ended with $?"
reads=$(cat /tmp/reads-*)
# count NAME: of the module's.
count() {
	cat /sys/module/resets/parameters/"$1"
}
# shellcheck disable=SC2086  # several words
echo INFO read $reads times: "$function" reset "$(count resets)" times, refused "$(count refused)" times
for number in $reads; do
	[ "$number" -ge 1000 ] || fail "hardly anything was read: nothing is proven"
done
[ "$(count resets)" -ge 5 ] || fail "hardly any reset was done: nothing is proven"
[ "$(count own_unlocks)" -ge "$(count resets)" ] || fail "the lock is not watched"
assert_eq "resets that ended with EAGAIN" "$(count refused)" 0
rmmod resets
