#!/bin/sh
# Ends the server with SIGKILL under load, 300 times, and counts what was lost.
# --short: 15 times. Other flags go to the program: see internal/crash.
set -eu
cd "$(dirname "$0")/../.."
rounds=300
if [ "${1:-}" = --short ]; then rounds=15; shift; fi
exec go run ./internal/crash kill --rounds "$rounds" "$@"
