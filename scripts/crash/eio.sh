#!/bin/sh
# Makes an fsync of the server fail with EIO under load, 10 times, sees that it
# stops acknowledging and ends with an error, and counts what was lost.
# --short: 2 times. Needs strace. Other flags go to the program: see internal/crash.
set -eu
cd "$(dirname "$0")/../.."
rounds=10
if [ "${1:-}" = --short ]; then rounds=2; shift; fi
if ! command -v strace >/dev/null; then
	echo "eio.sh: skipped: strace is not installed" >&2
	[ "${CI:-}" = true ] && exit 1
	exit 0
fi
exec go run ./internal/crash eio --rounds "$rounds" "$@"
