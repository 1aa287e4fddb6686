package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

// each does something for every id. One that fails does not keep it from the
// rest, unless nothing can be reached any more. A single id's error is returned
// as it is; of several, each is told and their number is returned.
func each(ctx context.Context, u *ui, ids []tenterhook.ID, do func(tenterhook.ID) error) error {
	failed := 0
	for _, id := range ids {
		err := do(id)
		switch {
		case err == nil:
			continue
		case len(ids) == 1, errors.Is(err, api.ErrUnreachable), ctx.Err() != nil:
			return err
		}
		failed++
		u.fail(fmt.Errorf("%s: %w", id, err))
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d did not succeed", failed, len(ids))
	}
	return nil
}
