package signature_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range signature.Schemes() {
		names = append(names, s.Name())
		if found, ok := signature.Lookup(s.Name()); !ok || found != s {
			t.Errorf("scheme %q is not found by its name", s.Name())
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names are not in order, or not distinct: %q", names)
	}
	if _, ok := signature.Lookup("none"); ok {
		t.Error("an unknown name is found")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	read := func(from, pattern string) []signature.Read { return []signature.Read{{From: from, Pattern: pattern}} }
	sig := read("x", "{sig}")
	list := func(r signature.Read) signature.Spec { return signature.Spec{Name: "x", Read: []signature.Read{r}} }
	for _, test := range []struct {
		want string
		spec signature.Spec
	}{
		{"its name", signature.Spec{Read: sig}},
		{"its name", signature.Spec{Name: "GitHub", Read: sig}},
		{"its name", signature.Spec{Name: strings.Repeat("x", 65), Read: sig}},
		{"reads no {sig}", signature.Spec{Name: "x"}},
		{"reads no {sig}", signature.Spec{Name: "x", Read: read("x", "{time}")}},
		{"does not name a header", signature.Spec{Name: "x", Read: read("x y", "{sig}")}},
		{"does not name a header", signature.Spec{Name: "x", Read: read("", "{sig}")}},
		{"does not name a header", signature.Spec{Name: "x", Read: read("-#", "{sig}")}},
		{"none of header:", signature.Spec{Name: "x", Read: read("cookie:a", "{sig}")}},
		{"empty step", signature.Spec{Name: "x", Read: read("json:a..b", "{sig}")}},
		{"names nothing", signature.Spec{Name: "x", Read: read("form:", "{sig}")}},
		{"names nothing", signature.Spec{Name: "x", Read: read("query:?", "{sig}")}},
		{"has 0 variables", signature.Spec{Name: "x", Read: read("x", "v1")}},
		{"has 5 variables", signature.Spec{Name: "x", Read: read("x", "{a},{b},{c},{d},{sig}")}},
		{"a { has no }", signature.Spec{Name: "x", Read: read("x", "{sig")}},
		{"a { has no }", signature.Spec{Name: "x", Read: read("x", "{a{sig}")}},
		{"a } has no {", signature.Spec{Name: "x", Read: read("x", "sig}")}},
		{"{} names nothing", signature.Spec{Name: "x", Read: read("x", "{}{sig}")}},
		{"nothing separates", signature.Spec{Name: "x", Read: read("x", "{id}{sig}")}},
		{"cannot name a variable", signature.Spec{Name: "x", Read: read("x", "{SIG}")}},
		{"cannot name a variable", signature.Spec{Name: "x", Read: read("x", "{body}.{sig}")}},
		{"read twice", signature.Spec{Name: "x", Read: append(read("a", "{id}"), read("b", "{id}.{sig}")...)}},
		{"both a pattern and a list", list(signature.Read{From: "x", Pattern: "{sig}", Sep: ","})},
		{"neither", list(signature.Read{From: "x"})},
		{"neither", list(signature.Read{From: "x", Sep: ","})},
		{"neither", list(signature.Read{From: "x", Items: []string{"{sig}"}})},
		{"numbered", list(signature.Read{From: "x-#", Pattern: "{id},{sig}"})},
		{"numbered", list(signature.Read{From: "x-#", Sep: ",", Items: []string{"{sig}"}})},
		{"algorithm", signature.Spec{Name: "x", Read: sig, MAC: "hmac-md5 hex"}},
		{"algorithm", signature.Spec{Name: "x", Read: sig, MAC: "ed448 hex"}},
		{"encoding", signature.Spec{Name: "x", Read: sig, MAC: "hmac-sha256"}},
		{"encoding", signature.Spec{Name: "x", Read: sig, MAC: "hmac-sha256 hex "}},
		{"key form", signature.Spec{Name: "x", Read: sig, Key: "rot13"}},
		{"time unit", signature.Spec{Name: "x", Read: sig, Time: "min"}},
		{"negative", signature.Spec{Name: "x", Read: sig, Tolerance: -1}},
		{"reads no {time}", signature.Spec{Name: "x", Read: sig, Tolerance: time.Second}},
		{"{id} is not read", signature.Spec{Name: "x", Read: sig, Sign: "{id}.{body}"}},
		{"{sig} is not read", signature.Spec{Name: "x", Read: sig, Sign: "{sig}{body}"}},
		{"{body} is there twice", signature.Spec{Name: "x", Read: sig, Sign: "{body}{body}"}},
		{"signs nothing", signature.Spec{Name: "x", Read: sig, Sign: "constant"}},
		{"left out", signature.Spec{Name: "x", Read: sig, Sign: "[[{body}]]"}},
		{"one value", signature.Spec{Name: "x", Read: sig, Sign: "{query:a?}{body}"}},
		{"does not name a header", signature.Spec{Name: "x", Read: sig, Sign: "{header:}{body}"}},
		{"type: ", signature.Spec{Name: "x", Read: sig, Type: "xml:a"}},
		{"subtype: ", signature.Spec{Name: "x", Read: sig, Subtype: "json:"}},
		{"id: ", signature.Spec{Name: "x", Read: sig, ID: "header:a-#"}},
		{"superseded: ", signature.Spec{Name: "x", Read: sig, Superseded: "json:a"}},
	} {
		s, err := signature.New(test.spec)
		if err == nil || s != nil || !strings.Contains(err.Error(), test.want) ||
			!strings.HasPrefix(err.Error(), "signature scheme ") {
			t.Errorf("%+v: got %v, want %q", test.spec, err, test.want)
		}
	}
}

// A Spec can be changed after it was compiled.
func TestNewCopies(t *testing.T) {
	t.Parallel()
	spec := signature.Spec{
		Name: "x", Read: []signature.Read{{From: "x", Sep: ",", Items: []string{"v1={sig}"}}},
		Type: "header:t", Subtype: "json:a", NoSubtype: []string{"plain"},
	}
	s := newScheme(t, spec)
	spec.Read[0].Items[0], spec.NoSubtype[0] = "v2={sig}", "other"
	r := &signature.Request{Header: map[string][]string{"T": {"plain"}}, Body: []byte(`{"a":"b"}`)}
	if err := s.Sign(r, newKeys(t, "k"), signature.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	result, err := s.Verify(r, newKeys(t, "k"), time.Now())
	if err != nil || result.Subtype != "" || !strings.HasPrefix(r.Header.Get("x"), "v1=") {
		t.Errorf("got %+v, %v", result, err)
	}
}
