package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"regexp/syntax"
	"time"

	"github.com/itchyny/gojq"
)

// The guards are functions that the limiter puts into programs. A guard passes
// on what it is given, or is an error if the step after it could take longer
// than the deadline. The limits are chosen so that little is refused that could
// have been done in time.
const (
	guardSome    = "_some"    // before steps whose work grows with the size of the input
	guardFew     = "_few"     // before steps whose work or memory grows faster
	guardGrid    = "_grid"    // before transpose
	guardNumeral = "_numeral" // before tonumber
	guardAt      = "_at"      // on the index of an array
	guardPath    = "_path"    // on a path that is going to be set
	guardStream  = "_stream"  // on the events of fromstream
	guardAgainst = "_against" // on the argument of what compares each with each
	guardSubject = "_subject" // before regular expressions
	fromJSON     = "_fromjson"

	guardAdd      = "_guard_add" // on both operands; gives them as a pair
	guardSubtract = "_guard_subtract"
	guardMultiply = "_guard_multiply"
	guardDivide   = "_guard_divide"
	guardCompare  = "_guard_compare"
)

const (
	valueWeight  = 16       // of a value, in bytes of a string that are as much work
	someWeight   = 4 << 20  // what a linear step may be given
	fewWeight    = 1 << 20  // what a step of n log n or of much memory may be given
	maxPairs     = 1 << 22  // comparisons of each with each
	maxNesting   = 1000     // the interpreter recurses on the stack, which has an end
	maxIndex     = 1 << 20  // elements of an array that comes to be by setting one
	maxSubject   = 64 << 10 // bytes that a regular expression is matched on
	maxStates    = 2 << 10  // of a regular expression's machine
	maxMatchWork = 1 << 23  // bytes of the subject times states, or times matches
)

// within reports as an error that v is heavier than limit.
func within(v any, limit int) error {
	_, err := weigh(v, limit)
	return err
}

// weigh returns the weight of v: each value counts valueWeight, and each string
// its bytes as well. A part that is held twice counts twice. It is an error if v
// is heavier than limit, which is found out without weighing the rest, or if it
// is nested so deep that the interpreter could run out of stack.
func weigh(v any, limit int) (weight int, err error) {
	s := scale{left: limit}
	s.put(v, 0)
	switch {
	case s.deep:
		return 0, fmt.Errorf("value is nested more than %d deep", maxNesting)
	case s.left < 0:
		return 0, fmt.Errorf("value is too large for this step: more than %d KiB", limit>>10)
	}
	return limit - s.left, nil
}

type scale struct {
	left int // what may still be put on it
	deep bool
}

func (s *scale) put(v any, depth int) {
	s.left -= valueWeight
	s.deep = s.deep || depth > maxNesting
	switch v := v.(type) {
	case string:
		s.left -= len(v)
	case json.Number:
		s.left -= len(v)
	case *big.Int:
		s.left -= 4 * v.BitLen() // multiplying and writing it grow faster than its length
	case []any:
		for i := 0; i < len(v) && s.left >= 0 && !s.deep; i++ {
			s.put(v[i], depth+1)
		}
	case map[string]any:
		for key, member := range v {
			if s.left -= len(key); s.left < 0 || s.deep {
				return
			}
			s.put(member, depth+1)
		}
	}
}

// pairs bounds steps that compare each part of l with each part of r.
func pairs(l, r any) error {
	n, err := parts(l)
	if err != nil {
		return err
	}
	m, err := parts(r)
	if err != nil {
		return err
	}
	if n*m > maxPairs {
		return fmt.Errorf("too much to compare: %d with %d parts", n, m)
	}
	return nil
}

// parts returns the length of a string, or else how many values v consists of.
func parts(v any) (int, error) {
	switch v := v.(type) {
	case string:
		return max(len(v), 1), nil
	case []any, map[string]any:
		weight, err := weigh(v, someWeight)
		return weight / valueWeight, err
	}
	return 1, nil
}

// functions returns the guards for a program that l has prepared.
func (l *limiter) functions() []gojq.CompilerOption {
	regexps := l.regexps
	unary := func(name string, check func(v any) error) gojq.CompilerOption {
		return gojq.WithFunction(name, 0, 1, func(v any, args []any) any {
			if len(args) == 1 {
				v = args[0] // the guard stands on an argument
			}
			return passed(v, check(v))
		})
	}
	operands := func(name string, check func(l, r any) error) gojq.CompilerOption {
		return gojq.WithFunction(name, 2, 2, func(_ any, args []any) any {
			// A new array: args is the interpreter's and used again.
			return passed([]any{args[0], args[1]}, check(args[0], args[1]))
		})
	}
	return []gojq.CompilerOption{
		unary(guardSome, func(v any) error { return within(v, someWeight) }),
		unary(guardFew, func(v any) error { return within(v, fewWeight) }),
		unary(guardGrid, checkGrid),
		unary(guardNumeral, checkNumeral),
		unary(guardAt, checkIndex),
		unary(guardPath, checkPath),
		unary(guardStream, checkStream),
		gojq.WithFunction(guardAgainst, 1, 1, func(v any, args []any) any {
			return passed(args[0], pairs(v, args[0]))
		}),
		gojq.WithFunction(guardSubject, 2, 2, func(v any, args []any) any {
			i, _ := gojq.ToInt(args[0]) // the limiter wrote it
			return passed(v, checkSubject(v, regexps[i], args[1] == true))
		}),
		gojq.WithFunction(fromJSON, 0, 0, func(v any, _ []any) any { return decodeText(v) }),
		operands(guardAdd, checkAdd),
		operands(guardSubtract, pairs),
		operands(guardMultiply, checkMultiply),
		operands(guardDivide, checkDivide),
		operands(guardCompare, checkCompare),
	}
}

// passed is what a guard gives: the value that it was given, or the error.
func passed(v any, err error) any {
	if err != nil {
		return err
	}
	return v
}

func checkGrid(v any) error {
	rows, _ := v.([]any) // transpose itself refuses what is not an array
	widest := 0
	for _, row := range rows {
		if row, ok := row.([]any); ok {
			widest = max(widest, len(row))
		}
	}
	if len(rows)*widest > maxIndex {
		return fmt.Errorf("%d times %d elements are too many to transpose", len(rows), widest)
	}
	return nil
}

func checkNumeral(v any) error {
	if s, ok := v.(string); ok && len(s) > MaxNumber {
		return fmt.Errorf("number of %d bytes, more than %d", len(s), MaxNumber)
	}
	return nil
}

func checkIndex(v any) error {
	if i, ok := gojq.ToInt(v); ok && i > maxIndex {
		return fmt.Errorf("array index %d is more than %d", i, maxIndex)
	}
	return nil
}

func checkPath(v any) error {
	path, _ := v.([]any) // setpath itself refuses what is not an array
	if len(path) > maxNesting {
		return fmt.Errorf("path of %d steps, more than %d", len(path), maxNesting)
	}
	for _, step := range path {
		if err := checkIndex(step); err != nil {
			return err
		}
	}
	return nil
}

func checkStream(v any) error {
	if event, ok := v.([]any); ok && len(event) > 0 {
		return checkPath(event[0])
	}
	return nil
}

// checkAdd bounds sums, which a program can double and double again.
func checkAdd(l, r any) error {
	if size(l)+size(r) > someWeight {
		return fmt.Errorf("sum is too large: more than %d KiB", someWeight>>10)
	}
	return nil
}

// size returns the weight of what + copies of v.
func size(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []any:
		return valueWeight * len(v)
	case map[string]any:
		return valueWeight * len(v)
	}
	return valueWeight
}

func checkMultiply(l, r any) error {
	for _, pair := range [2][2]any{{l, r}, {r, l}} {
		s, isText := pair[0].(string)
		n, isNumber := gojq.ToFloat64(pair[1])
		if isText && isNumber && float64(len(s))*n > someWeight {
			return fmt.Errorf("a string of %d bytes times %v is too large", len(s), n)
		}
	}
	return checkCompare(l, r)
}

// checkDivide bounds the splitting of strings, which is what / does to them.
func checkDivide(l, _ any) error {
	if _, ok := l.(string); ok {
		return within(l, fewWeight)
	}
	return nil
}

func checkCompare(l, r any) error {
	if err := within(l, someWeight); err != nil {
		return err
	}
	return within(r, someWeight)
}

// An expression is a regular expression that is written in a program.
type expression struct {
	*regexp.Regexp

	states int // of its machine: matching takes up to as many steps per byte
}

func newExpression(pattern string) (expression, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return expression{}, fmt.Errorf("invalid regular expression: %w", err)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return expression{}, fmt.Errorf("invalid regular expression: %w", err)
	}
	machine, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return expression{}, fmt.Errorf("invalid regular expression: %w", err)
	}
	if n := len(machine.Inst); n > maxStates {
		return expression{}, fmt.Errorf("regular expression is too complex: %d states, more than %d", n, maxStates)
	}
	return expression{re, len(machine.Inst)}, nil
}

// checkSubject bounds the matching of e on v, once or as often as it matches.
func checkSubject(v any, e expression, all bool) error {
	s, ok := v.(string)
	if !ok {
		return nil // the builtin says what is wrong
	}
	if most := min(maxSubject, maxMatchWork/e.states); len(s) > most {
		return fmt.Errorf("string of %d bytes is too long for this regular expression, which takes %d", len(s), most)
	}
	if !all {
		return nil
	}
	// The interpreter counts characters from the start for each match. Look for
	// more and more of them, so that an expression that is slow here ends here.
	most := max(maxMatchWork/max(len(s), 1), 1)
	start := time.Now()
	for n := 16; ; n *= 2 {
		found := len(e.FindAllStringIndex(s, min(n, most+1)))
		switch {
		case found > most:
			return fmt.Errorf("more than %d matches in a string of %d bytes", most, len(s))
		case found < n:
			return nil
		case time.Since(start) > Timeout:
			return errors.New("the regular expression takes too long on this string")
		}
	}
}

// decodeText is fromjson, under the rules of [Decode].
func decodeText(v any) any {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("fromjson cannot be applied to: %s (%s)", gojq.TypeOf(v), gojq.Preview(v))
	}
	decoded, err := Decode([]byte(s))
	if err != nil {
		return fmt.Errorf("fromjson: %w", err)
	}
	return decoded
}
