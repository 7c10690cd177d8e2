#!/bin/sh
# Makes sure that promtool is here, which checks the alert rules. On Debian and its relatives, as root, it takes it
# out of the package prometheus, without the server; elsewhere it says what is missing.
set -eu

if command -v promtool >/dev/null 2>&1; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "missing for the alert rules: promtool (install Prometheus, or run this once as root on Debian)" >&2
	exit 1
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
[ "$(id -u _apt 2>/dev/null)" ] && chown _apt "$dir"
apt-get update -q
(cd "$dir" && apt-get download -q prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool)
install -m 755 "$dir/usr/bin/promtool" /usr/local/bin/promtool
