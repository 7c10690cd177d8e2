#!/bin/sh
# Makes sure that what the tests need beside Go is here: the Postgres server programs, and a C compiler for the
# race detector. On Debian and its relatives, as root, it installs what is missing; elsewhere it says what that is.
set -eu

missing=""
if ! command -v initdb >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
	missing="$missing postgresql"
fi
if ! command -v gcc >/dev/null 2>&1; then
	missing="$missing gcc libc6-dev"
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "missing for the tests:$missing (install them, or run this once as root on Debian)" >&2
	exit 1
fi
# The tests start servers of their own: no system-wide cluster.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get update -q
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
