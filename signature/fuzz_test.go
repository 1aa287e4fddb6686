package signature_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// Nobody who does not have the key can make a request that verifies, unless it
// is the one that was signed.
func FuzzVerify(f *testing.F) {
	for _, name := range vectorFiles(f) {
		for _, v := range readVectors(f, name) {
			h := v.request().Header
			f.Add(h.Get("X-Hub-Signature-256"), h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"),
				h.Get("Webhook-Signature"), v.Body, v.Now)
		}
	}
	keys, now := newKeys(f, "whsec_bm9ib2R5IHNpZ25zIHdpdGggdGhpcyBrZXkhISE="), time.Unix(1780000000, 0)
	f.Fuzz(func(t *testing.T, hub, id, timestamp, sigs string, body []byte, unix int64) {
		r := &signature.Request{Body: body, Header: http.Header{
			"X-Hub-Signature-256": {hub}, "Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {sigs},
		}}
		for _, s := range signature.Schemes() {
			_, err := s.Verify(r, keys, time.Unix(unix, 0))
			if reasonOf(t, err) == "" {
				t.Fatalf("%s: a request verifies that nobody signed", s.Name())
			}
		}

		// What can be signed verifies, and with any other value in it does not.
		s := signature.StandardWebhooks
		signed := &signature.Request{Body: body}
		if err := s.Sign(signed, keys, signature.SignOptions{ID: id, Time: now}); err != nil {
			return
		}
		if _, err := s.Verify(signed, keys, now); err != nil {
			t.Fatalf("what was signed does not verify: %v", err)
		}
		for name, value := range map[string]string{"Webhook-Id": id, "Webhook-Timestamp": timestamp} {
			if signed.Header.Get(name) == value {
				continue
			}
			changed := &signature.Request{Body: body, Header: signed.Header.Clone()}
			changed.Header.Set(name, value)
			if _, err := s.Verify(changed, keys, now); err == nil {
				t.Fatalf("%s can be changed to %q", name, value)
			}
		}
	})
}

// A Spec compiles or is refused. One that compiles signs and verifies alike, and
// refuses all else, whatever is sent.
func FuzzSpec(f *testing.F) {
	f.Add("s", "", ",", "t={time};v1={sig}", "", "{time}.{body}", "s", "json:a.b", "t=1,v1=00", []byte(`{"a":{"b":"c"}}`))
	f.Add("s", "{{{id}}}:{sig}", "", "", "hmac-sha512 base64url", "{id}/{path}{body}", "", "query:a",
		"{a}:b", []byte("a=b"))
	keys, at := newKeys(f, "a key"), time.Unix(1780000000, 0)
	f.Fuzz(func(t *testing.T, from, pattern, sep, items, mac, sign, unit, typ, value string, body []byte) {
		read := signature.Read{From: from, Pattern: pattern, Sep: sep}
		if items != "" {
			read.Items = strings.Split(items, ";")
		}
		s, err := signature.New(signature.Spec{
			Name: "fuzz", Read: []signature.Read{read}, MAC: mac, Sign: sign, Time: signature.TimeUnit(unit), Type: typ,
		})
		if err != nil {
			return
		}
		r := &signature.Request{Method: http.MethodPost, URL: "https://h.example/p?a=b", Header: http.Header{}, Body: body}
		name, _, _ := strings.Cut(strings.TrimPrefix(from, "header:"), "?")
		r.Header.Set(name, value)
		if _, err := s.Verify(r, keys, at); reasonOf(t, err) == "" {
			t.Fatal("a request verifies that nobody signed")
		}
		if err := s.Sign(r, keys, signature.SignOptions{ID: "id1", Time: at}); err != nil {
			return
		}
		other, err := signature.NewKeys("another key")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(r, other, at); err == nil {
			t.Fatal("another key verifies")
		}
		if result, err := s.Verify(r, keys, at); err == nil && result.BodyBound {
			r.Body = append(append([]byte(nil), body...), '!')
			if _, err := s.Verify(r, keys, at); err == nil {
				t.Fatal("another body verifies")
			}
		}
	})
}
