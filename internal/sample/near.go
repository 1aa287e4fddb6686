package sample

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tenterhook/tenterhook/internal/provider"
)

// near returns up to five of the names that unknown may have been meant to be,
// the nearest first.
func near(unknown Name, names []Name) []Name {
	const most = 5
	text := strings.ToLower(unknown.String())
	limit := 2 + len(text)/6 // edits: two slips in a short word, more in a long one
	type candidate struct {
		name  Name
		edits int
	}
	var found []candidate
	for _, name := range names {
		edits := provider.Distance(text, name.String())
		if name.Event == unknown.Event { // the event is right: any of its actions may be meant
			edits = min(edits, limit)
		}
		if unknown.Action == "" { // half a name: the event is what was spelled
			edits = min(edits, provider.Distance(text, name.Event))
		}
		if edits <= limit {
			found = append(found, candidate{name, edits})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.edits, b.edits) })
	nearest := make([]Name, 0, most)
	for _, c := range found[:min(len(found), most)] {
		nearest = append(nearest, c.name)
	}
	return nearest
}
