package signature_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// The type goes where the scheme has it, if that is a header, and nowhere else.
func TestSignType(t *testing.T) {
	t.Parallel()
	body := []byte(`{"type":"of.body"}`)
	for _, test := range []struct{ scheme, typ, want string }{
		{"github", "push", "push"}, {"github", "", "none"}, {"standard-webhooks", "other", "of.body"},
	} {
		scheme, _ := signature.Lookup(test.scheme)
		r := &signature.Request{Method: http.MethodPost, URL: "/", Header: http.Header{"X-Github-Event": {"none"}}, Body: body}
		opts := signature.SignOptions{ID: "1", Time: time.Now(), Type: test.typ}
		if err := scheme.Sign(r, newKeys(t, whsecA), opts); err != nil {
			t.Fatal(err)
		}
		if typ, _, _ := scheme.Identify(r); typ != test.want {
			t.Errorf("%s, %q: type is %q, want %q", test.scheme, test.typ, typ, test.want)
		}
	}
	r := &signature.Request{Method: http.MethodPost, URL: "/", Body: body}
	err := signature.GitHub.Sign(r, newKeys(t, whsecA), signature.SignOptions{Type: "a\r\nB: c"})
	if err == nil || strings.Contains(err.Error(), "\n") || len(r.Header) != 0 {
		t.Errorf("%v, %v", err, r.Header)
	}
}
