// Package secret turns references to secrets into their values.
//
// A reference says where a secret is, and never holds it: env:NAME is an
// environment variable, file:PATH the content of a file. A configuration file
// can therefore be committed, printed and logged. [Parse] reads a reference, and
// refuses what is not one, so that a secret written out by mistake is noticed
// before it is kept. A [Resolver] finds the value.
//
// What this package promises: no error and no printed [Ref] holds a secret, or a
// text that may be one; an empty value is an error, because an empty secret is
// no secret; and nothing is cached, so that a rotated secret is found by the
// next look.
//
// insecure-literal:TEXT is the secret itself. It exists for tests and is for
// nothing else; [Ref.Insecure] tells it apart so that its use can be reported.
package secret

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// MaxSize bounds the bytes of a secret.
const MaxSize = 64 << 10

// Bare is the hint for a secret that was written out instead of referred to.
const Bare = "write env:NAME or file:PATH, not the secret itself"

// A Ref is a reference to a secret. The zero Ref refers to nothing. Refs are
// comparable.
type Ref struct {
	kind string // the name of one of kinds
	arg  string // what the kind makes of the text after the colon
}

// An Error says why a reference cannot be read or resolved. It never holds a
// secret.
type Error struct {
	Message string // what is wrong
	Hint    string // what to do about it; may be empty
	Err     error  // the cause; may be nil
}

// Error returns the message and the cause, without the hint.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A kind is one place where secrets are kept.
type kind struct {
	name    string // the text before the colon
	example string // a reference of this kind, for hints
	// check says what is wrong with the text after the colon, without repeating
	// it: it may be a secret that was written in the wrong place.
	check func(arg string) error
	// resolve finds the value. Its error is an *Error.
	resolve func(ctx context.Context, r *Resolver, arg string) (string, error)
}

// kinds lists every kind, the usual ones first. A new kind is one file and one
// line here.
func kinds() []kind {
	return []kind{envKind(), fileKind(), literalKind()}
}

func lookup(name string) (kind, bool) {
	for _, k := range kinds() {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// Parse reads a reference such as env:NAME. The error is an [*Error], and does
// not repeat text, which may be a secret.
func Parse(text string) (Ref, error) {
	name, arg, found := strings.Cut(text, ":")
	k, known := lookup(name)
	switch {
	case text == "":
		return Ref{}, &Error{Message: "the secret reference is empty", Hint: Bare}
	case found && known:
		if err := k.check(arg); err != nil {
			return Ref{}, &Error{
				Message: fmt.Sprintf("this is not a reference of the kind %q: %v", k.name+":", err),
				Hint:    "write it like " + k.example,
			}
		}
		return Ref{kind: k.name, arg: arg}, nil
	}
	if variable, ok := shellVariable(text); ok {
		return Ref{}, &Error{
			Message: "variables are not expanded here",
			Hint:    "write env:" + variable,
		}
	}
	return Ref{}, &Error{Message: "this is not a secret reference", Hint: bareHint()}
}

// shellVariable returns NAME for $NAME and ${NAME}.
func shellVariable(text string) (string, bool) {
	name, ok := strings.CutPrefix(text, "$")
	if !ok {
		return "", false
	}
	if inner, braced := strings.CutPrefix(name, "{"); braced {
		name = strings.TrimSuffix(inner, "}")
	}
	return name, checkVariable(name) == nil
}

// bareHint is Bare with the kinds that it does not name.
func bareHint() string {
	var others []string
	for _, k := range kinds() {
		if !strings.Contains(Bare, k.name+":") && k.name != literal {
			others = append(others, k.example)
		}
	}
	if len(others) == 0 {
		return Bare
	}
	return Bare + "; there are also " + strings.Join(others, ", ")
}

// IsZero reports whether r refers to nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// Insecure reports whether r holds the secret itself.
func (r Ref) Insecure() bool { return r.kind == literal }

// String returns the reference as it was written, with what would be a secret
// replaced by [redacted].
func (r Ref) String() string {
	switch {
	case r.IsZero():
		return ""
	case r.Insecure():
		return r.kind + ":[redacted]"
	}
	return r.kind + ":" + r.arg
}

// GoString returns what String does, so that %#v shows no secret.
func (r Ref) GoString() string { return fmt.Sprintf("secret.Ref(%q)", r.String()) }

// MarshalText returns what String does.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// LogValue returns what String does.
func (r Ref) LogValue() slog.Value { return slog.StringValue(r.String()) }

// A Resolver finds the values of references. The zero value reads the
// environment and the disk of this process. It may be used by several
// goroutines.
type Resolver struct {
	// LookupEnv returns an environment variable and whether it is set. Nil is
	// [os.LookupEnv].
	LookupEnv func(name string) (string, bool)
	// ReadFile returns the content of a file. Nil reads the disk, where a file of
	// this user that other users may read is refused.
	ReadFile func(path string) ([]byte, error)
	// Dir is what a relative file: path is relative to. Empty is the working
	// directory.
	Dir string
}

// Resolve returns the secret that ref refers to, never an empty one nor one of
// nothing but white space. The error is an [*Error], or wraps the cause of ctx if
// it is done.
func (r *Resolver) Resolve(ctx context.Context, ref Ref) (string, error) {
	if ctx.Err() != nil {
		return "", fmt.Errorf("resolve %s: %w", ref, context.Cause(ctx))
	}
	k, ok := lookup(ref.kind)
	if !ok {
		return "", &Error{Message: "the secret reference is empty", Hint: Bare}
	}
	value, err := k.resolve(ctx, r, ref.arg)
	if err != nil {
		return "", err
	}
	switch {
	case strings.TrimSpace(value) == "":
		return "", &Error{
			Message: fmt.Sprintf("the secret %q is empty", ref),
			Hint:    "an empty secret would let anyone sign; put the real one there",
		}
	case len(value) > MaxSize:
		return "", &Error{Message: fmt.Sprintf("the secret %q is larger than %d bytes", ref, MaxSize)}
	}
	return value, nil
}

// File returns the path that a file: reference means, and false for any other
// reference.
func (r *Resolver) File(ref Ref) (path string, ok bool) {
	if ref.kind != fileKindName {
		return "", false
	}
	return r.full(ref.arg), true
}
