// Package tenterhook receives, verifies, keeps, routes, delivers, retries,
// replays, audits and tests webhooks.
//
// This package is the vocabulary: the types that the gateway, its API, its
// command line and its documentation share, under the same names. An [Event] is
// one accepted webhook. A [Delivery] is one event for one destination, and an
// [Attempt] is one try of a delivery. A [Decision] says why a route did or did
// not take an event. A [Backoff] says when a delivery is tried again.
//
// It imports the standard library and nothing else, so that it can be used from
// any program.
package tenterhook
