package signature

import (
	"net/http"
	"time"
)

// publicRows returns the providers that sign with a private key, or send a JWT.
func publicRows() []Spec {
	return []Spec{
		{Name: "discord", Read: headers("x-signature-timestamp", "{time}", "x-signature-ed25519", "{sig}"), MAC: "ed25519 hex", Sign: "{time}{body}", Type: "json:type", ID: "json:id", Handshake: "discord", Accepted: Reply{Status: http.StatusNoContent}},
		{Name: "telnyx", Read: headers("telnyx-timestamp", "{time}", "telnyx-signature-ed25519", "{sig}"), MAC: "ed25519 base64", Sign: "{time}|{body}", Tolerance: window, Type: "json:data.event_type", ID: "json:data.id"},
		{Name: "sendgrid", Read: headers("x-twilio-email-event-webhook-timestamp", "{time}", "x-twilio-email-event-webhook-signature", "{sig}"), MAC: "ecdsa-sha256 base64", Sign: "{time}{body}", Type: "json:0.event", ID: "json:0.sg_event_id"},
		{Name: "wise", Read: header("x-signature-sha256", "{sig}"), MAC: "rsa-sha256 base64", Type: "json:event_type", ID: "header:x-delivery-id"},
		// The older header; fireblocks_v2 is the newer one.
		{Name: "fireblocks", Read: header("fireblocks-signature", "{sig}"), MAC: "rsa-sha512 base64", Type: "json:type"},
		// The body is bound by a CRC-32 only, which anyone can match.
		{Name: "paypal", Read: headers("paypal-transmission-id", "{id}", "paypal-transmission-time", "{time}", "paypal-transmission-sig", "{sig}"), MAC: "rsa-sha256 base64", Sign: "{id}|{time}|{cfg:webhook_id}|{body|crc32}", Time: RFC3339, KeyURL: "{header:paypal-cert-url}", KeyHosts: `api(\.sandbox)?\.paypal\.com`, Type: "json:event_type", ID: "json:id"},
		{Name: "fal_ai", Read: headers("x-fal-webhook-request-id", "{id}", "x-fal-webhook-user-id", "{user}", "x-fal-webhook-timestamp", "{time}", "x-fal-webhook-signature", "{sig}"), MAC: "ed25519 hex", Sign: "{id}\n{user}\n{time}\n{body|sha256|hex}", Tolerance: window, ID: "header:x-fal-webhook-request-id", KeyURL: "https://rest.alpha.fal.ai/.well-known/jwks.json", KeyHosts: `rest\.alpha\.fal\.ai`},
		// The key is the one that X-Circle-Key-Id names.
		{Name: "circle", Read: header("x-circle-signature", "{sig}"), MAC: "ecdsa-sha256 base64", Type: "json:notificationType", ID: "json:notificationId"},
		{Name: "messagebird", Read: header("messagebird-signature-jwt", "{jwt}"), MAC: "jwt-hs256,hs384,hs512", Claims: []Check{{"iss", "MessageBird"}, {"url_hash", "{url|sha256|hex}"}, {"payload_hash?", "{body|sha256|hex}"}}, Lifetime: time.Minute},
		{Name: "vonage", Read: header("authorization", "Bearer {jwt}"), MAC: "jwt-hs256", Claims: []Check{{"iss", "Vonage"}, {"payload_hash", "{body|sha256|hex}"}}},
		{Name: "livekit", Read: header("authorization", "{jwt}"), MAC: "jwt-hs256", Claims: []Check{{"iss", "{cfg:api_key}"}, {"sha256", "{body|sha256|base64}"}}, Lifetime: window, Type: "json:event", ID: "json:id"},
		// Two keys: the current and the next.
		{Name: "qstash", Read: header("upstash-signature", "{jwt}"), MAC: "jwt-hs256", Claims: []Check{{"iss", "Upstash"}, {"sub", "{url}"}, {"body", "{body|sha256|base64url}"}}, Lifetime: window, ID: "header:upstash-message-id"},
		{Name: "plaid", Read: header("plaid-verification", "{jwt}"), MAC: "jwt-es256", Tolerance: window, Claims: []Check{{"request_body_sha256", "{body|sha256|hex}"}}, Type: "json:webhook_code"},
		// The body is not signed; anyone at Google can have a token, so audience and account are checked.
		{Name: "google_pubsub", Read: header("authorization", "Bearer {jwt}"), MAC: "jwt-rs256", Claims: []Check{{"iss", "https://accounts.google.com"}, {"aud", "{cfg:audience}"}, {"email", "{cfg:service_account}"}, {"email_verified", "true"}}, Lifetime: time.Hour, ID: "json:message.messageId", KeyURL: "https://www.googleapis.com/oauth2/v3/certs", KeyHosts: `www\.googleapis\.com`},
		// The body is not signed.
		{Name: "monday", Read: header("authorization", "{jwt}"), MAC: "jwt-hs256", Claims: []Check{{"aud", "{url}"}}, Lifetime: window, Type: "json:event.type", ID: "json:event.triggerUuid", Handshake: "echo_json"},
		{Name: "fusionauth", Read: header("x-fusionauth-signature-jwt", "{jwt}"), MAC: "jwt-hs256,rs256,es256", Claims: []Check{{"request_body_sha256", "{body|sha256|base64}"}}, Type: "json:event.type", ID: "json:event.id"},
	}
}
