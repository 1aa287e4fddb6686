package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// readSettings reads --setting NAME=VALUE for a scheme. Of a setting that is
// secret, VALUE is a reference.
func (a *app) readSettings(ctx context.Context, scheme *signature.Scheme, assignments []string) (map[string]string, error) {
	settings := make(map[string]string)
	for _, assignment := range assignments {
		name, value, ok := strings.Cut(assignment, "=")
		if !ok || name == "" {
			return nil, usageError("write NAME=VALUE, such as --setting webhook_id=1JE4291016473214C", "--setting does not set anything")
		}
		setting, ok := settingOf(scheme, name)
		if !ok {
			return nil, usageError(settingsHint(scheme), "%s has no setting %q", scheme.Name(), name)
		}
		if setting.Secret {
			ref, err := secret.Parse(value)
			if bad, ok := errors.AsType[*secret.Error](err); ok {
				return nil, usageError(bad.Hint, "--setting %s: %w", name, err)
			}
			values, err := a.resolveAll(ctx, "", []secret.Ref{ref})
			if err != nil {
				return nil, err
			}
			value = values[0]
		}
		settings[name] = value
	}
	return settings, nil
}
