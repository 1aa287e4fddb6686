// Package tenterhook receives, verifies, keeps, routes, delivers, retries,
// replays, audits and tests webhooks.
//
// # Receiving
//
// A [Receiver] is an http.Handler that accepts the webhooks of one provider:
//
//	keys, err := signature.NewKeys(os.Getenv("GITHUB_WEBHOOK_SECRET"))
//	...
//	receiver, err := tenterhook.NewReceiver(signature.GitHub, keys, func(ctx context.Context, e *tenterhook.Event) error {
//		return store(ctx, e) // nil once it is on stable storage
//	}, nil)
//	...
//	http.Handle("/webhook/github", receiver)
//
// It reads the body within bounds and as it came, verifies it before anybody
// looks at it, answers handshakes, and answers events as the provider wants it.
// What it refuses is logged with the reason, which the sender is not told. The
// function says with its result who has the event from now on: with nil it is
// the receiver, and with an error it stays with the sender, who is asked to try
// again. [NewReceiver] has the rules in full. Events come more than once, so do
// once per [Event.DeliveryID] what is to be done.
//
// # Sending
//
// A [Sender] sends events to whoever wants them:
//
//	sender, err := tenterhook.NewSender(tenterhook.SenderOptions{Scheme: signature.StandardWebhooks, Keys: keys})
//	...
//	result, err := sender.Send(ctx, "https://hooks.example.com/deploy", &tenterhook.Event{Body: body})
//
// Each attempt is signed anew and bounded, and carries the same id and the same
// bytes. What may be over soon is tried again, with jitter and as Retry-After
// asks, within a time; only a 2xx is success. The addresses of private networks
// and of machines' own services are out of reach unless allowed, so that a URL
// which a customer chose cannot be turned against its sender. [Sender.Send] has
// the rules in full.
//
// Package signature has the providers, and how to describe others. Package
// hooktest has what tests need: signed requests, spoiled ones, and a server that
// records and misbehaves.
//
// # Words
//
// The rest of this package is the vocabulary: the types that the gateway, its
// API, its command line and its documentation share, under the same names. An
// [Event] is one accepted webhook. A [Rejection] is one refused request. A
// [Delivery] is one event for one destination, and an [Attempt] is one try of a
// delivery. A [Decision] says why a route did or did not take an event. A
// [Backoff] says when a delivery is tried again.
//
// The package needs the standard library and nothing else, so that it can be used
// from any program.
package tenterhook
