#!/bin/sh
# Makes sure that jq is here, which shipping is held against.
set -eu
command -v jq >/dev/null 2>&1 && exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "missing for the benchmark: jq (install it, or run this once as root on Debian)" >&2
	exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends jq
