package signature

import "time"

// code is what a scheme does that no row can say. It has a row all the same, for
// where type and id are, what its keys look like, and what it reads; a code
// scheme stands in the table like any other.
type code struct {
	// prepare makes a secret ready. Nil does as the row's MAC does.
	prepare func(secret string) (authenticator, *KeyError)
	// verify returns which key had signed a request whose values were read, and
	// when it was signed.
	verify func(in *reading, keys *preparedKeys) (key int, sent time.Time, err *Error)
	// sign signs the request.
	sign func(in *reading, keys *preparedKeys, opts SignOptions) error

	timed  bool // requests say when they were signed
	url    bool // the URL is signed
	bound  bool // the body is
	fields bool // fields of the JSON document are signed, and not its bytes
	public bool // the provider signs with a private key
}
