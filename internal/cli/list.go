package cli

import (
	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

// listOptions are the flags of a command that lists.
type listOptions struct {
	limit  int
	cursor string
}

const (
	defaultLimit = 50
	pageRows     = 500
)

// collect fetches pages until it has enough rows. The page it returns begins
// where the flags say, and its next is what the next call begins with.
func collect[T any](o listOptions, fetch func(api.Cursor) (api.Page[T], error)) (api.Page[T], error) {
	all := api.Page[T]{Items: []T{}}
	if o.limit < 1 {
		return all, usageError("", "--limit is %d, and must be 1 or more", o.limit)
	}
	if o.cursor != "" {
		id, err := tenterhook.ParseID(o.cursor)
		if err != nil {
			return all, usageError("a cursor is what the list before ended with", "--cursor: %w", err)
		}
		all.Next = id
	}
	for len(all.Items) < o.limit {
		page, err := fetch(api.Cursor{After: all.Next, Limit: min(o.limit-len(all.Items), pageRows)})
		if err != nil {
			return all, err
		}
		all.Items = append(all.Items, page.Items...)
		all.Next = page.Next
		if page.Next.IsZero() {
			break
		}
	}
	return all, nil
}

// more tells the user that a list goes on.
func more[T any](u *ui, page api.Page[T]) {
	if !page.Next.IsZero() {
		u.hint("there may be more: add --limit N, or --cursor %s to go on", page.Next)
	}
}
