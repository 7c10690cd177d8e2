#!/bin/sh
# Makes sure that what `make test-install` (debian) or `make test-wine` (wine) needs is here. On Debian and its
# relatives, as root, it installs what is missing; elsewhere it says what that is, and ends with 75.
set -eu

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
lacks() {
	echo "$1" >&2
	exit 75
}
case "$1" in
debian)
	[ "$(id -u)" = 0 ] || lacks "a machine is booted in a container: run this as root"
	need debootstrap debootstrap
	need systemd-nspawn systemd-container
	;;
wine)
	need wine "wine wine64"
	need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
	;;
esac
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	lacks "missing for the tests:$missing (install them, or run this once as root on Debian)"
fi
apt-get update -q >&2 || lacks "missing for the tests:$missing, and no mirror of Debian answers"
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >&2 ||
	lacks "missing for the tests:$missing, and they cannot be installed"
