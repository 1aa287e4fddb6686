// Package hooktest helps to test programs that receive webhooks, and programs
// that send them.
//
// # Testing a receiver
//
// [Request] makes a request that is signed as a provider signs it. It can be
// given to a handler, or sent to a server:
//
//	req := hooktest.Request(t, signature.GitHub, keys, body, hooktest.WithHeader("X-GitHub-Event", "push"))
//	answer := httptest.NewRecorder()
//	handler.ServeHTTP(answer, req)
//
// That a good request is accepted is the smaller part of what a receiver has to
// do. [WithTampering] spoils the request in one of the ways of [Tamperings], and
// each of these a receiver must refuse:
//
//	for _, tampering := range hooktest.Tamperings() {
//		req, err := hooktest.NewRequest(ctx, signature.GitHub, keys, body, hooktest.WithTampering(tampering))
//		if errors.Is(err, hooktest.ErrUntamperable) {
//			continue // GitHub signs no time
//		}
//		...
//	}
//
// [Keys] makes up secrets of the form that a scheme wants, key pairs included.
//
// # Testing a sender
//
// A [Receiver] is a server on a port of its own that keeps every request as it
// came: method, URL, header, body, byte for byte. [Receiver.Wait] waits until so
// many have come, without polling. Told so by [Receiver.Next] and
// [Receiver.Always], it misbehaves as receivers do out there: it is slow, it
// fails and recovers, it asks to be left alone, it redirects, it hangs, cuts the
// connection, or answers one byte at a time and without end:
//
//	receiver := hooktest.NewReceiver(t)
//	receiver.Next(hooktest.Status(503), hooktest.RetryAfter(time.Second), hooktest.Reset())
//	send(receiver.URL() + "/hooks")
//	got := receiver.Wait(4)
//
// Given a scheme and keys by [Receiver.Verify], it answers what is not signed
// with 401, and says in [Received.Refused] why.
//
// Receivers are independent of one another, so tests with them can be parallel.
// When the test ends, connections are closed and no goroutine is left.
//
// The package imports the standard library, and neither package testing nor
// httptest, so that it can also be used in programs.
package hooktest
