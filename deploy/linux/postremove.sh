#!/bin/sh
# After the files of a deb or rpm went. Configuration, secrets and state stay,
# but for dpkg's purge.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	case "$1" in
	remove | purge | 0) systemctl reset-failed tidemark.service 2>/dev/null || true ;;
	esac
fi

[ "$1" = purge ] || exit 0
rm -f /etc/systemd/system/multi-user.target.wants/tidemark.service
rm -rf /etc/tidemark /var/lib/tidemark /var/log/tidemark
if getent passwd tidemark >/dev/null; then
	userdel tidemark || true
fi
if getent group tidemark >/dev/null; then
	groupdel tidemark || true
fi
