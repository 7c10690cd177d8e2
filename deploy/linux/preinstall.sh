#!/bin/sh
# Before the files of a deb or rpm are laid: the account that owns them.
set -e

if ! getent group tidemark >/dev/null; then
	groupadd --system tidemark
fi
if ! getent passwd tidemark >/dev/null; then
	useradd --system --gid tidemark --home-dir /var/lib/tidemark --no-create-home \
		--shell /usr/sbin/nologin --comment "Tidemark agent" tidemark
fi
