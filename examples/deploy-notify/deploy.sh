#!/bin/sh
# Deploys a version, and tells a webhook how it went: ./deploy.sh VERSION
set -eu
version=$1

deploy() {
	# git -C /srv/app checkout --quiet "$version" && systemctl restart app
	test "$version" != broken
}

if deploy; then status=success outcome=completed; else status=failure outcome=failed; fi

# Exit code 4 says that the receiver did not take it within two minutes. The
# deployment is what it is all the same.
tenterhook send "$WEBHOOK_URL" --status "$status" --message "Deploy of $version to production $outcome" --secret env:DEPLOY_SECRET ||
	echo "the webhook was not told (exit code $?)" >&2
test "$status" = success
