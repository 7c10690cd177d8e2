#!/bin/sh
# Before the files of a deb or rpm go. dpkg says "remove" or "upgrade"; rpm
# says how many versions will be left. An upgrade leaves the service running:
# it is restarted once the new program is there.
set -e

case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac

if [ -d /run/systemd/system ]; then
	systemctl stop tidemark.service || true
fi
# rpm knows no later moment than this; dpkg keeps it until the purge, so that
# the package can be installed again as it was.
if [ "$1" = 0 ] && command -v systemctl >/dev/null; then
	systemctl disable --quiet tidemark.service || true
fi
