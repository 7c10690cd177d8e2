#!/bin/sh
# Before the files of a deb or rpm of the cloud API go. dpkg says "remove" or "upgrade"; rpm how many will be left.
set -e

case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl stop tidemark-cloud.service || true
fi
if command -v systemctl >/dev/null; then
	systemctl disable --quiet tidemark-cloud.service || true
fi
