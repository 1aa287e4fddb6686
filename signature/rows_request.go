package signature

import (
	"net/http"
	"time"
)

// requestRows returns the providers that sign the URL, or fields of the request.
func requestRows() []Spec {
	return []Spec{
		{Name: "square", Read: header("x-square-hmacsha256-signature", "{sig}"), MAC: "hmac-sha256 base64", Sign: "{url}{body}", Type: "json:type", ID: "json:event_id"},
		{Name: "trello", Read: header("x-trello-webhook", "{sig}"), MAC: "hmac-sha1 base64", Sign: "{body}{url}", Type: "json:action.type", ID: "json:action.id", Handshake: "head"},
		{Name: "twilio", Read: header("x-twilio-signature", "{sig}"), MAC: "hmac-sha1 base64", Sign: "{url}{form_sorted}", Type: "form:EventType", ID: "header:i-twilio-idempotency-token", Accepted: twiML()},
		{Name: "twilio_json", Read: header("x-twilio-signature", "{sig}"), MAC: "hmac-sha1 base64", Sign: "{url}", Require: []Check{{"query:bodySHA256", "{body|sha256|hex}"}}, ID: "header:i-twilio-idempotency-token"},
		{Name: "mandrill", Read: header("x-mandrill-signature", "{sig}"), MAC: "hmac-sha1 base64", Sign: "{url}{form_sorted}", JSONFrom: "form:mandrill_events", Type: "json:0.event", ID: "json:0._id", Handshake: "get200"},
		{Name: "hubspot_v1", Read: header("x-hubspot-signature", "{sig}"), MAC: "hash-sha256 hex", Sign: "{secret}{body}", Type: "json:0.subscriptionType", ID: "json:0.eventId"},
		{Name: "hubspot_v2", Read: header("x-hubspot-signature", "{sig}"), MAC: "hash-sha256 hex", Sign: "{secret}{method}{url}{body}", Type: "json:0.subscriptionType", ID: "json:0.eventId"},
		// Some escapes of the URL are undone before it is signed.
		{Name: "hubspot_v3", Read: headers("x-hubspot-request-timestamp", "{time}", "x-hubspot-signature-v3", "{sig}"), MAC: "hmac-sha256 base64", Sign: "{method}{url|hubspot}{body}{time}", Time: Milliseconds, Tolerance: window, Type: "json:0.subscriptionType", ID: "json:0.eventId"},
		// The body is not signed.
		{Name: "mercadopago", Read: []Read{{From: "x-request-id?", Pattern: "{rid}"}, {From: "x-signature", Sep: ",", Items: []string{"ts={time}", "v1={sig}"}}}, Sign: "[[id:{query:data.id|lower};]][[request-id:{rid};]]ts:{time};", Type: "query:type", ID: "header:x-request-id"},
		{Name: "cloudinary", Read: headers("x-cld-timestamp", "{time}", "x-cld-signature", "{sig}"), MAC: "hash-sha1 hex", Sign: "{body}{time}{secret}", Tolerance: 2 * time.Hour, Type: "json:notification_type"},
		{Name: "lark", Read: headers("x-lark-request-timestamp", "{time}", "x-lark-request-nonce", "{nonce}", "x-lark-signature", "{sig}"), MAC: "hash-sha256 hex", Sign: "{time}{nonce}{secret}{body}", Type: "json:header.event_type", ID: "json:header.event_id", Handshake: "lark"},
		// The body is not signed.
		{Name: "mailgun", Read: headers("json:signature.timestamp", "{time}", "json:signature.token", "{nonce}", "json:signature.signature", "{sig}"), Sign: "{time}{nonce}", Tolerance: 15 * time.Minute, Type: "json:event-data.event", ID: "json:event-data.id"},
		// Inbound routes; the body is not signed.
		{Name: "mailgun_form", Read: headers("form:timestamp", "{time}", "form:token", "{nonce}", "form:signature", "{sig}"), Sign: "{time}{nonce}", Tolerance: 15 * time.Minute, Type: "form:event"},
		{Name: "braintree", Read: list("form:bt_signature", "&", "{keyid}|{sig}"), MAC: "hmac-sha1 hex", Key: KeySHA1, Sign: "{form:bt_payload}", Handshake: "braintree"},
		// The body is not signed.
		{Name: "dropbox_sign", Read: header("json:event.event_hash", "{sig}"), Sign: "{json:event.event_time}{json:event.event_type}", JSONFrom: "form:json", Type: "json:event.event_type", ID: "json:event.event_hash", Accepted: textReply(http.StatusOK, "Hello API Event Received")},
		// The body is not signed, but for the id.
		{Name: "opennode", Read: header("form:hashed_order", "{sig}"), Sign: "{form:id}", Type: "form:status", ID: "form:id"},
		{Name: "midtrans", Read: header("json:signature_key", "{sig}"), MAC: "hash-sha512 hex", Sign: "{json:order_id}{json:status_code}{json:gross_amount}{secret}", Type: "json:transaction_status", ID: "json:transaction_id"},
	}
}
