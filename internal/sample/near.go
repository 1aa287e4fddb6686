package sample

import (
	"cmp"
	"slices"
	"strings"
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
		edits := distance(text, name.String())
		if name.Event == unknown.Event { // the event is right: any of its actions may be meant
			edits = min(edits, limit)
		}
		if unknown.Action == "" { // half a name: the event is what was spelled
			edits = min(edits, distance(text, name.Event))
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

// distance is how many characters must be inserted, removed or replaced to turn
// a into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
