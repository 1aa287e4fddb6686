#!/bin/sh
# Fills the server's disk (a tmpfs of 2 MiB) under load, sees that it answers 503
# with Retry-After and does not end, grows the disk, and counts what was lost.
# Root only. Flags go to the program: see internal/crash.
set -eu
cd "$(dirname "$0")/../.."
if [ "${1:-}" = --short ]; then shift; fi
if [ "$(id -u)" != 0 ]; then
	echo "full.sh: skipped: mounting a file system takes root" >&2
	[ "${CI:-}" = true ] && exit 1
	exit 0
fi
exec go run ./internal/crash full "$@"
