package signature

import (
	"encoding/json"
	"strings"
	"time"
)

// skew is how far the clock of whoever makes a JWT may be ahead of the
// receiver's, for its claims nbf and iat.
const skew = time.Minute

// checkClaims checks what a JWT says, RFC 7519, and returns when it was issued.
func (in *reading) checkClaims(now time.Time) (time.Time, *Error) {
	claims, ok := in.token.claims()
	if !ok {
		return time.Time{}, refuse(ReasonMalformedSignature, "the claims of the token cannot be read")
	}
	issued, err := in.checkTimes(claims, now)
	if err != nil {
		return time.Time{}, err
	}
	for i := range in.scheme.claims {
		if err := in.checkClaim(&in.scheme.claims[i], claims); err != nil {
			return time.Time{}, err
		}
	}
	return issued, nil
}

// checkTimes checks the claims exp, nbf and iat as far as they are there.
func (in *reading) checkTimes(claims []byte, now time.Time) (time.Time, *Error) {
	expires, err := numericDate(claims, "exp")
	if err != nil {
		return time.Time{}, err
	}
	begins, err := numericDate(claims, "nbf")
	if err != nil {
		return time.Time{}, err
	}
	issued, err := numericDate(claims, "iat")
	if err != nil {
		return time.Time{}, err
	}
	switch {
	case expires.IsZero() && in.scheme.lifetime > 0:
		return issued, refuse(ReasonTimestampMissing, "the token does not say when it expires")
	case !expires.IsZero() && !now.Before(expires):
		return issued, refuse(ReasonTimestampStale, "the token expired at %s", expires.Format(time.RFC3339))
	case begins.Sub(now) > skew:
		return issued, refuse(ReasonTimestampFuture, "the token is good from %s on", begins.Format(time.RFC3339))
	case issued.Sub(now) > skew:
		return issued, refuse(ReasonTimestampFuture, "the token was issued at %s", issued.Format(time.RFC3339))
	}
	return issued, nil
}

// numericDate returns the time in a claim, or zero if it is absent.
func numericDate(claims []byte, name string) (time.Time, *Error) {
	text, ok := lookupJSON(claims, []string{name})
	if !ok {
		return time.Time{}, nil
	}
	text, _, _ = strings.Cut(text, ".") // RFC 7519 allows fractions
	seconds, ok := parseDigits(text)
	if !ok {
		return time.Time{}, refuse(ReasonTimestampMalformed, "the claim %s is %q, and no time in seconds", name, clip(text))
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func (in *reading) checkClaim(r *rule, claims []byte) *Error {
	want, err := r.is.render(in)
	if err != nil {
		return err
	}
	has := claimValues(claims, r.claim)
	if len(has) == 0 && r.optional && len(in.Body) == 0 {
		return nil
	}
	for _, value := range has {
		if r.unpadded {
			value = strings.TrimRight(value, "=")
		}
		if value == want {
			return nil
		}
	}
	return refuse(ReasonClaimMismatch, "the claim %s of the token is %q, and must be %q", r.claim, clip(strings.Join(has, " ")), clip(want))
}

// claimValues returns the values of a claim: one, or those of an array.
func claimValues(claims []byte, name string) []string {
	if value, ok := lookupJSON(claims, []string{name}); ok {
		return []string{value}
	}
	var all map[string]json.RawMessage
	var values []string
	if json.Unmarshal(claims, &all) != nil || json.Unmarshal(all[name], &values) != nil {
		return nil
	}
	return values
}
