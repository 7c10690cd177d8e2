#!/bin/sh
# After the files of a deb or rpm are laid. dpkg says "configure" and the
# version that was there before, if any; rpm says how many there are now.
set -e

case "$1" in
configure) [ -z "$2" ] && first=yes || first=no ;;
1) first=yes ;;
2) first=no ;;
*) exit 0 ;;
esac

command -v systemctl >/dev/null || exit 0
running=no
[ -d /run/systemd/system ] && running=yes

if [ $running = yes ]; then
	systemctl daemon-reload
fi
# Only once: a service that somebody disabled stays so over an upgrade.
if [ $first = yes ]; then
	systemctl enable --quiet tidemark.service
fi
if [ $running = yes ]; then
	if systemctl --quiet is-active tidemark.service; then
		systemctl restart tidemark.service || true
	elif [ -e /etc/tidemark/tidemark.yaml ] && systemctl --quiet is-enabled tidemark.service; then
		# Installed again after it was removed, or it failed and is now mended.
		systemctl start tidemark.service || true
	fi
fi
if [ ! -e /etc/tidemark/tidemark.yaml ]; then
	echo "tidemark: write /etc/tidemark/tidemark.yaml (see tidemark.example.yaml beside it), then: tidemark service start"
fi
