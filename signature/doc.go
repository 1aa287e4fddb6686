// Package signature verifies and makes the signatures of webhooks.
//
// A provider's way of signing is a [Scheme], and a Scheme is a row of data, a
// [Spec]: where the signature is read, what bytes it covers, and with which
// algorithm. One row verifies and signs. [Lookup] finds the row of a provider by
// its name, [Schemes] lists the more than 200 that there are, [GitHub] and
// [StandardWebhooks] are two of them, [HMAC] makes one for a provider that signs
// the body with an HMAC in a header of its own, and [New] compiles any other.
// Package signature/extra adds the few that need more than the standard library.
//
//	keys, err := signature.NewKeys(os.Getenv("GITHUB_WEBHOOK_SECRET"))
//	...
//	result, err := signature.GitHub.Verify(&signature.Request{Header: r.Header, Body: body}, keys, time.Now())
//
// The rules, which hold for every scheme:
//
//   - The body is hashed as received, byte for byte. Verify before parsing.
//     Providers that sign fields, and not bytes, are refused a body whose fields
//     can be read in two ways.
//   - The algorithm is the row's. What a request or a token says of it is only
//     ever compared.
//   - Verification fails closed: without a key, with a key that is empty or has
//     the wrong form, or with a header given twice, nothing verifies.
//   - Signatures are decoded and compared in constant time, as bytes of the
//     right length. Of several signatures and several [Keys] any pair may match,
//     so that keys can be changed without a gap.
//   - What is signed can be read in one way only. A value that could move the
//     border between two signed values, such as an id that holds the "." that
//     separates it from the timestamp, is refused.
//   - A refusal is an [*Error] whose [Reason] comes from a closed list. Reason
//     and detail are for the receiver's operator; the sender should learn
//     nothing but 401.
//   - Keys cannot be printed, logged or encoded.
//
// A signature proves who wrote a request, not that it is new. Schemes without a
// timestamp, GitHub's among them, leave replays to the receiver: keep
// [Result.DeliveryID] and refuse to act on it twice.
//
// Some providers need to be told apart from their events: [Scheme.Handshake]
// answers those requests, [Scheme.Accepted] and [Scheme.Refused] say how a
// provider wants all others answered. Values of the receiver's account, such as
// the id of a webhook, are settings: [Scheme.Settings] lists them, [Scheme.With]
// takes them, together with a [Fetcher] for keys that the provider publishes.
//
// A scheme does not promise that the body is signed: look at [Result.BodyBound].
//
// The package imports the standard library and nothing else.
package signature
