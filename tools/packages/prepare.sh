#!/bin/sh
# Makes sure that what makes the installer for Windows is here. On Debian and its relatives, as root, it installs
# what is missing; elsewhere it says what that is.
set -eu

if command -v wixl >/dev/null 2>&1 && command -v msibuild >/dev/null 2>&1; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "missing for the installer for Windows: wixl msitools (install them, or run this once as root on Debian)" >&2
	exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends wixl msitools
