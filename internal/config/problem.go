package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one mistake in a configuration file, or one thing to look at
// again. It holds no secret, also where the file holds one.
type Problem struct {
	File    string `json:"file"`              // as it was named to [Load]
	Line    int    `json:"line,omitempty"`    // from 1; 0 if the whole file is meant
	Col     int    `json:"col,omitempty"`     // from 1, in characters
	Path    string `json:"path,omitempty"`    // which value, such as routes[0].when; empty at the top
	Message string `json:"message"`           // what is wrong
	Hint    string `json:"hint,omitempty"`    // what to write instead; may be empty
	Excerpt string `json:"excerpt,omitempty"` // the line, with a caret below on a second line; secrets replaced

	err error // the cause, for errors.Is; may be nil
}

// Place returns FILE:LINE:COL, as compilers write it.
func (p Problem) Place() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Error returns the place and the message on one line.
func (p Problem) Error() string { return p.Place() + ": " + p.Message }

// Unwrap returns the cause, or nil.
func (p Problem) Unwrap() error { return p.err }

// Report returns what Error does, and below it the excerpt and the hint.
func (p Problem) Report() string {
	report := p.Error()
	if p.Excerpt != "" {
		report += "\n" + p.Excerpt
	}
	if p.Hint != "" {
		report += "\n  hint: " + p.Hint
	}
	return report
}

// Problems are all mistakes of one configuration file, by place. As an error it
// is what [Load] returns.
type Problems []Problem

// Error returns the Error of each problem, one per line.
func (ps Problems) Error() string { return ps.join("\n", Problem.Error) }

// Report returns the Report of each problem, an empty line between them.
func (ps Problems) Report() string { return ps.join("\n\n", Problem.Report) }

func (ps Problems) join(separator string, text func(Problem) string) string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = text(p)
	}
	return strings.Join(texts, separator)
}

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// sorted returns ps by place, without repetitions.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool {
		return a.Line == b.Line && a.Col == b.Col && a.Message == b.Message
	})
}

// nearest returns the candidate that text is most probably a misspelling of.
func nearest(text string, candidates []string) (string, bool) {
	best, bestDistance := "", 0
	for _, candidate := range candidates {
		if distance := misspelling(text, candidate); distance >= 0 && (best == "" || distance < bestDistance) {
			best, bestDistance = candidate, distance
		}
	}
	return best, best != ""
}

// misspelling returns how far text is from the word it may be meant for, or -1
// if it is too far. Case, - and _ do not count.
func misspelling(text, word string) int {
	const longest = 64
	if len(text) > longest {
		return -1
	}
	a, b := plainWord(text), plainWord(word)
	allowed := 1 + min(len(a), len(b))/4
	if distance := editDistance(a, b); distance <= allowed && distance < max(len(a), len(b)) {
		return distance
	}
	return -1
}

// plainWord returns a word without what people vary.
func plainWord(word string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(word), "-", ""), "_", "")
}

// editDistance counts the letters to insert, remove, replace or swap with their
// neighbour (optimal string alignment) to make b from a.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// didYouMean returns a hint for a misspelling of one of candidates, or otherwise,
// in which %s stands for the list of them.
func didYouMean(text string, candidates []string, otherwise string) string {
	if word, ok := nearest(text, candidates); ok {
		return fmt.Sprintf("did you mean %q?", word)
	}
	const most = 12
	list := slices.Clone(candidates)
	if len(list) > most {
		list = append(list[:most], "...")
	}
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf(otherwise, strings.Join(list, ", "))
}
