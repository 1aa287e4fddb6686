package signature

// standardRows returns the providers that sign as Standard Webhooks and Svix do.
func standardRows() []Spec {
	return []Spec{
		standardWebhooks(),
		standard("svix", "svix-", "json:type"),
		{Name: "standardwebhooks_v1a", Read: []Read{{From: "webhook-id", Pattern: "{id}"}, {From: "webhook-timestamp", Pattern: "{time}"}, {From: "webhook-signature", Sep: " ", Items: []string{"v1a,{sig}"}}}, MAC: "ed25519 base64", Sign: "{id}.{time}.{body}", Tolerance: window, Type: "json:type", ID: "header:webhook-id"},
		standard("clerk", "svix-", "json:type"),
		standard("resend", "svix-", "json:type"),
		standard("seam", "svix-", "json:event_type"),
		standard("stytch", "svix-", "json:type"),
		standard("brex", "webhook-", "json:event_type"),
		standard("vanta", "svix-", "json:type"),
		standard("autumn", "svix-", "json:type"),
		standard("openai", "webhook-", "json:type"),
		standard("anthropic", "webhook-", "json:type"),
		standard("replicate", "webhook-", "json:status"),
		standard("dodopayments", "webhook-", "json:type"),
		standard("lithic", "webhook-", "json:event_type"),
		standard("increase", "webhook-", "json:category"),
		standard("whop", "webhook-", "json:type"),
		standard("liveblocks", "webhook-", "json:type"),
		standard("supabase_auth", "webhook-", "json:type"),
		standard("render", "webhook-", "json:type"),
		standard("gemini", "webhook-", "json:type"),
		standard("incident_io", "webhook-", "json:event_type"),
		standard("etsy", "webhook-", "json:event_type"),
		standard("loops", "webhook-", "json:eventName"),
		standard("granola", "webhook-", "json:event_type"),
		standard("gitlab_signed", "webhook-", "header:x-gitlab-event"),
		// The key is the text of the secret.
		withText(standard("polar", "webhook-", "json:type")),
		// The key is the text of the secret.
		withText(standard("imagekit", "webhook-", "json:type")),
		standardID("finch", "finch-event-id", "finch-", "json:event_type"),
	}
}
