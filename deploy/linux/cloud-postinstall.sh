#!/bin/sh
# After the files of a deb or rpm of the cloud API are laid. It is for the operator to enable it, once it has a store;
# one that runs is restarted with the new program.
set -e

case "$1" in
configure | 1 | 2) ;;
*) exit 0 ;;
esac
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
systemctl try-restart tidemark-cloud.service || true
