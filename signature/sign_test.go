package signature_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// Where there is room, every key signs, so that the receiver may have any one of
// them. Where there is none, the first does.
func TestSignWithSeveralKeys(t *testing.T) {
	t.Parallel()
	at := time.Unix(1780000000, 0)
	read := func(reads ...signature.Read) signature.Spec { return signature.Spec{Name: "x", Read: reads} }
	for _, test := range []struct {
		name   string
		scheme *signature.Scheme
		every  bool
	}{
		{"standard webhooks", signature.StandardWebhooks, true},
		{"github", signature.GitHub, false},
		{"numbered", newScheme(t, read(signature.Read{From: "x-#", Pattern: "{sig}"})), true},
		{"second header", newScheme(t, read(
			signature.Read{From: "a", Pattern: "{sig}"}, signature.Read{From: "b?", Pattern: "{sig}"},
		)), true},
		{"list with its time", newScheme(t, read(signature.Read{
			From: "x", Sep: ", ", Join: ", ", Items: []string{"t={time}", "v1={sig}"},
		})), true},
		{"by position", newScheme(t, read(signature.Read{
			From: "x", Sep: ",", Positional: true, Items: []string{"{time}", "{sig}"},
		})), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := signed(t, test.scheme, newKeys(t, whsecA, whsecB), []byte("{}"), at)
			if _, err := test.scheme.Verify(r, newKeys(t, whsecA), at); err != nil {
				t.Errorf("the first key does not verify: %v", err)
			}
			if _, err := test.scheme.Verify(r, newKeys(t, whsecB), at); (err == nil) != test.every {
				t.Errorf("the second key: %v, want verified: %v", err, test.every)
			}
			alone := signed(t, test.scheme, newKeys(t, whsecA), []byte("{}"), at)
			if _, err := test.scheme.Verify(alone, newKeys(t, whsecB, whsecA), at); err != nil {
				t.Errorf("one key alone: %v", err)
			}
		})
	}
}

// As many keys as a set may hold sign a request that is accepted.
func TestSignWithAllKeys(t *testing.T) {
	t.Parallel()
	at := time.Unix(1780000000, 0)
	var secrets []string
	for i := range signature.MaxKeys {
		secrets = append(secrets, whsecA[:len(whsecA)-1]+string(rune('0'+i)))
	}
	r := signed(t, signature.StandardWebhooks, newKeys(t, secrets...), nil, at)
	result, err := signature.StandardWebhooks.Verify(r, newKeys(t, secrets[len(secrets)-1]), at)
	if err != nil || strings.Count(r.Header.Get("webhook-signature"), "v1,") != signature.MaxKeys {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	at := time.Unix(1780000000, 0)
	inBody := newScheme(t, signature.Spec{Name: "inbody", Read: []signature.Read{{From: "json:sig", Pattern: "{sig}"}}})
	nonce := newScheme(t, signature.Spec{
		Name: "nonce", Sign: "{nonce}.{body}",
		Read: []signature.Read{{From: "n", Pattern: "{nonce}"}, {From: "s", Pattern: "{sig}"}},
	})
	byURL := newScheme(t, signature.Spec{
		Name: "url", Sign: "{url}{body}", Read: []signature.Read{{From: "s", Pattern: "{sig}"}},
	})
	for _, test := range []struct {
		name   string
		scheme *signature.Scheme
		keys   signature.Keys
		opts   signature.SignOptions
		want   string
	}{
		{"no id", signature.StandardWebhooks, newKeys(t, whsecA), signature.SignOptions{Time: at}, "{id} is needed"},
		{
			"no time", signature.StandardWebhooks, newKeys(t, whsecA), signature.SignOptions{ID: "a"},
			"{time} is needed",
		},
		{
			"id with .", signature.StandardWebhooks, newKeys(t, whsecA),
			signature.SignOptions{ID: "a.b", Time: at}, "separates",
		},
		{
			"id with a line break", signature.StandardWebhooks, newKeys(t, whsecA),
			signature.SignOptions{ID: "a\r\nb: c", Time: at}, "printable",
		},
		{
			"time before 1970", signature.StandardWebhooks, newKeys(t, whsecA),
			signature.SignOptions{ID: "a", Time: time.Unix(-1, 0)}, "time",
		},
		{
			"wrong key", signature.StandardWebhooks, newKeys(t, "plain"),
			signature.SignOptions{ID: "a", Time: at}, "secret 1",
		},
		{
			"one wrong key", signature.StandardWebhooks, newKeys(t, whsecA, "plain"),
			signature.SignOptions{ID: "a", Time: at}, "secret 2",
		},
		{"no key", signature.GitHub, signature.Keys{}, signature.SignOptions{}, "no secret"},
		{"nil scheme", nil, newKeys(t, "k"), signature.SignOptions{}, "scheme"},
		{"signature in the body", inBody, newKeys(t, "k"), signature.SignOptions{}, "no such field"},
		{"unknown value", nonce, newKeys(t, "k"), signature.SignOptions{}, "{nonce} is needed"},
		{"no URL", byURL, newKeys(t, "k"), signature.SignOptions{}, "URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &signature.Request{Body: []byte("{}")}
			err := test.scheme.Sign(r, test.keys, test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "sign request: ") {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if len(r.Header) > 0 {
				t.Errorf("headers were set: %v", r.Header)
			}
		})
	}
}

// Values that only the caller knows are taken from the request.
func TestSignWithValuesOfTheRequest(t *testing.T) {
	t.Parallel()
	s := newScheme(t, signature.Spec{
		Name: "x", Sign: "{method} {path}?{query:q} {header:host} {form:f} {nonce}.{user}.{at}.{body}",
		Read: []signature.Read{
			{From: "x-nonce", Pattern: "n={nonce}"}, {From: "form:u", Pattern: "{user}"},
			{From: "x-at?", Pattern: "{at}"}, {From: "x-sig", Pattern: "{sig}"},
		},
	})
	request := func() *signature.Request {
		return &signature.Request{
			Method: http.MethodPost, URL: "https://h.example/a%20b?q=1",
			Header: http.Header{
				"X-Nonce": {"n=7"}, "Host": {"h.example"}, "Content-Type": {"application/x-www-form-urlencoded"},
			},
			Body: []byte(url.Values{"f": {"g"}, "u": {"me"}}.Encode()),
		}
	}
	r := request()
	if err := s.Sign(r, newKeys(t, "k"), signature.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(r, newKeys(t, "k"), time.Now()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(r *signature.Request){
		"method": func(r *signature.Request) { r.Method = http.MethodPut },
		"path":   func(r *signature.Request) { r.URL = "https://h.example/a?q=1" },
		"query":  func(r *signature.Request) { r.URL = "https://h.example/a%20b?q=2" },
		"header": func(r *signature.Request) { r.Header.Set("Host", "other.example") },
		"nonce":  func(r *signature.Request) { r.Header.Set("X-Nonce", "n=8") },
		"body":   func(r *signature.Request) { r.Body = []byte("f=g&u=you") },
	} {
		changed := request()
		changed.Header.Set("X-Sig", r.Header.Get("X-Sig"))
		change(changed)
		if _, err := s.Verify(changed, newKeys(t, "k"), time.Now()); reasonOf(t, err) != signature.ReasonSignatureMismatch {
			t.Errorf("another %s: %v", name, err)
		}
	}
	for name, change := range map[string]func(r *signature.Request){
		"query": func(r *signature.Request) { r.URL += "&q=1" },
		"form":  func(r *signature.Request) { r.Body = append(r.Body, "&u=me"...) },
	} {
		changed := request()
		changed.Header.Set("X-Sig", r.Header.Get("X-Sig"))
		change(changed)
		if _, err := s.Verify(changed, newKeys(t, "k"), time.Now()); reasonOf(t, err) != signature.ReasonDuplicateHeader {
			t.Errorf("twice in the %s: %v", name, err)
		}
	}
}

// Some schemes sign the header of the delivery id by another name, if there is
// one. What is signed is the id that is sent.
func TestSignTheDeliveryID(t *testing.T) {
	t.Parallel()
	scheme, ok := signature.Lookup("mercadopago")
	if !ok {
		t.Fatal("there is no scheme mercadopago")
	}
	keys, now := newKeys(t, "a secret"), time.Unix(1772446530, 0)
	for name, header := range map[string]http.Header{"none yet": {}, "another": {"X-Request-Id": {"of-the-last-time"}}} {
		r := &signature.Request{Method: http.MethodPost, URL: "https://hooks.example.com/?data.id=42", Header: header}
		if err := scheme.Sign(r, keys, signature.SignOptions{ID: "request-42", Time: now}); err != nil {
			t.Fatal(err)
		}
		if got, err := scheme.Verify(r, keys, now); err != nil || got.DeliveryID != "request-42" {
			t.Errorf("%s: delivery id %q, %v", name, got.DeliveryID, err)
		}
	}
}

// The headers are often those of an http.Request, which is sent afterwards.
func TestSignSetsTheHeadersOfTheCaller(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Mine": {"stays"}}
	r := &signature.Request{Method: http.MethodPost, Header: header, Body: []byte("{}")}
	if err := signature.GitHub.Sign(r, newKeys(t, "a secret"), signature.SignOptions{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if header.Get("X-Hub-Signature-256") == "" || header.Get("X-GitHub-Delivery") != "1" || header.Get("X-Mine") != "stays" {
		t.Errorf("the headers are %v", header)
	}
}

// A scheme that does not sign the body says so.
func TestBodyBound(t *testing.T) {
	t.Parallel()
	for sign, want := range map[string]bool{"": true, "{time}.{body}": true, "{time}": false, "{url}": false} {
		s := newScheme(t, signature.Spec{
			Name: "x", Sign: sign, Read: []signature.Read{{From: "t", Pattern: "{time}"}, {From: "s", Pattern: "{sig}"}},
		})
		r := signed(t, s, newKeys(t, "k"), []byte("{}"), time.Unix(1780000000, 0))
		result, err := s.Verify(r, newKeys(t, "k"), time.Now())
		if err != nil || result.BodyBound != want {
			t.Errorf("%q: got %+v, %v", sign, result, err)
		}
	}
}

func TestTimeUnits(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 15, 4, 5, 678e6, time.FixedZone("", 3600))
	for unit, want := range map[signature.TimeUnit]struct {
		text string
		loss time.Duration
	}{
		"":                     {"1795442645", 678 * time.Millisecond},
		signature.Seconds:      {"1795442645", 678 * time.Millisecond},
		signature.Milliseconds: {"1795442645678", 0},
		signature.RFC3339:      {"2026-11-23T14:04:05.678Z", 0},
		signature.HTTPDate:     {"Mon, 23 Nov 2026 14:04:05 GMT", 678 * time.Millisecond},
	} {
		s := newScheme(t, signature.Spec{
			Name: "x", Time: unit, Tolerance: time.Minute, Sign: "{time}{body}",
			Read: []signature.Read{{From: "t", Pattern: "{time}"}, {From: "s", Pattern: "{sig}"}},
		})
		r := signed(t, s, newKeys(t, "k"), nil, at)
		result, err := s.Verify(r, newKeys(t, "k"), at)
		if err != nil || result.Time != at.Add(-want.loss).UTC() || r.Header.Get("t") != want.text {
			t.Errorf("%q: wrote %q, got %v, %v", unit, r.Header.Get("t"), result.Time, err)
		}
	}
}
