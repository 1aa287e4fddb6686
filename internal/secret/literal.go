package secret

import (
	"context"
	"errors"
)

const literal = "insecure-literal"

// literalKind is insecure-literal:TEXT, the secret itself, for tests.
func literalKind() kind {
	return kind{
		name:    literal,
		example: literal + ":TEXT",
		check: func(arg string) error {
			if arg == "" {
				return errors.New("the text is missing")
			}
			return nil
		},
		resolve: func(_ context.Context, _ *Resolver, text string) (string, error) { return text, nil },
	}
}
