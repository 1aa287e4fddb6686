package signature_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// The values that GitHub publishes for trying an implementation out.
const (
	githubSecret = "It's a Secret to Everybody"
	githubSig    = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
)

// githubTime is any time: GitHub signs none.
var githubTime = time.Unix(1780000000, 0)

func githubRequest() *signature.Request {
	return &signature.Request{
		Header: http.Header{
			"X-Hub-Signature-256": {"sha256=" + githubSig},
			"X-Github-Event":      {"push"},
			"X-Github-Delivery":   {"72d3162e-cc78-11e3-81ab-4c9367dc0958"},
		},
		Body: []byte("Hello, World!"),
	}
}

func TestVerifyGitHub(t *testing.T) {
	t.Parallel()
	set := func(name string, values ...string) func(r *signature.Request) {
		return func(r *signature.Request) { r.Header[name] = values }
	}
	for _, test := range []struct {
		name   string
		change func(r *signature.Request)
		want   signature.Reason
		detail string
	}{
		{name: "as published", change: func(*signature.Request) {}},
		{name: "upper case", change: set("X-Hub-Signature-256", "sha256="+strings.ToUpper(githubSig))},
		{
			name: "upper-case prefix", change: set("X-Hub-Signature-256", "SHA256="+githubSig),
			want: signature.ReasonUnsupportedVersion,
		},
		{
			name: "only SHA-1", want: signature.ReasonMissingSignature, detail: "header X-Hub-Signature is there",
			change: func(r *signature.Request) {
				r.Header.Del("X-Hub-Signature-256")
				r.Header.Set("X-Hub-Signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")
			},
		},
		{name: "SHA-1 beside", change: set("X-Hub-Signature", "sha1=00")},
		{
			name: "one digit less", change: set("X-Hub-Signature-256", "sha256="+githubSig[:63]),
			want: signature.ReasonMalformedSignature,
		},
		{
			name: "one digit more", change: set("X-Hub-Signature-256", "sha256="+githubSig+"0"),
			want: signature.ReasonMalformedSignature,
		},
		{
			name: "not hex", change: set("X-Hub-Signature-256", "sha256="+githubSig[:63]+"g"),
			want: signature.ReasonMalformedSignature,
		},
		{
			name: "only the prefix", change: set("X-Hub-Signature-256", "sha256="),
			want: signature.ReasonMalformedSignature,
		},
		{
			name: "half the prefix", change: set("X-Hub-Signature-256", "sha"),
			want: signature.ReasonMalformedSignature,
		},
		{
			name: "two in one", change: set("X-Hub-Signature-256", "sha256="+githubSig+", sha256="+githubSig),
			want: signature.ReasonMalformedSignature,
		},
		{
			name: "space before", change: set("X-Hub-Signature-256", "sha256= "+githubSig),
			want: signature.ReasonMalformedSignature,
		},
		{
			name: "type twice", change: set("X-Github-Event", "push", "ping"),
			want: signature.ReasonDuplicateHeader, detail: "X-Github-Event",
		},
		{
			name: "id twice", change: set("X-Github-Delivery", "1", "1"),
			want: signature.ReasonDuplicateHeader, detail: "X-Github-Delivery",
		},
		{
			name: "body", change: func(r *signature.Request) { r.Body = []byte("Hello, World?") },
			want: signature.ReasonSignatureMismatch,
		},
		{
			name: "nothing", change: func(r *signature.Request) { r.Header = nil },
			want: signature.ReasonMissingSignature,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := githubRequest()
			test.change(r)
			result, err := signature.GitHub.Verify(r, newKeys(t, githubSecret), time.Unix(0, 0))
			if got := reasonOf(t, err); got != test.want {
				t.Fatalf("got %q, want %q: %v", got, test.want, err)
			}
			if err != nil && !strings.Contains(err.Error(), test.detail) {
				t.Errorf("error %q does not say %q", err, test.detail)
			}
			if err == nil && (result.Type != "push" || result.DeliveryID == "" || !result.BodyBound || !result.Time.IsZero()) {
				t.Errorf("result is %+v", result)
			}
		})
	}
}

// The request in the project's first guide, with a right signature.
func TestVerifyGuide(t *testing.T) {
	t.Parallel()
	r := &signature.Request{
		Method: http.MethodPost, URL: "http://localhost:8000/webhook/github",
		Header: http.Header{"X-Github-Event": {"push"}, "Content-Type": {"application/json"}},
		Body:   []byte(`{"ref": "refs/heads/main", "pusher": {"name": "evan"}}`),
	}
	keys := newKeys(t, "my-secret")
	if err := signature.GitHub.Sign(r, keys, signature.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	result, err := signature.GitHub.Verify(r, keys, time.Now())
	if err != nil || result.Type != "push" || result.Subtype != "" || result.DeliveryID != "" {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestVerifyLeavesTheRequestAlone(t *testing.T) {
	t.Parallel()
	r, same := githubRequest(), githubRequest()
	if _, err := signature.GitHub.Verify(r, newKeys(t, githubSecret), time.Now()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Body, same.Body) || len(r.Header) != len(same.Header) {
		t.Errorf("the request was changed to %+v", r)
	}
}

func TestVerifyFailsClosed(t *testing.T) {
	t.Parallel()
	empty := &signature.Request{Header: http.Header{}}
	var none *signature.Scheme
	for _, test := range []struct {
		name   string
		scheme *signature.Scheme
		keys   signature.Keys
		want   signature.Reason
	}{
		{"no keys", signature.GitHub, signature.Keys{}, signature.ReasonNoKey},
		{"key of another form", signature.StandardWebhooks, newKeys(t, "plain text"), signature.ReasonNoKey},
		{"empty after its prefix", signature.StandardWebhooks, newKeys(t, "whsec_"), signature.ReasonNoKey},
		{"nil scheme", none, newKeys(t, "x"), signature.ReasonNoScheme},
		{"zero scheme", &signature.Scheme{}, newKeys(t, "x"), signature.ReasonNoScheme},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := test.scheme.Verify(empty, test.keys, time.Now())
			if got := reasonOf(t, err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// A key that cannot be used does not stop the others, and is not silent.
func TestVerifyWithOneBadKey(t *testing.T) {
	t.Parallel()
	now := time.Unix(1780000000, 0)
	r := signed(t, signature.StandardWebhooks, newKeys(t, whsecB), []byte("{}"), now)
	result, err := signature.StandardWebhooks.Verify(r, newKeys(t, "whsec_short", whsecB), now)
	if err != nil || result.Key != 1 {
		t.Errorf("got %+v, %v", result, err)
	}
	_, err = signature.StandardWebhooks.Verify(r, newKeys(t, "whsec_short", whsecA), now)
	if reasonOf(t, err) != signature.ReasonSignatureMismatch || !strings.Contains(err.Error(), "secret 1") {
		t.Errorf("error %v does not name the key that cannot be used", err)
	}
}

// One Keys with several schemes gives each its own form of the key.
func TestKeysWithSeveralSchemes(t *testing.T) {
	t.Parallel()
	now, keys := time.Unix(1780000000, 0), newKeys(t, whsecA)
	for range 3 {
		for _, s := range []*signature.Scheme{signature.GitHub, signature.StandardWebhooks} {
			r := signed(t, s, newKeys(t, whsecA), []byte("{}"), now)
			if _, err := s.Verify(r, keys, now); err != nil {
				t.Errorf("%s: %v", s.Name(), err)
			}
		}
	}
}

func TestVerifyConcurrently(t *testing.T) {
	t.Parallel()
	now, keys := time.Unix(1780000000, 0), newKeys(t, whsecA)
	for i := range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			body := bytes.Repeat([]byte{'x'}, i)
			for _, s := range []*signature.Scheme{signature.GitHub, signature.StandardWebhooks} {
				r := signed(t, s, keys, body, now)
				for range 100 {
					if _, err := s.Verify(r, keys, now); err != nil {
						t.Fatal(err)
					}
				}
				r.Body = append(r.Body, '!')
				if _, err := s.Verify(r, keys, now); err == nil {
					t.Fatal("another body verifies")
				}
			}
		})
	}
}

// What a refusal says may be stored and shown to the operator. What was sent
// where a signature belongs may be a credential, and is not in it.
func TestRefusalsDoNotQuoteSignatures(t *testing.T) {
	t.Parallel()
	const credential = "Bearer-of-a-token-that-is-nobody's-business"
	for _, s := range []*signature.Scheme{signature.GitHub, signature.StandardWebhooks} {
		r := signed(t, s, newKeys(t, whsecA), nil, time.Now())
		r.Header.Set("X-Hub-Signature-256", credential)
		r.Header.Set("Webhook-Signature", credential)
		_, err := s.Verify(r, newKeys(t, whsecA), time.Now())
		if err == nil || strings.Contains(err.Error(), "token") {
			t.Errorf("%s: the error is %v", s.Name(), err)
		}
	}
}

func TestReasonsAreDistinct(t *testing.T) {
	t.Parallel()
	seen := map[signature.Reason]bool{}
	for _, reason := range signature.Reasons() {
		if seen[reason] || reason == "" {
			t.Errorf("reason %q is there twice", reason)
		}
		seen[reason] = true
	}
}
