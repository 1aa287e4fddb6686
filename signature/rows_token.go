package signature

import (
	"net/http"
)

// tokenRows returns the providers that show the secret instead of a signature.
func tokenRows() []Spec {
	return []Spec{
		{Name: "gitlab", Read: header("x-gitlab-token", "{token}"), MAC: "token", Type: "header:x-gitlab-event", ID: "header:x-gitlab-event-uuid"},
		{Name: "telegram", Read: header("x-telegram-bot-api-secret-token", "{token}"), MAC: "token", ID: "json:update_id"},
		{Name: "microsoft_graph", Read: header("json:value.*.clientState", "{token}"), MAC: "token", Type: "json:value.0.changeType", ID: "json:value.0.id", Handshake: "msgraph", Accepted: Reply{Status: http.StatusAccepted}},
		{Name: "okta", Read: header("authorization", "{token}"), MAC: "token", Type: "json:data.events.0.eventType", ID: "json:eventId", Handshake: "okta"},
		{Name: "auth0_logs", Read: header("authorization", "{token}"), MAC: "token", Type: "json:0.data.type", ID: "json:0.log_id"},
		{Name: "chargebee", Read: header("authorization", "Basic {token}"), MAC: "token", Key: KeyBasic, Type: "json:event_type", ID: "json:id"},
		{Name: "postmark", Read: header("authorization", "Basic {token}"), MAC: "token", Key: KeyBasic, Type: "json:RecordType", ID: "json:MessageID"},
		{Name: "azure_devops", Read: header("authorization", "Basic {token}"), MAC: "token", Key: KeyBasic, Type: "json:eventType", ID: "json:id"},
		{Name: "sparkpost", Read: header("authorization", "Basic {token}"), MAC: "token", Key: KeyBasic, ID: "header:x-messagesystems-batch-id"},
		{Name: "supabase_db", Read: header("authorization", "Bearer {token}"), MAC: "token", Type: "json:type"},
		{Name: "revenuecat", Read: header("authorization", "{token}"), MAC: "token", Type: "json:event.type", ID: "json:event.id"},
		{Name: "flutterwave", Read: header("verif-hash", "{token}"), MAC: "token", Type: "json:event", ID: "json:id"},
		{Name: "xendit", Read: header("x-callback-token", "{token}"), MAC: "token", ID: "header:webhook-id"},
		{Name: "deepgram", Read: header("dg-token", "{token}"), MAC: "token", ID: "json:metadata.request_id"},
		// The token is in the URL of the subscription.
		{Name: "azure_eventgrid", Read: header("query:code", "{token}"), MAC: "token", Type: "json:0.eventType", ID: "json:0.id", Handshake: "eventgrid"},
		// The token is in the URL of the webhook.
		{Name: "mailchimp", Read: header("query:secret", "{token}"), MAC: "token", Type: "form:type", Handshake: "get200"},
		// A header of your own.
		{Name: "bigcommerce", Read: header("x-hook-token", "{token}"), MAC: "token", Type: "json:scope", ID: "json:hash"},
		// A header of your own.
		{Name: "datadog", Read: header("x-hook-token", "{token}"), MAC: "token"},
		{Name: "brevo", Read: header("authorization", "Bearer {token}"), MAC: "token", Type: "json:event"},
		// The token is in the URL of the webhook.
		{Name: "docker_hub", Read: header("query:token", "{token}"), MAC: "token"},
	}
}
