package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
	"pgregory.net/rapid"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		want any
	}{
		{`null`, nil},
		{` true `, true},
		{`"a\"\u00e9\ud83d\ude00\/"`, "a\"é😀/"},
		{`{}`, map[string]any{}},
		{"[ ]\n", []any{}},
		{`{"a" : [1, {"b":"c"} , null] , "d\n":false}`,
			map[string]any{"a": []any{1, map[string]any{"b": "c"}, nil}, "d\n": false}},
		{`[0, -1, 999999999999999999, -99999999999999999]`, []any{0, -1, 999999999999999999, -99999999999999999}},
		{`[-0, 1.10, 1e2, 12345678901234567890, 1E+400]`, []any{json.Number("-0"), json.Number("1.10"),
			json.Number("1e2"), json.Number("12345678901234567890"), json.Number("1E+400")}},
		{strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), nestedArrays(MaxDepth)},
	}
	for _, test := range tests {
		got, err := Decode([]byte(test.body))
		if err != nil {
			t.Errorf("%s: %v", test.body, err)
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %#v, want %#v", test.body, got, test.want)
		}
	}
}

func nestedArrays(n int) any {
	v := []any{}
	for range n - 1 {
		v = []any{v}
	}
	return v
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       error
		message    string
	}{
		{"empty", ``, ErrNotJSON, "empty"},
		{"blank", " \n", ErrNotJSON, "empty"},
		{"form", `payload=%7B%7D`, ErrNotJSON, "at byte 0"},
		{"truncated", `{"a": [1, 2`, ErrNotJSON, "unexpected EOF"},
		{"two values", `{} {}`, ErrNotJSON, "after the value at byte"},
		{"byte order mark", "\ufeff{}", ErrNotJSON, ""},
		{"leading zero", `01`, ErrNotJSON, ""},
		{"comment", `{} // no`, ErrNotJSON, ""},
		{"single quotes", `{'a': 1}`, ErrNotJSON, ""},
		{"duplicate and broken", `{"a":1,"a":2`, ErrNotJSON, ""},
		{"duplicate key", `{"b":{"a":1,"a":2}}`, ErrAmbiguous, `duplicate key "/b/a"`},
		{"duplicate key, escaped", `{"a":1,"\u0061":2}`, ErrAmbiguous, `duplicate key "/a"`},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", ErrAmbiguous, "invalid UTF-8"},
		{"invalid UTF-8 in a key", "{\"\xff\":1}", ErrAmbiguous, "invalid UTF-8"},
		{"lone surrogate", `["\ud800"]`, ErrAmbiguous, "surrogate"},
		{"deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), ErrTooDeep, "more than 64"},
		{"very deep", strings.Repeat(`{"a":`, 1<<20) + "1" + strings.Repeat("}", 1<<20), ErrTooDeep, "1048576 levels"},
		{"endless", strings.Repeat("[", 20<<20), ErrTooDeep, ""},
		{"long number", strings.Repeat("1", 1001), ErrTooLarge, "number of 1001 bytes"},
		{"many values", "[" + strings.Repeat("[],", MaxValues) + "0]", ErrTooLarge, "values"},
		{"many bytes", strings.Repeat(" ", MaxInput+1), ErrTooLarge, "bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, err := Decode([]byte(test.body))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.message) {
				t.Errorf("error %v, want %v with %q", err, test.want, test.message)
			}
			if v != nil {
				t.Errorf("value %v beside an error", v)
			}
			if err != nil && len(err.Error()) > 400 {
				t.Errorf("error has %d bytes", len(err.Error()))
			}
		})
	}
}

// What Decode reads is what encoding/json reads: nothing is lost or changed.
func TestDecodeRoundTrip(t *testing.T) {
	t.Parallel()
	scalar := rapid.OneOf(rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.Int().AsAny(),
		rapid.Float64Range(-1e300, 1e300).AsAny())
	value := scalar
	for range 3 {
		inner := value
		value = rapid.OneOf(scalar, rapid.SliceOfN(inner, 0, 5).AsAny(),
			rapid.MapOfN(rapid.String(), inner, 0, 12).AsAny())
	}
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(value.Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		v, err := Decode(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if same, err := sameAsStandard(text, v); err != nil || !same {
			t.Fatalf("%s: decoded as %v (%v)", text, v, err)
		}
	})
}

// sameAsStandard reports whether encoding/json reads text as v.
func sameAsStandard(text []byte, v any) (bool, error) {
	var want any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		return false, fmt.Errorf("decode: %w", err)
	}
	return gojq.Compare(want, v) == 0 && gojq.TypeOf(want) == gojq.TypeOf(v), nil
}

func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		payload, ``, `{"a":1,"a":2}`, `{"a":"\ud800"}`, "\"\xff\"", `[[[[1e5]]]]`, `-0`, `[1,]`,
		`{"a"}`, "\ufeff1", `"\u0000"`, `1 2`, `[1.0,1E-2]`,
		strings.Repeat("[", 70) + strings.Repeat("]", 70), `{"\u0061":1,"a":2}`, `"\\"`, `"\"`, `{"":{"":[]}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := Decode(body)
		valid := json.Valid(body)
		switch {
		case err == nil:
			if same, err := sameAsStandard(body, v); !valid || err != nil || !same {
				t.Fatalf("%q: decoded as %v, valid %v, %v", body, v, valid, err)
			}
		case errors.Is(err, ErrNotJSON):
			if valid {
				t.Fatalf("%q: %v, but it is JSON", body, err)
			}
		case errors.Is(err, ErrAmbiguous), errors.Is(err, ErrTooLarge):
			if !valid {
				t.Fatalf("%q: %v, but it is not JSON", body, err)
			}
		case !errors.Is(err, ErrTooDeep):
			t.Fatalf("%q: error of no kind: %v", body, err)
		}
	})
}
