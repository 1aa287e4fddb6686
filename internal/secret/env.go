package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// envKind is env:NAME, an environment variable, taken as it is.
func envKind() kind {
	return kind{
		name:    "env",
		example: "env:NAME",
		check:   checkVariable,
		resolve: func(_ context.Context, r *Resolver, name string) (string, error) {
			lookupEnv := r.LookupEnv
			if lookupEnv == nil {
				lookupEnv = os.LookupEnv
			}
			value, ok := lookupEnv(name)
			if !ok {
				return "", &Error{
					Message: fmt.Sprintf("the environment variable %q is not set", name),
					Hint:    fmt.Sprintf("set it where the process is started, such as: export %s=...", name),
				}
			}
			return value, nil
		},
	}
}

// checkVariable accepts the names that a POSIX shell can set.
func checkVariable(name string) error {
	if name == "" {
		return errors.New("the name of the variable is missing")
	}
	for i, c := range []byte(name) {
		letter := c == '_' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		digit := '0' <= c && c <= '9'
		if !letter && (!digit || i == 0) {
			return errors.New("a variable's name has letters, digits and underscores, and no digit first")
		}
	}
	return nil
}
