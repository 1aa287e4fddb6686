package signature

import (
	"time"
)

// bodyRows returns the providers that sign the body, and only the body.
func bodyRows() []Spec {
	return []Spec{
		github(),
		// GitHub's older signature, for senders that have no other.
		{Name: "github_sha1", Read: header("x-hub-signature", "sha1={sig}"), MAC: "hmac-sha1 hex", Type: "header:x-github-event", ID: "header:x-github-delivery"},
		// The key is the one that Github-Public-Key-Identifier names.
		{Name: "github_secret_scanning", Read: header("github-public-key-signature", "{sig}"), MAC: "ecdsa-sha256 base64", KeyURL: "https://api.github.com/meta/public_keys/secret_scanning", KeyHosts: `api\.github\.com`},
		// Facebook, Instagram, Messenger, WhatsApp, Threads; the key is the app secret.
		{Name: "meta", Read: header("x-hub-signature-256", "sha256={sig}"), Type: "json:object", Handshake: "hub"},
		{Name: "bitbucket", Read: header("x-hub-signature", "sha256={sig}"), Type: "header:x-event-key", ID: "header:x-request-uuid"},
		{Name: "bitbucket_server", Read: header("x-hub-signature", "sha256={sig}"), Type: "header:x-event-key", ID: "header:x-request-id"},
		{Name: "jira", Read: header("x-hub-signature", "sha256={sig}"), Type: "json:webhookEvent", ID: "header:x-atlassian-webhook-identifier"},
		// Signs as Gogs, GitHub and X-Hub-Signature say, too.
		{Name: "gitea", Read: header("x-gitea-signature", "{sig}"), Type: "header:x-gitea-event", ID: "header:x-gitea-delivery", JSONFrom: "form:payload?"},
		{Name: "forgejo", Read: header("x-forgejo-signature", "{sig}"), Type: "header:x-forgejo-event", ID: "header:x-forgejo-delivery", JSONFrom: "form:payload?"},
		{Name: "gogs", Read: header("x-gogs-signature", "{sig}"), Type: "header:x-gogs-event", ID: "header:x-gogs-delivery", JSONFrom: "form:payload?"},
		// The key is the app's client secret.
		{Name: "intercom", Read: header("x-hub-signature", "sha1={sig}"), MAC: "hmac-sha1 hex", Type: "json:topic", ID: "json:id", Handshake: "head"},
		{Name: "notion", Read: header("x-notion-signature", "sha256={sig}"), Type: "json:type", ID: "json:id", Handshake: "notion"},
		{Name: "linear", Read: headers("linear-signature", "{sig}", "json:webhookTimestamp", "{time}"), Time: Milliseconds, Tolerance: time.Minute, Type: "header:linear-event", ID: "header:linear-delivery"},
		{Name: "sentry", Read: header("sentry-hook-signature", "{sig}"), Type: "header:sentry-hook-resource", ID: "header:request-id"},
		{Name: "vercel", Read: header("x-vercel-signature", "{sig}"), MAC: "hmac-sha1 hex", Type: "json:type", ID: "json:id"},
		{Name: "netlify", Read: header("x-webhook-signature", "{jwt}"), MAC: "jwt-hs256", Claims: []Check{{"iss", "netlify"}, {"sha256", "{body|sha256|hex}"}}},
		{Name: "heroku", Read: header("heroku-webhook-hmac-sha256", "{sig}"), MAC: "hmac-sha256 base64", Type: "json:webhook_metadata.event.include", ID: "json:id"},
		{Name: "circleci", Read: list("circleci-signature", ",", "v1={sig}"), Type: "header:circleci-event-type", ID: "json:id"},
		{Name: "npm", Read: header("x-npm-signature", "sha256={sig}"), Type: "json:event"},
		{Name: "shopify", Read: header("x-shopify-hmac-sha256", "{sig}"), MAC: "hmac-sha256 base64", Type: "header:x-shopify-topic", ID: "header:x-shopify-webhook-id"},
		{Name: "woocommerce", Read: header("x-wc-webhook-signature", "{sig}"), MAC: "hmac-sha256 base64", Type: "header:x-wc-webhook-topic", ID: "header:x-wc-webhook-delivery-id", Handshake: "woocommerce"},
		{Name: "razorpay", Read: header("x-razorpay-signature", "{sig}"), Type: "json:event", ID: "header:x-razorpay-event-id"},
		{Name: "coinbase_commerce", Read: header("x-cc-webhook-signature", "{sig}"), Type: "json:event.type", ID: "json:event.id"},
		{Name: "lemonsqueezy", Read: header("x-signature", "{sig}"), Type: "header:x-event-name"},
		// The body lists the accounts that changed, and nothing else.
		{Name: "dropbox", Read: header("x-dropbox-signature", "{sig}"), Handshake: "dropbox"},
		{Name: "asana", Read: header("x-hook-signature", "{sig}"), Handshake: "asana"},
		{Name: "pagerduty", Read: list("x-pagerduty-signature", ",", "v1={sig}"), Type: "json:event.event_type", ID: "json:event.id"},
		{Name: "line", Read: header("x-line-signature", "{sig}"), MAC: "hmac-sha256 base64", Type: "json:events.0.type", ID: "json:events.0.webhookEventId"},
		{Name: "viber", Read: header("x-viber-content-signature", "{sig}"), Type: "json:event", ID: "json:message_token"},
		{Name: "gocardless", Read: header("webhook-signature", "{sig}"), ID: "json:meta.webhook_id", Refused: Reply{Status: 498}},
		{Name: "onfido", Read: header("x-sha2-signature", "{sig}"), Type: "json:payload.action"},
		{Name: "modern_treasury", Read: header("x-signature", "{sig}"), Type: "header:x-topic"},
		{Name: "pusher", Read: headers("x-pusher-signature", "{sig}", "x-pusher-key", "{keyid}")},
		{Name: "getstream", Read: header("x-signature", "{sig}"), Type: "json:type", ID: "header:x-webhook-id"},
		{Name: "fingerprint", Read: list("fpjs-event-signature", ",", "v1={sig}")},
		{Name: "creem", Read: header("creem-signature", "{sig}"), Type: "json:eventType", ID: "json:id"},
		{Name: "kontent", Read: header("x-kontent-ai-signature", "{sig}"), MAC: "hmac-sha256 base64"},
		{Name: "triggerdev_alert", Read: header("x-trigger-signature-hmacsha256", "{sig}"), Type: "json:type", ID: "json:id"},
		{Name: "checkout_com", Read: header("cko-signature", "{sig}"), Type: "json:type", ID: "json:id"},
		{Name: "dwolla", Read: header("x-request-signature-sha-256", "{sig}"), Type: "header:x-dwolla-topic", ID: "json:id"},
		{Name: "paystack", Read: header("x-paystack-signature", "{sig}"), MAC: "hmac-sha512 hex", Type: "json:event"},
		{Name: "xero", Read: header("x-xero-signature", "{sig}"), MAC: "hmac-sha256 base64", Accepted: empty()},
		{Name: "quickbooks", Read: header("intuit-signature", "{sig}"), MAC: "hmac-sha256 base64", Accepted: empty()},
		// A numbered header for each active key, up to 100.
		{Name: "docusign", Read: header("x-docusign-signature-#", "{sig}"), MAC: "hmac-sha256 base64", Type: "json:event"},
		{Name: "clickup", Read: header("x-signature", "{sig}"), Type: "json:event"},
		{Name: "dub", Read: header("dub-signature", "{sig}"), Type: "json:event", ID: "json:id"},
		{Name: "cal_com", Read: header("x-cal-signature-256", "{sig}"), Type: "json:triggerEvent"},
		// A compressed body is signed as it is sent.
		{Name: "nylas", Read: header("x-nylas-signature", "{sig}"), Type: "json:type", ID: "json:id", Handshake: "dropbox"},
		{Name: "launchdarkly", Read: header("x-ld-signature", "{sig}")},
		{Name: "chargify", Read: header("x-chargify-webhook-signature-hmac-sha-256", "{sig}"), Type: "form:event", ID: "header:x-chargify-webhook-id"},
		{Name: "autodesk", Read: header("x-adsk-signature", "sha1hash={sig}"), MAC: "hmac-sha1 hex"},
		{Name: "mongodb_atlas", Read: header("x-mms-signature", "{sig}"), MAC: "hmac-sha1 base64"},
		{Name: "segment", Read: header("x-signature", "{sig}"), MAC: "hmac-sha1 hex"},
		{Name: "aftership", Read: header("aftership-hmac-sha256", "{sig}"), MAC: "hmac-sha256 base64", Type: "json:event"},
		{Name: "checkr", Read: header("x-checkr-signature", "{sig}"), Type: "json:type", ID: "json:id"},
		{Name: "doppler", Read: header("x-doppler-signature", "sha256={sig}")},
		{Name: "sendbird", Read: header("x-sendbird-signature", "{sig}"), Type: "json:category"},
		{Name: "bolt", Read: header("x-bolt-hmac-sha256", "{sig}"), MAC: "hmac-sha256 base64"},
		{Name: "primer", Read: headers("x-signature-primary", "{sig}", "x-signature-secondary?", "{sig}"), MAC: "hmac-sha256 base64"},
		{Name: "tally", Read: header("tally-signature", "{sig}"), MAC: "hmac-sha256 base64", Type: "json:eventType", ID: "json:eventId"},
		{Name: "ashby", Read: header("ashby-signature", "sha256={sig}"), Type: "json:action"},
		{Name: "merge", Read: header("x-merge-webhook-signature", "{sig}"), MAC: "hmac-sha256 base64url"},
		{Name: "attio", Read: header("attio-signature", "{sig}"), ID: "header:idempotency-key"},
		{Name: "vapi", Read: header("x-vapi-signature", "{sig}")},
		{Name: "planetscale", Read: header("x-planetscale-signature", "{sig}"), Type: "json:event"},
		{Name: "firecrawl", Read: header("x-firecrawl-signature", "sha256={sig}"), Type: "json:type"},
		// The time is not signed.
		{Name: "infisical", Read: list("x-infisical-signature", ";", "t={time}", "{sig}"), Time: Milliseconds},
		{Name: "hookdeck", Read: headers("x-hookdeck-signature", "{sig}", "x-hookdeck-signature-2?", "{sig}"), MAC: "hmac-sha256 base64", ID: "header:x-hookdeck-eventid"},
		{Name: "cursor", Read: header("x-webhook-signature", "sha256={sig}"), Type: "header:x-webhook-event", ID: "header:x-webhook-id"},
		{Name: "typeform", Read: header("typeform-signature", "sha256={sig}"), MAC: "hmac-sha256 base64", Type: "json:event_type", ID: "json:event_id"},
		{Name: "x_twitter", Read: header("x-twitter-webhooks-signature", "sha256={sig}"), MAC: "hmac-sha256 base64", Handshake: "crc"},
		{Name: "ably", Read: header("x-ably-signature", "{sig}"), MAC: "hmac-sha256 base64"},
		{Name: "cronofy", Read: list("cronofy-hmac-sha256", ",", "{sig}"), MAC: "hmac-sha256 base64"},
		// Without the timestamp header that can be switched on.
		{Name: "grafana", Read: header("x-grafana-alerting-signature", "{sig}")},
		{Name: "onfleet", Read: header("x-onfleet-signature", "{sig}"), MAC: "hmac-sha512 hex", Key: KeyHex, Handshake: "onfleet"},
		{Name: "squarespace", Read: header("squarespace-signature", "{sig}"), Key: KeyHex},
		// Writes upper-case hexadecimal.
		{Name: "authorize_net", Read: header("x-anet-signature", "sha512={sig}"), MAC: "hmac-sha512 hex", Key: KeyEither, Type: "json:eventType", ID: "json:notificationId"},
		// Balance Platform and Management; payments are adyen.
		{Name: "adyen_platform", Read: header("hmacsignature", "{sig}"), MAC: "hmac-sha256 base64", Key: KeyHex, Type: "json:type"},
		{Name: "ms_teams", Read: header("authorization", "HMAC {sig}"), MAC: "hmac-sha256 base64", Key: KeyBase64},
		// The notification has no data.
		{Name: "airtable", Read: header("x-airtable-content-mac", "hmac-sha256={sig}"), Key: KeyBase64},
	}
}
