package secret_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/internal/secret"
)

func TestFinderRedacts(t *testing.T) {
	t.Parallel()
	f := secret.NewFinder("hunter2hunter2", `a/b"c+d==ef`, "whsec_MfKQ9r8GKYqrTwjUPD8I", "short")
	for text, want := range map[string]string{
		"nothing":                       "nothing",
		"":                              "",
		"hunter2hunter2":                "**************",
		"xhunter2hunter2hunter2":        "x**************hunter2",
		"hunter2hunter2&hunter2hunter2": "**************&**************",
		`{"a":"a/b\"c+d==ef"}`:          `{"a":"************"}`,
		`{"a":"a\/b\"c+d==ef"}`:         `{"a":"*************"}`,
		"t=a%2Fb%22c%2Bd%3D%3Def&x=1":   "t=" + strings.Repeat("*", 21) + "&x=1",
		"v MfKQ9r8GKYqrTwjUPD8I":        "v ********************",
		"whsec_MfKQ9r8GKYqrTwjUPD8I":    strings.Repeat("*", 26),
		"short":                         "short",
	} {
		in := []byte(text)
		clean, found := f.Redact(in)
		if string(clean) != want || found != (text != want) || string(in) != text {
			t.Errorf("Redact(%q) = %q, %v, and left %q", text, clean, found, in)
		}
		if s, found := f.RedactString(text); s != want || found != (text != want) {
			t.Errorf("RedactString(%q) = %q, %v", text, s, found)
		}
	}
	if _, found := (secret.Finder{}).Redact([]byte("anything")); found {
		t.Error("the zero Finder finds something")
	}
}

func TestFinderShowsNothing(t *testing.T) {
	t.Parallel()
	f := struct{ F secret.Finder }{secret.NewFinder("hunter2hunter2")}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(f), fmt.Sprintf("%#v %+v %x %d", f, f, f, f), string(text)} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e746572") {
			t.Errorf("it shows %s", shown)
		}
	}
}

func BenchmarkRedactNothing(b *testing.B) {
	f := secret.NewFinder("It's a Secret to Everybody")
	body := []byte(`{"ref":"refs/heads/main","pad":"` + strings.Repeat("It's so ", 122) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		f.Redact(body)
	}
}
