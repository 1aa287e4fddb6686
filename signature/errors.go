package signature

import (
	"fmt"
	"net/http"
)

// A Reason says in one word why a request was refused. The list is closed, so
// that it can label a metric.
type Reason string

// The reasons.
const (
	ReasonNoScheme           Reason = "no_scheme"           // the Scheme is nil or was not made by this package
	ReasonNoKey              Reason = "no_key"              // no key is configured, or none has the scheme's form
	ReasonMissingSignature   Reason = "missing_signature"   // there is no signature where the scheme has it
	ReasonMalformedSignature Reason = "malformed_signature" // it cannot be read, or has the wrong length
	ReasonUnsupportedVersion Reason = "unsupported_version" // only signatures of other versions are there
	ReasonTooManySignatures  Reason = "too_many_signatures" // there are more than ten
	ReasonSignatureMismatch  Reason = "signature_mismatch"  // it was made with another key, or for other bytes
	ReasonDuplicateHeader    Reason = "duplicate_header"    // something that the scheme reads is there twice
	ReasonMissingValue       Reason = "missing_value"       // something else that is signed is absent, such as the id
	ReasonMalformedValue     Reason = "malformed_value"     // it is there, and must not look like this
	ReasonTimestampMissing   Reason = "timestamp_missing"   // the scheme signs the time, and there is none
	ReasonTimestampMalformed Reason = "timestamp_malformed" // it is not exactly what the scheme writes
	ReasonTimestampStale     Reason = "timestamp_stale"     // rightly signed, too long ago
	ReasonTimestampFuture    Reason = "timestamp_future"    // rightly signed, for a time too far ahead
	ReasonAlgorithm          Reason = "algorithm_refused"   // it is signed with an algorithm that the scheme does not use
	ReasonClaimMismatch      Reason = "claim_mismatch"      // the token is rightly signed, and for something else
	ReasonRequirement        Reason = "requirement_not_met" // another value is not what the scheme demands
	ReasonNoSetting          Reason = "no_setting"          // the receiver lacks a setting of [Scheme.Settings]
	ReasonKeyURL             Reason = "key_url_refused"     // the key is said to be where the scheme does not allow it
	ReasonKeyUnavailable     Reason = "key_unavailable"     // the key cannot be fetched now; the sender should try again
	ReasonAmbiguous          Reason = "ambiguous_body"      // signed fields are in a body that can be read in two ways
	ReasonHandshake          Reason = "handshake_refused"   // a handshake is not for this receiver, or asks for too much
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{
		ReasonNoScheme, ReasonNoKey, ReasonMissingSignature, ReasonMalformedSignature, ReasonUnsupportedVersion,
		ReasonTooManySignatures, ReasonSignatureMismatch, ReasonDuplicateHeader, ReasonMissingValue,
		ReasonMalformedValue, ReasonTimestampMissing, ReasonTimestampMalformed, ReasonTimestampStale,
		ReasonTimestampFuture, ReasonAlgorithm, ReasonClaimMismatch, ReasonRequirement, ReasonNoSetting, ReasonKeyURL,
		ReasonKeyUnavailable, ReasonAmbiguous, ReasonHandshake,
	}
}

// An Error says why a request was not verified. It may quote the request, but
// never a key.
type Error struct {
	Reason Reason // one of a closed list
	Detail string // for the operator; do not show it to the sender
}

// Error returns the reason and the detail.
func (e *Error) Error() string {
	return fmt.Sprintf("verify signature: %s: %s", e.Reason, e.Detail)
}

func refuse(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// A KeyError says that a secret does not have the form its scheme wants. It
// never holds the secret.
type KeyError struct {
	Key     int    // which one, from 0
	Problem string // what is wrong
	Hint    string // what to do about it
}

// Error returns the problem, and counts keys from 1 as people do.
func (e *KeyError) Error() string {
	return fmt.Sprintf("secret %d: %s", e.Key+1, e.Problem)
}

// clip bounds text from outside for use in a message.
func clip(text string) string {
	const most = 64
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

// headerName is how messages name a header: as people write it.
func headerName(name string) string { return "header " + http.CanonicalHeaderKey(name) }
