#!/bin/sh
# Runs once for each push to main. The payload is on standard input; what is
# printed is kept with the attempt: tenterhook deliveries show dlv_...
# Exit code 0 is success, any other has it tried again.
set -eu

payload=$(mktemp)
trap 'rm -f "$payload"' EXIT
cat > "$payload"

# A value that came from outside is data: it is quoted, and never made part of a command.
commit=$(sed -n 's/.*"after": *"\([0-9a-f]\{40\}\)".*/\1/p' "$payload" | head -n 1)
if [ -z "$commit" ]; then
	echo "the payload names no commit" >&2
	exit 1
fi

echo "deploying $commit, attempt $TENTERHOOK_ATTEMPT of $TENTERHOOK_EVENT_ID"
# git -C /srv/app fetch --quiet origin "$commit"
# git -C /srv/app checkout --quiet --force "$commit"
# systemctl restart app
