package signature

import (
	"time"
)

// timeRows returns the providers that sign a time or an id with the body.
func timeRows() []Spec {
	return []Spec{
		{Name: "stripe", Read: list("stripe-signature", ",", "t={time}", "v1={sig}"), Sign: "{time}.{body}", Tolerance: window, Type: "json:type", ID: "json:id"},
		// Interactions are a form whose payload is JSON; slash commands a plain form.
		{Name: "slack", Read: headers("x-slack-request-timestamp", "{time}", "x-slack-signature", "v0={sig}"), Sign: "v0:{time}:{body}", Tolerance: window, Type: "json:event.type", ID: "json:event_id", Handshake: "slack", Accepted: empty(), JSONFrom: "form:payload?"},
		{Name: "zoom", Read: headers("x-zm-request-timestamp", "{time}", "x-zm-signature", "v0={sig}"), Sign: "v0:{time}:{body}", Tolerance: window, Type: "json:event", Handshake: "zoom"},
		{Name: "paddle", Read: list("paddle-signature", ";", "ts={time}", "h1={sig}"), Sign: "{time}:{body}", Tolerance: 5 * time.Second, Type: "json:event_type", ID: "json:event_id"},
		{Name: "calendly", Read: list("calendly-webhook-signature", ",", "t={time}", "v1={sig}"), Sign: "{time}.{body}", Tolerance: 3 * time.Minute, Type: "json:event"},
		{Name: "mux", Read: list("mux-signature", ",", "t={time}", "v1={sig}"), Sign: "{time}.{body}", Tolerance: window, Type: "json:type", ID: "json:id"},
		{Name: "workos", Read: []Read{{From: "workos-signature", Sep: ",", Items: []string{"t={time}", "v1={sig}"}, Join: ", "}}, Sign: "{time}.{body}", Time: Milliseconds, Tolerance: 3 * time.Minute, Type: "json:event", ID: "json:id"},
		{Name: "webflow", Read: headers("x-webflow-timestamp", "{time}", "x-webflow-signature", "{sig}"), Sign: "{time}:{body}", Time: Milliseconds, Tolerance: window, Type: "json:triggerType"},
		{Name: "elevenlabs", Read: list("elevenlabs-signature", ",", "t={time}", "v0={sig}"), Sign: "{time}.{body}", Tolerance: 30 * time.Minute, Type: "json:type"},
		{Name: "retell", Read: list("x-retell-signature", ",", "v={time}", "d={sig}"), Sign: "{body}{time}", Time: Milliseconds, Tolerance: window, Type: "json:event"},
		{Name: "lovable", Read: headers("x-lovable-timestamp", "{time}", "x-lovable-signature", "sha256={sig}"), Sign: "{time}.{body}", Tolerance: window},
		{Name: "fintoc", Read: list("fintoc-signature", ",", "t={time}", "v1={sig}"), Sign: "{time}.{body}", Tolerance: window, Type: "json:type", ID: "json:id"},
		{Name: "tailscale", Read: list("tailscale-webhook-signature", ",", "t={time}", "v1={sig}"), Sign: "{time}.{body}", Tolerance: window},
		{Name: "langfuse", Read: list("x-langfuse-signature", ",", "t={time}", "v1={sig}"), Sign: "{time}.{body}", Tolerance: window, ID: "json:id"},
		{Name: "buildkite", Read: list("x-buildkite-signature", ",", "timestamp={time}", "signature={sig}"), Sign: "{time}.{body}", Tolerance: window, Type: "header:x-buildkite-event", ID: "header:x-buildkite-request"},
		{Name: "shippo", Read: list("shippo-auth-signature", ",", "t={time}", "v1={sig}"), Sign: "{time}.{body}", Tolerance: window, Type: "json:event"},
		{Name: "tiktok", Read: list("tiktok-signature", ",", "t={time}", "s={sig}"), Sign: "{time}.{body}", Tolerance: window, Type: "json:event"},
		{Name: "persona", Read: list("persona-signature", ", ", "t={time}", "v1={sig}"), Sign: "{time}.{body}", Tolerance: window, Type: "json:data.attributes.name", ID: "json:data.id"},
		{Name: "affirm", Read: list("x-affirm-signature", ",", "t={time}", "v0={sig}"), MAC: "hmac-sha512 hex", Sign: "{time}.{body}", Tolerance: window},
		// JSON endpoints only; XML ones are not signed.
		{Name: "recurly", Read: []Read{{From: "recurly-signature", Sep: ",", Items: []string{"{time}", "{sig}"}, Positional: true}}, Sign: "{time}.{body}", Time: Milliseconds, Tolerance: window},
		{Name: "revolut", Read: []Read{{From: "revolut-request-timestamp", Pattern: "{time}"}, {From: "revolut-signature", Sep: ",", Items: []string{"v1={sig}"}}}, Sign: "v1.{time}.{body}", Time: Milliseconds, Tolerance: window, Type: "json:event"},
		{Name: "zoho_payments", Read: list("x-zoho-webhook-signature", ",", "t={time}", "v={sig}"), Sign: "{time}.{body}", Time: Milliseconds, Type: "json:event_type", ID: "json:event_id"},
		{Name: "boldsign", Read: []Read{{From: "x-boldsign-signature", Sep: ", ", Items: []string{"t={time}", "s0={sig}"}, Join: ", "}}, Sign: "{time}.{body}", Tolerance: window, Type: "header:x-boldsign-event", ID: "json:event.id"},
		{Name: "customer_io", Read: headers("x-cio-timestamp", "{time}", "x-cio-signature", "{sig}"), Sign: "v0:{time}:{body}", Tolerance: window, Type: "json:metric", ID: "json:event_id"},
		{Name: "lob", Read: headers("lob-signature-timestamp", "{time}", "lob-signature", "{sig}"), Sign: "{time}.{body}", Type: "json:event_type.id", ID: "json:id"},
		{Name: "airship", Read: headers("x-ua-timestamp", "{time}", "x-ua-signature", "{sig}"), Sign: "{time}:{body}", Tolerance: window},
		{Name: "airwallex", Read: headers("x-timestamp", "{time}", "x-signature", "{sig}"), Sign: "{time}{body}", Time: Milliseconds, Type: "json:name", ID: "json:id"},
		{Name: "front", Read: headers("x-front-request-timestamp", "{time}", "x-front-signature", "{sig}"), MAC: "hmac-sha256 base64", Sign: "{time}:{body}", Time: Milliseconds, Tolerance: window, Handshake: "front"},
		{Name: "zendesk", Read: headers("x-zendesk-webhook-signature-timestamp", "{time}", "x-zendesk-webhook-signature", "{sig}"), MAC: "hmac-sha256 base64", Sign: "{time}{body}", Time: RFC3339, Tolerance: window, Type: "json:type", ID: "header:x-zendesk-webhook-invocation-id"},
		{Name: "twitch", Read: headers("twitch-eventsub-message-id", "{id}", "twitch-eventsub-message-timestamp", "{time}", "twitch-eventsub-message-signature", "sha256={sig}"), Sign: "{id}{time}{body}", Time: RFC3339, Tolerance: 10 * time.Minute, Type: "json:subscription.type", ID: "header:twitch-eventsub-message-id", Handshake: "twitch"},
		{Name: "box", Read: headers("box-delivery-timestamp", "{time}", "box-signature-primary?", "{sig}", "box-signature-secondary?", "{sig}"), MAC: "hmac-sha256 base64", Sign: "{body}{time}", Time: RFC3339, Tolerance: 10 * time.Minute, Require: []Check{{"box-signature-version", "1"}, {"box-signature-algorithm", "HmacSHA256"}}, Type: "json:trigger", ID: "header:box-delivery-id"},
		{Name: "sinch", Read: headers("x-sinch-webhook-signature-nonce", "{nonce}", "x-sinch-webhook-signature-timestamp", "{time}", "x-sinch-webhook-signature", "{sig}"), MAC: "hmac-sha256 base64", Sign: "{body}.{nonce}.{time}", Tolerance: window},
		{Name: "klaviyo", Read: headers("klaviyo-timestamp", "{time}", "klaviyo-signature", "{sig}"), Sign: "{body}{time}"},
		{Name: "inngest", Read: list("x-inngest-signature", "&", "t={time}", "s={sig}"), Key: "strip:signkey-[a-z]+-", Sign: "{body}{time}", Tolerance: window},
		{Name: "cashfree", Read: headers("x-webhook-timestamp", "{time}", "x-webhook-signature", "{sig}"), MAC: "hmac-sha256 base64", Sign: "{time}{body}", Time: Milliseconds, Type: "json:type"},
		{Name: "knock", Read: list("x-knock-signature", ",", "t={time}", "s={sig}"), MAC: "hmac-sha256 base64", Sign: "{time}.{body}", Time: Milliseconds, Tolerance: window},
		{Name: "sanity", Read: []Read{{From: "sanity-webhook-signature", Sep: ", ", Items: []string{"t={time}", "v1={sig}"}, Join: ","}}, MAC: "hmac-sha256 base64url", Sign: "{time}.{body}", Time: Milliseconds, ID: "header:idempotency-key"},
		{Name: "metronome", Read: headers("x-metronome-date", "{time}", "metronome-webhook-signature", "{sig}"), Sign: "{time}\n{body}", Time: HTTPDate, Tolerance: window, Type: "json:type", ID: "json:id"},
		{Name: "plain", Read: headers("plain-request-signature", "{sig}", "json:webhookMetadata.webhookDeliveryAttemptTimestamp", "{time}"), Time: RFC3339, Tolerance: window, Type: "json:type", ID: "json:id"},
		{Name: "linkedin", Read: header("x-li-signature", "{sig}"), Sign: "hmacsha256={body}", Handshake: "linkedin"},
		{Name: "deel", Read: header("x-deel-signature", "{sig}"), Sign: "POST{body}"},
		{Name: "framer", Read: headers("framer-webhook-submission-id", "{id}", "framer-signature", "sha256={sig}"), Sign: "{body}{id}", ID: "header:framer-webhook-submission-id"},
		{Name: "configcat", Read: []Read{{From: "x-configcat-webhook-id", Pattern: "{id}"}, {From: "x-configcat-webhook-timestamp", Pattern: "{time}"}, {From: "x-configcat-webhook-signature-v1", Sep: ",", Items: []string{"{sig}"}}}, MAC: "hmac-sha256 base64", Sign: "{id}{time}{body}", ID: "header:x-configcat-webhook-id"},
	}
}
