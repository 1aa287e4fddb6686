package signature_test

import (
	"errors"
	"testing"

	"github.com/tenterhook/tenterhook/signature"
)

// Two keys that every scheme of this package can use.
const (
	whsecA = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	whsecB = "whsec_TYek9qH/QBFU5+VQNa+MIq4UnjRRgYJ+"
)

func newKeys(tb testing.TB, secrets ...string) signature.Keys {
	tb.Helper()
	keys, err := signature.NewKeys(secrets...)
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func newScheme(tb testing.TB, spec signature.Spec) *signature.Scheme {
	tb.Helper()
	s, err := signature.New(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// reasonOf returns the reason of an error of Verify, and "" for nil.
func reasonOf(tb testing.TB, err error) signature.Reason {
	tb.Helper()
	if err == nil {
		return ""
	}
	refusal, ok := errors.AsType[*signature.Error](err)
	if !ok {
		tb.Fatalf("error %v is not a *signature.Error", err)
	}
	return refusal.Reason
}
