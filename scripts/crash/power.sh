#!/bin/sh
# Cuts the server's file system off without a flush, as a power cut would, 60
# times under load, and counts what was lost. Root only: it mounts an image.
# --short: 4 times. Other flags go to the program: see internal/crash.
set -eu
cd "$(dirname "$0")/../.."
rounds=60
if [ "${1:-}" = --short ]; then rounds=4; shift; fi
if [ "$(id -u)" != 0 ]; then
	echo "power.sh: skipped: mounting a file system takes root" >&2
	[ "${CI:-}" = true ] && exit 1
	exit 0
fi
exec go run ./internal/crash power --rounds "$rounds" "$@"
