#!/bin/sh
# After the files of a deb or rpm of the cloud API went. A SQLite store stays, but for dpkg's purge.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
[ "$1" = purge ] || exit 0
rm -rf /var/lib/tidemark-cloud /var/lib/private/tidemark-cloud
