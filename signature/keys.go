package signature

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
)

// MaxKeys is how many keys a set may hold. A signature made with each fits in
// what [Scheme.Verify] accepts.
const MaxKeys = 10

const redacted = "[redacted]"

// Keys is a set of secrets, any of which may have signed. The first is the
// current one; the others are those it replaces, or that will replace it. The
// zero Keys holds none, and verifies nothing.
//
// Copies are cheap and share what was computed from the secrets, so keep a Keys
// instead of making it for each request. It is safe for concurrent use. However
// it is printed, logged or encoded, it shows nothing of the secrets.
type Keys struct {
	// set is behind a function because package fmt follows a pointer in a field
	// that it cannot call methods on, when the verb does not suit pointers.
	set func() *keySet
}

type keySet struct {
	secrets []string
	// prepared is for the scheme last used: a set of keys belongs to one source
	// or destination, and these have one scheme.
	prepared atomic.Pointer[preparedKeys]
}

// preparedKeys are the keys of a set, made ready for one scheme.
type preparedKeys struct {
	scheme *Scheme
	keys   []authenticator // nil where the secret does not have the scheme's form
	usable int
	err    error // why one is not usable
}

// NewKeys returns a set of the given secrets, the current one first. It refuses
// no secrets, more than [MaxKeys], and a secret that is empty or white space.
// Whether they have the form that a scheme wants is what [Scheme.CheckKeys] says.
func NewKeys(secrets ...string) (Keys, error) {
	if len(secrets) == 0 {
		return Keys{}, errors.New("no secret is given")
	}
	if len(secrets) > MaxKeys {
		return Keys{}, fmt.Errorf("%d secrets are given, and at most %d can be used", len(secrets), MaxKeys)
	}
	for i, secret := range secrets {
		if strings.TrimSpace(secret) == "" {
			return Keys{}, &KeyError{Key: i, Problem: "it is empty", Hint: "set it to the secret that the sender signs with"}
		}
	}
	set := &keySet{secrets: slices.Clone(secrets)}
	return Keys{set: func() *keySet { return set }}, nil
}

// Len returns how many keys there are.
func (k Keys) Len() int {
	if k.set == nil {
		return 0
	}
	return len(k.set().secrets)
}

// String returns "[redacted]".
func (Keys) String() string { return redacted }

// GoString returns "[redacted]".
func (Keys) GoString() string { return redacted }

// Format writes "[redacted]", whatever the verb.
func (Keys) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, redacted) // fmt takes every write
}

// MarshalJSON returns "[redacted]" as a JSON string.
func (Keys) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns "[redacted]".
func (Keys) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// prepare returns the keys made ready for s. There may be none that is usable.
func (k Keys) prepare(s *Scheme) *preparedKeys {
	if k.set == nil {
		return &preparedKeys{scheme: s, err: errors.New("no secret is given")}
	}
	set := k.set()
	if p := set.prepared.Load(); p != nil && p.scheme == s {
		return p
	}
	p := &preparedKeys{scheme: s, keys: make([]authenticator, len(set.secrets))}
	for i, secret := range set.secrets {
		key, problem := s.prepareKey(secret)
		if problem != nil {
			problem.Key = i
			p.err = errors.Join(p.err, problem)
			continue
		}
		p.keys[i] = key
		p.usable++
	}
	set.prepared.Store(p)
	return p
}

// prepareKey makes one secret ready for s.
func (s *Scheme) prepareKey(secret string) (authenticator, *KeyError) {
	if s.code != nil && s.code.prepare != nil {
		return s.code.prepare(secret)
	}
	key, problem := s.mac.prepare(secret, s.key)
	if !s.either || problem != nil {
		return key, problem
	}
	if other, notHex := s.mac.prepare(secret, decodeHexKey); notHex == nil {
		return eitherKey{key, other}, nil
	}
	return key, nil
}
