// Package mismatch says why a request does not verify, and proves it.
//
// What goes wrong between a sender's signature and a receiver's check is mostly
// one of a few things: the body was parsed and written again, a newline came
// with the secret, a proxy changed the URL. [Explain] undoes such changes one by
// one and verifies again. What verifies then is the cause, and no guess: no one
// without the secret can make a signature that fits.
//
// Every try goes through [signature.Scheme.Verify]; there is no cryptography
// here. A try that succeeds is repeated with a secret that is not the
// receiver's, and counts only if that fails: some schemes accept anything.
//
// Causes name no secret and no signature.
package mismatch
