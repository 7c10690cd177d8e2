#!/bin/sh
# Gets Chromium for the tests of the fleet page, on Debian and its relatives as root. Without it these are skipped: a
# machine that cannot have it tests the rest.
set -eu

for name in chromium chromium-browser google-chrome; do
	if command -v $name >/dev/null 2>&1; then
		exit 0
	fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && apt-get update -q &&
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium; then
	exit 0
fi
echo "*** NOT TESTED: the fleet page in a browser: there is no Chromium, and it could not be installed." >&2
