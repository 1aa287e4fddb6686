package signature

import "net/http"

const jsonType = "application/json"

// handshakes returns every handshake, in the order in which they are tried.
func handshakes() []handshake {
	get, post := []string{http.MethodGet}, []string{http.MethodPost}
	verifyToken := Setting{Name: "verify_token", About: "the text that you gave the provider to be sent back", Secret: true}
	return []handshake{
		// Meta: Facebook, Instagram, WhatsApp, Messenger, Threads.
		{
			name: "hub", methods: get, when: []Check{{"query:hub.mode", "subscribe"}, {"query:hub.challenge", anything}},
			settings: []Setting{verifyToken}, check: []Check{{"query:hub.verify_token", "{cfg:verify_token}"}},
			refused: http.StatusForbidden, challenge: "query:hub.challenge", body: "{challenge}",
		},
		// Strava: the same, answered in JSON.
		{
			name: "hub_json", methods: get, when: []Check{{"query:hub.mode", "subscribe"}, {"query:hub.challenge", anything}},
			settings: []Setting{verifyToken}, check: []Check{{"query:hub.verify_token", "{cfg:verify_token}"}},
			refused: http.StatusForbidden, challenge: "query:hub.challenge", kind: jsonType,
			body: `{{"hub.challenge":{challenge|json}}}`,
		},
		// WebSub, W3C Recommendation, section 5.3.
		{
			name: "websub", methods: get, when: []Check{{"query:hub.mode", anything}, {"query:hub.challenge", anything}},
			settings: []Setting{{Name: "topic", About: "the URL of the topic that you subscribe to"}},
			check:    []Check{{"query:hub.topic", "{cfg:topic}"}, {"query:hub.mode", "subscribe"}},
			refused:  http.StatusNotFound, challenge: "query:hub.challenge", body: "{challenge}",
		},
		// X: the Challenge-Response Check, every hour.
		{
			name: "crc", methods: get, when: []Check{{"query:crc_token", anything}},
			challenge: "query:crc_token", allowed: anyToken,
			sum: sumMAC, kind: jsonType, body: `{{"response_token":"sha256={sum}"}}`,
		},
		{
			name: "slack", methods: post, when: []Check{{"json:type", "url_verification"}}, signed: true,
			challenge: "json:challenge", body: "{challenge}",
		},
		// Zoom: every 72 hours.
		{
			name: "zoom", methods: post, when: []Check{{"json:event", "endpoint.url_validation"}}, signed: true,
			challenge: "json:payload.plainToken", allowed: anyToken, sum: sumMAC, kind: jsonType,
			body: `{{"plainToken":{challenge|json},"encryptedToken":"{sum}"}}`,
		},
		{
			name: "twitch", methods: post, signed: true, refused: http.StatusForbidden,
			when:      []Check{{"twitch-eventsub-message-type", "webhook_callback_verification"}},
			challenge: "json:challenge", body: "{challenge}",
		},
		// Discord: the PING of interactions, and that of webhook events. It tests
		// that one with a bad signature gets 401.
		{
			name: "discord", methods: post, when: []Check{{"json:type", "1"}, {"json:event.type", nothing}}, signed: true,
			kind: jsonType, body: `{{"type":1}}`,
		},
		{
			name: "discord", methods: post, when: []Check{{"json:type", "0"}}, signed: true, status: http.StatusNoContent,
		},
		// Microsoft Graph: within 10 seconds.
		{
			name: "msgraph", methods: post, when: []Check{{"query:validationToken", anything}},
			challenge: "query:validationToken", body: "{challenge}",
		},
		{
			name: "eventgrid", methods: post, signed: true, harmless: true,
			when:      []Check{{"json:0.eventType", "Microsoft.EventGrid.SubscriptionValidationEvent"}},
			challenge: "json:0.data.validationCode", kind: jsonType, body: `{{"validationResponse":{challenge|json}}}`,
		},
		// CloudEvents' protection from abuse, HTTP 1.1 Web Hooks 1.0.2 section 4.
		allowedOrigin("eventgrid"),
		allowedOrigin("cloudevents"),
		{
			name: "okta", methods: get, when: []Check{{"x-okta-verification-challenge", anything}},
			challenge: "x-okta-verification-challenge", kind: jsonType, body: `{{"verification":{challenge|json}}}`,
		},
		// Dropbox, and Nylas, which wants the text and nothing else.
		{
			name: "dropbox", methods: get, when: []Check{{"query:challenge", anything}},
			challenge: "query:challenge", body: "{challenge}",
		},
		// Asana: the secret is the receiver's from then on.
		{
			name: "asana", methods: post, when: []Check{{"x-hook-secret", anything}, {"x-hook-signature", nothing}},
			challenge: "x-hook-secret", secret: true, header: map[string]string{"X-Hook-Secret": "{challenge}"},
		},
		{
			name: "notion", methods: post, when: []Check{{"json:verification_token", anything}, {"x-notion-signature", nothing}},
			challenge: "json:verification_token", secret: true,
		},
		// monday.com.
		{
			name: "echo_json", methods: post, when: []Check{{"json:challenge", anything}},
			challenge: "json:challenge", kind: jsonType, body: `{{"challenge":{challenge|json}}}`,
		},
		{
			name: "lark", methods: post, when: []Check{{"json:type", "url_verification"}}, optional: true, refused: http.StatusForbidden,
			settings:  []Setting{{Name: "verify_token", About: "the verification token of the app", Secret: true, Optional: true}},
			check:     []Check{{"json:token", "{cfg:verify_token}"}},
			challenge: "json:challenge", kind: jsonType, body: `{{"challenge":{challenge|json}}}`,
		},
		// LinkedIn: every two hours. Its events are signed behind a prefix that no
		// challenge has.
		{
			name: "linkedin", methods: get, when: []Check{{"query:challengeCode", anything}},
			challenge: "query:challengeCode", allowed: anyUUID, sum: sumMAC, kind: jsonType,
			body: `{{"challengeCode":{challenge|json},"challengeResponse":"{sum}"}}`,
		},
		{
			name: "ebay", methods: get, refused: http.StatusForbidden, when: []Check{{"query:challenge_code", anything}},
			settings: []Setting{
				{Name: "verify_token", About: "the verification token that you gave eBay", Secret: true},
				{Name: "url", About: "the endpoint's URL as you gave it to eBay"},
			},
			challenge: "query:challenge_code", allowed: anyToken,
			sum: sumHash, over: "{challenge}{cfg:verify_token}{cfg:url}", kind: jsonType, body: `{{"challengeResponse":"{sum}"}}`,
		},
		{
			name: "braintree", methods: get, when: []Check{{"query:bt_challenge", anything}},
			settings:  []Setting{{Name: "public_key", About: "the public key of the API key pair"}},
			challenge: "query:bt_challenge", allowed: anyHex,
			sum: sumMAC, body: "{cfg:public_key}|{sum}",
		},
		{
			name: "adobe_sign", methods: get, when: []Check{{"x-adobesign-clientid", anything}}, refused: http.StatusForbidden,
			check:     []Check{{"x-adobesign-clientid", "{cfg:client_id}"}},
			challenge: "x-adobesign-clientid", header: map[string]string{"X-AdobeSign-ClientId": "{challenge}"},
		},
		{
			name: "front", methods: post, signed: true, harmless: true, when: []Check{{"x-front-challenge", anything}},
			challenge: "x-front-challenge", body: "{challenge}",
		},
		{
			name: "onfleet", methods: get, when: []Check{{"query:check", anything}},
			challenge: "query:check", body: "{challenge}",
		},
		// Trello and Intercom look whether the URL is there.
		{name: "head", methods: []string{http.MethodHead}},
		// Mailchimp and Mandrill.
		{name: "get200", methods: []string{http.MethodGet, http.MethodHead}},
		// WooCommerce: a form when the webhook is made.
		{
			name: "woocommerce", methods: post,
			when: []Check{{"form:webhook_id", anything}, {"x-wc-webhook-signature", nothing}},
		},
		{
			name: "aws_sns", methods: post, when: []Check{{"json:Type", "SubscriptionConfirmation"}}, signed: true, harmless: true,
			confirm: "json:SubscribeURL",
		},
	}
}

func allowedOrigin(name string) handshake {
	return handshake{
		name: name, methods: []string{http.MethodOptions}, when: []Check{{"webhook-request-origin", anything}},
		challenge: "webhook-request-origin",
		header: map[string]string{
			"WebHook-Allowed-Origin": "{challenge}", "WebHook-Allowed-Rate": "{header:webhook-request-rate}",
			"Allow": "OPTIONS, POST",
		},
	}
}
