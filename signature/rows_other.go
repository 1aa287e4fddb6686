package signature

import (
	"net/http"
	"time"
)

// otherRows returns the providers that sign in ways of their own, which canonical
// forms or code describe, and those that have no more than a handshake.
func otherRows() []Spec {
	return []Spec{
		// All there is to go by is the client id, which must be sent back.
		{Name: "adobe_sign", MAC: "none", Require: []Check{{"x-adobesign-clientid", "{cfg:client_id}"}}, Type: "json:event", Handshake: "adobe_sign", Accepted: Reply{Status: http.StatusOK, Header: http.Header{"X-Adobesign-Clientid": {"{cfg:client_id}"}}}, Refused: Reply{Status: http.StatusForbidden}},
		// Payments; each item of a notification has a signature of its own, over eight fields.
		{Name: "adyen", MAC: "hmac-sha256 base64", Key: KeyHex, Type: "json:notificationItems.0.NotificationRequestItem.eventCode", Accepted: textReply(http.StatusOK, "[accepted]"), code: adyen()},
		{Name: "alipay", MAC: "rsa-sha256 base64", Type: "form:notify_type", ID: "form:notify_id", Accepted: textReply(http.StatusOK, "success"), code: alipay()},
		// The secrets are the ARNs of the topics.
		{Name: "aws_sns", MAC: "rsa-sha256 base64", KeyHosts: `sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?`, Type: "header:x-amz-sns-message-type", ID: "json:MessageId", Handshake: "aws_sns", code: sns()},
		{Name: "cloudevents", Read: header("authorization", "Bearer {token}"), MAC: "token", Type: "header:ce-type", ID: "header:ce-id", Handshake: "cloudevents"},
		{Name: "coinbase_cdp", Read: list("x-hook0-signature", ",", "t={time}", "h={headers}", "v1={sig}"), Sign: "{time}.{headers}.{hook0_headers}.{body}", Tolerance: window, Type: "json:eventType", ID: "header:x-event-id"},
		{Name: "constant_contact", Read: header("x-ctct-webhook-sig", "{jws}"), MAC: "jws-rs256 unencoded", KeyURL: "https://developer.constantcontact.com/.well-known/jwks.json", KeyHosts: `developer\.constantcontact\.com`, Tolerance: window, Type: "json:0.event_type", code: constantContact()},
		{Name: "contentful", Read: headers("x-contentful-timestamp", "{time}", "x-contentful-signed-headers", "{headers}", "x-contentful-signature", "{sig}"), Sign: "{method}\n{contentful_path}\n{contentful_headers}\n{body}", Time: Milliseconds, Tolerance: 30 * time.Second, Type: "header:x-contentful-topic", ID: "header:x-contentful-idempotency-key"},
		// The key is the one whose id is in the signature; eBay gives it to its API's users.
		{Name: "ebay", MAC: "ecdsa-sha1 base64", Type: "json:metadata.topic", ID: "json:notification.notificationId", Handshake: "ebay", code: ebay()},
		{Name: "fireblocks_v2", Read: header("fireblocks-webhook-signature", "{jws}"), MAC: "jws-rs512", Sign: "{body}", KeyURL: "https://keys.fireblocks.io/.well-known/jwks.json", KeyHosts: `keys\.fireblocks\.io`, Type: "json:eventType", ID: "json:id"},
		// The body is not signed.
		{Name: "jira_connect", Read: header("authorization", "JWT {jwt}"), MAC: "jwt-hs256", Claims: []Check{{"qsh", "{atlassian_query|sha256|hex}"}}, Lifetime: 3 * time.Minute, Type: "json:webhookEvent"},
		{Name: "keygen", Read: []Read{{From: "date", Pattern: "{time}"}, {From: "keygen-signature", Sep: ",", Items: []string{`signature="{sig}"`}}}, MAC: "ed25519 base64", Sign: "(request-target): {method|lower} {uri}\nhost: {host}\ndate: {time}\ndigest: sha-256={body|sha256|base64}", Require: []Check{{"digest", "sha-256={body|sha256|base64}"}}, Time: HTTPDate, Tolerance: window, Type: "json:data.attributes.event", ID: "json:data.id"},
		// The body is the token, and the event is what the token says.
		{Name: "kinde", Read: header("body", "{jwt}"), MAC: "jwt-rs256", KeyURL: "{cfg:issuer}/.well-known/jwks", KeyHosts: `[a-z0-9.-]+`, Type: "json:type", ID: "json:event_id"},
		{Name: "nowpayments", Read: header("x-nowpayments-sig", "{sig}"), MAC: "hmac-sha512 hex", Sign: "{json_sorted}", Type: "json:payment_status", ID: "json:payment_id"},
		// Only the field data is signed.
		{Name: "payos", Read: header("json:signature", "{sig}"), Sign: "{payos_data}"},
		{Name: "plivo_v3", Read: []Read{{From: "x-plivo-signature-v3-nonce", Pattern: "{nonce}"}, {From: "x-plivo-signature-v3?", Sep: ",", Items: []string{"{sig}"}}, {From: "x-plivo-signature-ma-v3?", Sep: ",", Items: []string{"{sig}"}}}, MAC: "hmac-sha256 base64", Sign: "{plivo_request}.{nonce}", Type: "form:Event"},
		// All there is to go by is the number of the subscription.
		{Name: "strava", MAC: "none", Require: []Check{{"json:subscription_id", "{cfg:subscription_id}"}}, Type: "json:object_type", Subtype: "json:aspect_type", Handshake: "hub_json"},
		{Name: "truelayer", Read: header("tl-signature", "{jws}"), MAC: "jws-es512", KeyHosts: `webhooks\.truelayer(-sandbox)?\.com`, Type: "json:type", ID: "json:event_id", code: truelayer()},
		// With hub.secret; YouTube and others sign with SHA-1.
		{Name: "websub", Read: header("x-hub-signature", "sha1={sig}"), MAC: "hmac-sha1 hex", Handshake: "websub"},
	}
}
