package signature

import "net/http"

// otherRows returns the providers that sign in ways of their own, which canonical
// forms or code describe, and those that have no more than a handshake.
func otherRows() []Spec {
	return []Spec{
		// All there is to go by is the client id, which must be sent back.
		{Name: "adobe_sign", MAC: "none", Require: []Check{{"x-adobesign-clientid", "{cfg:client_id}"}}, Type: "json:event", Handshake: "adobe_sign", Accepted: Reply{Status: http.StatusOK, Header: http.Header{"X-Adobesign-Clientid": {"{cfg:client_id}"}}}, Refused: Reply{Status: http.StatusForbidden}},
		{Name: "cloudevents", Read: header("authorization", "Bearer {token}"), MAC: "token", Type: "header:ce-type", ID: "header:ce-id", Handshake: "cloudevents"},
		// All there is to go by is the number of the subscription.
		{Name: "strava", MAC: "none", Require: []Check{{"json:subscription_id", "{cfg:subscription_id}"}}, Type: "json:object_type", Subtype: "json:aspect_type", Handshake: "hub_json"},
		// With hub.secret; YouTube and others sign with SHA-1.
		{Name: "websub", Read: header("x-hub-signature", "sha1={sig}"), MAC: "hmac-sha1 hex", Handshake: "websub"},
	}
}
