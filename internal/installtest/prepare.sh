#!/bin/sh
# Makes sure that what `make test-install` (debian) or `make test-wine` (wine) needs is here. On Debian and its
# relatives, as root, it installs what is missing; elsewhere it says what that is.
set -eu

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
case "$1" in
debian)
	need debootstrap debootstrap
	need systemd-nspawn systemd-container
	;;
wine)
	need wine "wine wine64"
	need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
	;;
esac
if [ "$(id -u)" != 0 ] && [ "$1" = debian ]; then
	echo "a machine is booted in a container: run this as root" >&2
	exit 1
fi
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "missing for the tests:$missing (install them, or run this once as root on Debian)" >&2
	exit 1
fi
apt-get update -q
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
