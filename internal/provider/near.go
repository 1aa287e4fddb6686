package provider

import (
	"cmp"
	"slices"
	"strings"
)

// Near returns up to five of names that text may have been meant for, the nearest
// first. Case, "-" and "_" make no difference. There may be none.
func Near(text string, names []string) []string {
	const most = 5
	type candidate struct {
		name  string
		edits int
	}
	var found []candidate
	plain := plainName(text)
	for _, name := range names {
		word := plainName(name)
		edits := Distance(plain, word)
		allowed := 1 + min(len(plain), len(word))/4 // slips: one in a short word, more in a long one
		const few = 3                               // letters, with which too many names begin
		if len(plain) >= few && strings.HasPrefix(word, plain) {
			edits = min(edits, allowed)
		}
		if edits <= allowed && edits < len(word) {
			found = append(found, candidate{name, edits})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.edits, b.edits) })
	nearest := make([]string, 0, most)
	for _, c := range found[:min(len(found), most)] {
		nearest = append(nearest, c.name)
	}
	return nearest
}

// plainName returns a name without what people vary.
func plainName(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
}

// Distance is how many characters must be inserted, removed or replaced to turn
// a into b (Levenshtein).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
