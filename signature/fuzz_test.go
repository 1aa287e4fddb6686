package signature_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// parseHeader reads lines of the form Name: value.
func parseHeader(text string) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			h.Add(name, value)
		}
	}
	return h
}

func headerText(v *vector) string {
	var text strings.Builder
	for _, h := range v.Headers {
		text.WriteString(h[0] + ": " + h[1] + "\n")
	}
	return text.String()
}

// Nobody who does not have the key can make a request that verifies, and of one
// that was signed nobody can change the body, where the signature covers it.
func FuzzVerify(f *testing.F) {
	schemes, first := signature.Schemes(), firstValid(f)
	for i, s := range schemes {
		if v := first[vectorName(s)]; v != nil {
			f.Add(uint16(i), v.Method, v.URL, headerText(v), v.Body, []byte("{}"), v.Now)
		}
	}
	keys := make([][2]signature.Keys, len(schemes))
	for i, s := range schemes {
		keys[i][0], keys[i][1] = keysFor(f, s)
	}
	f.Fuzz(func(t *testing.T, index uint16, method, rawURL, header string, body, other []byte, unix int64) {
		i := int(index) % len(schemes)
		s, private, public := schemes[i], keys[i][0], keys[i][1]
		now := time.Unix(unix, 0)
		r := &signature.Request{Method: method, URL: rawURL, Header: parseHeader(header), Body: body}
		if result, err := s.Verify(r, public, now); err == nil && (!s.Keyless() || s.Public()) {
			t.Fatalf("%s: a request verifies that nobody signed: %+v", s.Name(), result)
		}
		if _, err := s.Verify(r, signature.Keys{}, now); err == nil && (!s.Keyless() || s.Public()) {
			t.Fatalf("%s: a request verifies without a key", s.Name())
		}
		now = time.Unix(1780000000, 0)
		if s.Name() == "aws_sns" || s.Sign(r, private, signature.SignOptions{ID: "msg-1", Time: now}) != nil {
			return
		}
		result, err := s.Verify(r, public, now)
		if err != nil || !result.BodyBound || bytes.Equal(other, r.Body) || sameFields(other, r.Body) {
			return
		}
		if strings.Contains(r.Header.Get("Content-Type"), "form") {
			return // names and values of forms are signed without a border between them
		}
		r.Body = other
		if _, err := s.Verify(r, public, now); err == nil {
			t.Fatalf("%s: the body can be changed to %q", s.Name(), other)
		}
	})
}

// vectorName is what the vectors call a scheme.
func vectorName(s *signature.Scheme) string {
	if s == signature.StandardWebhooks {
		return "standardwebhooks"
	}
	return s.Name()
}

// A Spec compiles or is refused. One that compiles signs and verifies alike, and
// refuses all else, whatever is sent.
func FuzzScheme(f *testing.F) {
	f.Add("s", "", ",", "t={time};v1={sig}", "", "utf8", "{time}.{body}", "s", "json:a.b", "", "", "t=1,v1=00", []byte(`{"a":{"b":"c"}}`))
	f.Add("s", "{{{id}}}:{sig}", "", "", "hmac-sha512 base64url", "hex", "{id}/{path}{body}", "", "query:a", "query:a", "b", "{a}:b", []byte("a=b"))
	f.Add("authorization", "Bearer {jwt}", "", "", "jwt-hs256,es256", "", "", "", "form:a", "aud", "{url}", "Bearer a.b.c", []byte("a=b"))
	f.Add("form:s", "{sig}", "", "", "hash-sha1 hex", "sha1", "[[{form:a}]]{secret}{method|lower}", "ms", "header:a", "", "", "x", []byte("s=1&a=b"))
	f.Add("json:*.s", "{token}", "", "", "token", "strip:a+", "", "", "", "x", "{cfg:y}", "x", []byte(`[{"s":"1"}]`))
	f.Add("x-sig-#", "{jws}", "", "", "jws-rs256 unencoded", "public", "{uri}{json_sorted}{body|sha256|base64}", "", "", "", "", "a..b", []byte(`{}`))
	at := time.Unix(1780000000, 0)
	f.Fuzz(func(t *testing.T, from, pattern, sep, items, mac, key, sign, unit, typ, check, is, value string, body []byte) {
		read := signature.Read{From: from, Pattern: pattern, Sep: sep}
		if items != "" {
			read.Items = strings.Split(items, ";")
		}
		spec := signature.Spec{
			Name: "fuzz", Read: []signature.Read{read}, MAC: mac, Key: signature.KeyForm(key), Sign: sign,
			Time: signature.TimeUnit(unit), Type: typ,
		}
		if check != "" {
			if spec.Claims = []signature.Check{{At: check, Is: is}}; !strings.HasPrefix(mac, "jwt") {
				spec.Claims, spec.Require = nil, spec.Claims
			}
		}
		s, err := signature.New(spec)
		if err != nil || s.Keyless() {
			return
		}
		private, public := keysFor(t, s)
		r := &signature.Request{Method: http.MethodPost, URL: "https://h.example/p?a=b", Header: http.Header{}, Body: body}
		name, _, _ := strings.Cut(strings.TrimPrefix(from, "header:"), "?")
		r.Header.Set(name, value)
		if _, err := s.Verify(r, public, at); reasonOf(t, err) == "" {
			t.Fatal("a request verifies that nobody signed")
		}
		if err := s.Sign(r, private, signature.SignOptions{ID: "id1", Time: at}); err != nil {
			return
		}
		if _, err := s.Verify(r, newKeys(t, "bm90IHRoZSBrZXkgb2YgYW55Ym9keSBoZXJlIQ=="), at); err == nil {
			t.Fatal("another key verifies")
		}
		if result, err := s.Verify(r, public, at); err == nil && result.BodyBound && !isFormed(r) {
			r.Body = append(slices.Clone(r.Body), '!')
			if _, err := s.Verify(r, public, at); err == nil {
				t.Fatal("another body verifies")
			}
		}
	})
}

// isFormed reports whether the body is a form, in which "!" may mean nothing.
func isFormed(r *signature.Request) bool {
	return strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "form")
}

// What a handshake answers is safe to send, and proves nothing of an event.
func FuzzHandshake(f *testing.F) {
	var schemes []*signature.Scheme
	for _, s := range signature.Schemes() {
		settings := make(map[string]string)
		for _, setting := range s.Settings() {
			settings[setting.Name] = "https://h.example/" + setting.Name
		}
		adapted, err := s.With(signature.Options{Settings: settings})
		if err != nil {
			f.Fatal(err)
		}
		if s.HandshakeMethods() != nil || s.Name() == "zoom" || s.Name() == "notion" || s.Name() == "slack" {
			schemes = append(schemes, adapted)
		}
	}
	for _, v := range readVectors(f) {
		i := slices.IndexFunc(schemes, func(s *signature.Scheme) bool { return s.Name() == v.Provider })
		if v.Kind == "handshake" && i >= 0 {
			f.Add(uint16(i), v.Method, v.URL, headerText(v), v.Body)
		}
	}
	f.Fuzz(func(t *testing.T, index uint16, method, rawURL, header string, body []byte) {
		s := schemes[int(index)%len(schemes)]
		_, keys := keysFor(t, s)
		now := time.Unix(1780000000, 0)
		r := &signature.Request{Method: method, URL: rawURL, Header: parseHeader(header), Body: body}
		reply, ok, err := s.Handshake(r, keys, now)
		if !ok {
			return
		}
		if err != nil {
			if reply.Status < 400 || reply.Status > 499 || len(reply.Body) > 0 || reply.Confirm != "" || reply.Secret != "" {
				t.Fatalf("%s: a refusal answers %+v", s.Name(), reply)
			}
			return
		}
		for name, values := range reply.Header {
			if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
				t.Fatalf("%s: header %q is %q", s.Name(), name, values)
			}
		}
		if media := reply.Header.Get("Content-Type"); len(reply.Body) > 0 && !strings.HasPrefix(media, "text/plain") && media != "application/json" {
			t.Fatalf("%s: a browser may take the answer for more than text: %s", s.Name(), media)
		}
		notAnOracle(t, s, keys, reply, r, now)
	})
}

// notAnOracle takes what a handshake computed for a signature of what it was
// computed of.
func notAnOracle(t *testing.T, s *signature.Scheme, keys signature.Keys, reply signature.Reply, r *signature.Request, now time.Time) {
	t.Helper()
	var answer map[string]string
	u, err := url.Parse(r.URL)
	if err != nil {
		return
	}
	query := u.Query()
	event := &signature.Request{Method: http.MethodPost, URL: "https://h.example/", Header: http.Header{}}
	switch _ = json.Unmarshal(reply.Body, &answer); s.Name() { // not all answers are JSON
	case "x_twitter":
		event.Body = []byte(query.Get("crc_token"))
		event.Header.Set("X-Twitter-Webhooks-Signature", answer["response_token"])
	case "linkedin":
		event.Body = []byte(strings.TrimPrefix(query.Get("challengeCode"), "hmacsha256="))
		event.Header.Set("X-Li-Signature", answer["challengeResponse"])
	case "braintree":
		event.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		event.Body = []byte(url.Values{"bt_payload": {query.Get("bt_challenge")}, "bt_signature": {string(reply.Body)}}.Encode())
	default:
		return
	}
	if _, err := s.Verify(event, keys, now); err == nil {
		t.Fatalf("%s: the answer to a handshake is the signature of an event: %q", s.Name(), event.Body)
	}
}
