#!/bin/sh
# SPDX-License-Identifier: MIT
# Inside a new Debian with kernel headers, as root, with the packages in /debs: installs them, sees
# that what they promise is there, upgrades, gets another kernel, and purges: nothing is left then.
# /debs/newer has the same packages one version on. What was installed first is left in /built. Then
# the same from a checkout, in /checkout.
# usage: in_debian.sh SERIES, whose newest headers (linux-headers-SERIES*-amd64) are the other kernel's
set -eu

export DEBIAN_FRONTEND=noninteractive
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
series=$1

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

apt_install() {
	apt-get -q -y --no-install-recommends install "$@" >/tmp/apt.log 2>&1 || {
		tail -n 30 /tmp/apt.log
		fail "apt-get install $*"
	}
}

# But for what apt, dpkg and the logs keep of every package.
files() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /debs \
		-o -path /built -o -path /checkout \
		-o -path /var/cache -o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg \
		-o -path /var/lib/systemd/deb-systemd-helper-enabled \) -prune -o -print | sort
}

# module_of RELEASE: its file, which has to be of this version and for this kernel.
module_of() {
	found=$(find "/lib/modules/$1/updates/dkms" -name 'memplug.ko*' 2>/dev/null)
	[ -n "$found" ] || fail "there is no module for Linux $1: $(dkms status 2>&1)"
	modinfo -F vermagic "$found" | grep -q "^$1 " || fail "$found is for another kernel"
	modinfo -F version "$found" | grep -qx "$2" ||
		fail "$found is version $(modinfo -F version "$found"), should be $2"
	echo "Linux $1: $found, version $2"
}

version_of() {
	dpkg-deb -f "$1"/memplug-tools_*.deb Version
}

releases() {
	find /lib/modules -mindepth 2 -maxdepth 2 -name build | sed 's|/lib/modules/||; s|/build||'
}

# completes SHELL TYPED WANTED: what it makes of that on a terminal, with the tabulator.
completes() {
	case $1 in
	bash)
		command='bash --noprofile --norc -i -o emacs'
		prepare='. /usr/share/bash-completion/bash_completion'
		;;
	zsh)
		command='zsh -f -i'
		prepare='autoload -U compinit && compinit -u -D'
		;;
	fish)
		# It writes completions of its own, made from the manual, into the home.
		command='env HOME=/tmp/home fish --private'
		prepare='clear'
		;;
	esac
	tmux -f /dev/null new-session -d -x 120 -y 20 -s completion "$command"
	tmux send-keys -t completion "$prepare" Enter
	# Not before the shell is ready for more.
	sleep 2
	shell=$1
	shift
	tmux send-keys -t completion "$1"
	tmux send-keys -t completion Tab
	tries=0
	until tmux capture-pane -p -t completion | grep -qF "$2"; do
		tries=$((tries + 1))
		if [ $tries -gt 300 ]; then
			tmux capture-pane -p -t completion
			tmux kill-server
			fail "$shell: '$1' is not completed to '$2'"
		fi
		sleep 0.1
	done
	tmux kill-session -t completion
	echo "$shell: '$1' is completed to '$2'"
}

apt-get -q update >/dev/null
# All that the packages want beside themselves: what is left at the end is memplug's.
apt_install bash-completion cmake dkms fish g++ man-db mandoc tmux zsh
mkdir /tmp/home
files >/tmp/before

echo "# install"
apt_install /debs/*.deb
version=$(version_of /debs)
for release in $(releases); do
	module_of "$release" "$version"
done
mkdir /built
cp "$(command -v memplugctl)" /built
cp "$found" /built
xz -d /built/memplug.ko.xz 2>/dev/null || :
memplugctl --version | grep -qx "memplugctl $version" || fail "memplugctl --version"
status=0
memplugctl doctor >/tmp/doctor 2>&1 || status=$?
[ $status -eq 1 ] || fail "doctor ends with $status where no module is loaded"
man -P cat memplugctl | grep -q "SYNOPSIS" || fail "man memplugctl"
man -P cat 4 memplug | grep -q "SYNOPSIS" || fail "man 4 memplug"
for page in /usr/share/man/man*/memplug*; do
	zcat -f "$page" | mandoc -T lint -W warning || fail "mandoc -T lint complains of $page"
done
for shell in bash zsh fish; do
	completes "$shell" 'memplugctl unpl' 'memplugctl unplug'
	completes "$shell" 'memplugctl unplug --conti' 'memplugctl unplug --contiguous'
	completes "$shell" 'memplugctl unplug 64M --zone n' 'memplugctl unplug 64M --zone normal'
	completes "$shell" 'memplugctl target --tot' 'memplugctl target --total'
	completes "$shell" 'memplugctl quarantine exp' 'memplugctl quarantine export'
done
[ -e /usr/include/linux/memplug.h ] || fail "there is no header"
if ! cmake -S /usr/share/doc/memplug-dev/examples/library -B /tmp/library >/tmp/library.log 2>&1 ||
	! cmake --build /tmp/library >>/tmp/library.log 2>&1; then
	cat /tmp/library.log
	fail "the example of the library can't be built"
fi
status=0
/tmp/library/take 2>/tmp/usage || status=$?
[ $status -eq 2 ] || fail "the example of the library ends with $status"
echo "the example of the library is built against the package"
[ -e /usr/lib/udev/rules.d/60-memplug.rules ] || [ -e /lib/udev/rules.d/60-memplug.rules ] ||
	fail "there is no udev rule"
[ -e /usr/lib/udev/rules.d/61-memplug-quarantine.rules ] ||
	[ -e /lib/udev/rules.d/61-memplug-quarantine.rules ] || fail "there is no rule for memory"

echo "# upgrade"
apt_install /debs/newer/*.deb
version=$(version_of /debs/newer)
for release in $(releases); do
	module_of "$release" "$version"
done
[ "$(dkms status -m memplug | grep -c .)" = "$(releases | wc -l)" ] ||
	fail "DKMS has other versions, too: $(dkms status)"

echo "# another kernel"
next=$(apt-cache pkgnames "linux-headers-$series." | grep -x 'linux-headers-[0-9.]*.*[0-9]-amd64' |
	sort -V | tail -n 1)
[ -n "$next" ] || fail "this Debian has no headers of Linux $series"
apt_install "$next"
[ -d "/lib/modules/${next#linux-headers-}/build" ] || fail "$next has brought no headers"
for release in $(releases); do
	module_of "$release" "$version"
done

echo "# purge"
mkdir -p /etc/memplug
echo "0x140000000-0x140000fff" >/etc/memplug/quarantine
apt-get -q -y purge memplug-dkms memplug-tools memplug-dev >/tmp/apt.log 2>&1 ||
	fail "apt-get purge: $(tail -n 5 /tmp/apt.log)"
files >/tmp/after
comm -13 /tmp/before /tmp/after >/tmp/left
if grep -i memplug /tmp/left; then
	fail "purge leaves these files"
fi
echo "purge leaves no file"

echo "# as README.md says, from a checkout"
release=$(releases | sort -V | head -n 1)
cd /checkout
# The kernel that runs is not the one that there are headers of; and there is no sudo, but root.
mkdir /tmp/bin
cat >/tmp/bin/uname <<EOF
#!/bin/sh
[ "\$1" = -r ] && echo "$release" || exec /usr/bin/uname "\$@"
EOF
printf '#!/bin/sh\nexec "$@"\n' >/tmp/bin/sudo
chmod +x /tmp/bin/uname /tmp/bin/sudo
# shellcheck disable=SC2016  # nothing is to be expanded
sed -n '/^<!-- run by: test-packages -->$/,/^```$/{/^```/d; /^<!--/d; p}' README.md >/tmp/commands
[ "$(grep -c . /tmp/commands)" -ge 5 ] || fail "README.md has no commands for this"
while read -r line; do
	echo "$line"
	PATH=/tmp/bin:$PATH sh -c "$line" >/tmp/output 2>&1 </dev/null || {
		tail -n 30 /tmp/output
		fail "README.md: '$line' ends with $?"
	}
done </tmp/commands
modinfo -F vermagic kmod/memplug.ko | grep -q "^$release " || fail "make has built no module"
./build/release/tool/memplugctl --version | grep -q "memplugctl" || fail "cmake has built no tool"
module_of "$release" "$(cat VERSION)"
# The shell remembers where it was before.
hash -r
[ "$(command -v memplugctl)" = /usr/local/bin/memplugctl ] || fail "memplugctl is not installed"
man -P cat memplugctl-unplug | grep -q "SYNOPSIS" || fail "man memplugctl-unplug"
# Once more, for a kernel that is named: nothing is there twice.
./run install --kernel "$release" >/tmp/install.log 2>&1 || fail "./run install, once more"
# What `memplugctl target --save` writes.
mkdir -p /etc/modprobe.d
echo "options memplug target=1G" >/etc/modprobe.d/memplug-target.conf
./run uninstall >/tmp/uninstall.log 2>&1 || {
	cat /tmp/uninstall.log
	fail "./run uninstall"
}
cd /
files >/tmp/after
comm -13 /tmp/before /tmp/after >/tmp/left
if grep -i memplug /tmp/left; then
	fail "uninstall leaves these files"
fi
echo "uninstall leaves no file"
