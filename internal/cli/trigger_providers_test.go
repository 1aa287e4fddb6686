package cli

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/internal/provider"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// testSecrets are secrets of each form that schemes want, the most usual first.
var testSecrets = sync.OnceValue(func() []string {
	texts := []string{
		// As hex, as base64 and as it stands, this is a long enough key.
		"6c6f6f6d2d776172702d776566742d736875747468652d7265656432303236aa",
		"whsec_bG9vbS13YXJwLXdlZnQtc2h1dHRsZS1yZWVk", "loom:6c6f6f6d2d77617270",
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	private := []crypto.PrivateKey{rsaKey}
	if err == nil {
		var key ed25519.PrivateKey
		_, key, err = ed25519.GenerateKey(rand.Reader)
		private = append(private, key)
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, failed := ecdsa.GenerateKey(curve, rand.Reader)
		if failed != nil {
			panic(failed)
		}
		private = append(private, key)
	}
	for _, key := range private {
		der, failed := x509.MarshalPKCS8PrivateKey(key)
		if err != nil || failed != nil {
			panic(fmt.Sprint(err, failed))
		}
		texts = append(texts, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	}
	return texts
})

// secretOf returns a secret that signs as the scheme does.
func secretOf(t *testing.T, scheme *signature.Scheme) string {
	t.Helper()
	s, err := findSample(scheme, eventNames(scheme)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range testSecrets() {
		keys, err := signature.NewKeys(text)
		if err != nil {
			t.Fatal(err)
		}
		e := s.fresh("")
		r := requestOf(e.Event, "https://hooks.example.com/")
		if scheme.CheckKeys(keys) == nil && scheme.Sign(r, keys, signature.SignOptions{ID: e.id, Time: time.Now()}) == nil {
			return text
		}
	}
	t.Fatalf("no secret of the test signs as %s", scheme.Name())
	return ""
}

// withSettings gives the scheme a value for each of its settings.
func withSettings(t *testing.T, scheme *signature.Scheme) (adapted *signature.Scheme, args []string) {
	t.Helper()
	settings := make(map[string]string)
	for _, s := range scheme.Settings() {
		settings[s.Name] = "value-of-" + s.Name
		value := settings[s.Name]
		if s.Secret {
			value = "insecure-literal:" + value
		}
		args = append(args, "--setting", s.Name+"="+value)
	}
	adapted, err := scheme.With(signature.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return adapted, args
}

// A verifyingReceiver does what a receiver must: it refuses what the provider has
// not signed, and knows what it has seen before.
func verifyingReceiver(t *testing.T, scheme *signature.Scheme, secret string) *httptest.Server {
	t.Helper()
	keys, err := signature.NewKeys(secret)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := make(map[string]bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		r := &signature.Request{Method: req.Method, URL: "http://" + req.Host + req.URL.String(), Header: req.Header, Body: body}
		result, err := scheme.Verify(r, keys, time.Now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]bool{"duplicate": seen[result.DeliveryID]}) // the test sees what is missing
		seen[result.DeliveryID] = result.DeliveryID != ""
	}))
	t.Cleanup(server.Close)
	return server
}

// everyProvider runs a test for every scheme that can be triggered.
func everyProvider(t *testing.T, test func(t *testing.T, scheme *signature.Scheme)) {
	t.Helper()
	for _, scheme := range extra.Schemes() {
		if scheme.Name() == nameSNS {
			continue
		}
		t.Run(scheme.Name(), func(t *testing.T) {
			t.Parallel()
			test(t, scheme)
		})
	}
}

// TestTriggerEveryProvider sends every sample of every provider to a receiver that
// verifies it, and then spoils one in every way.
func TestTriggerEveryProvider(t *testing.T) {
	t.Parallel()
	everyProvider(t, func(t *testing.T, scheme *signature.Scheme) {
		adapted, settings := withSettings(t, scheme)
		secret := secretOf(t, adapted)
		receiver := verifyingReceiver(t, adapted, secret)
		send := func(event string, more ...string) result {
			args := slices.Concat([]string{"trigger", scheme.Name(), event, "--to", receiver.URL + "/in", "--secret", "env:KEY", "--json"},
				settings, more)
			return command(t, "", []string{"KEY=" + secret}, args...)
		}
		events := eventNames(scheme)
		if scheme.Name() == "github" {
			events = []string{"push"}
		}
		for _, event := range events {
			if r := send(event); r.code != exitDone {
				t.Fatalf("%s: exit %d: %s%s", event, r.code, r.out, r.errors)
			}
		}
		for _, how := range tamperings() {
			r := send(events[0], "--tamper", how)
			switch {
			case r.code == exitUsage && how == tamperTimestamp && strings.Contains(r.errors, "nothing says how old"):
			case r.code == exitUsage && how == tamperSecret && scheme.Keyless() && !scheme.Public():
			case r.code != exitDone:
				t.Errorf("--tamper %s: exit %d: %s%s", how, r.code, r.out, r.errors)
			case strings.Contains(r.out, "as by any receiver") && how == tamperBody && scheme.BodyBound():
				t.Errorf("--tamper %s: a receiver of %s can notice: %s", how, scheme.Name(), r.out)
			}
		}
	})
}

// TestTriggerFindsBadReceivers spoils requests for a receiver that takes anything.
func TestTriggerFindsBadReceivers(t *testing.T) {
	t.Parallel()
	careless := newGitHubReceiver(t, http.StatusNoContent)
	for _, how := range tamperings() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			r := command(t, "", []string{"KEY=whsec_bG9vbS13YXJwLXdlZnQtc2h1dHRsZS1yZWVk"},
				"trigger", "stripe", "--to", careless.URL, "--secret", "env:KEY", "--tamper", how)
			if r.code != exitUndelivered || !strings.Contains(r.out, "failed: ") || !strings.Contains(r.errors, "hint: ") {
				t.Errorf("exit %d, %q, %q", r.code, r.out, r.errors)
			}
		})
	}
}

func TestTriggerListsProviders(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"trigger"}, {"trigger", "--list"}} {
		r := command(t, "", nil, args...)
		if n := strings.Count(r.out, "\n"); r.code != exitDone || n != len(extra.Schemes())+1 || !strings.Contains(r.out, "\nstripe ") {
			t.Errorf("%q: exit %d, %d lines", args, r.code, n)
		}
	}
	var all []listed
	r := command(t, "", nil, "trigger", "--list", "--json")
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all) != len(extra.Schemes()) {
		t.Errorf("%d providers, %v", len(all), err)
	}
	stripe, _ := provider.Lookup("stripe")
	r = command(t, "", nil, "trigger", "stripe", "--list")
	if lines := strings.Fields(r.out); r.code != exitDone || len(lines) != len(stripe.Events) || lines[0] != stripe.Events[0].Type {
		t.Errorf("exit %d, %q", r.code, r.out)
	}
}

func TestTriggerCompletes(t *testing.T) {
	t.Parallel()
	if r := command(t, "", nil, "__complete", "trigger", ""); !strings.Contains(r.out, "\nstripe\n") {
		t.Errorf("providers: %.200s", r.out)
	}
	if r := command(t, "", nil, "__complete", "trigger", "stripe", ""); !strings.Contains(r.out, "invoice.paid\n") {
		t.Errorf("events: %.200s", r.out)
	}
	if r := command(t, "", nil, "__complete", "trigger", "stripe", "--tamper", ""); !strings.Contains(r.out, "replay\n") {
		t.Errorf("ways to tamper: %.200s", r.out)
	}
}

func TestTriggerSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	const to = "http://127.0.0.1:1/"
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a slip":            {[]string{"stirpe", "--to", to}, "did you mean stripe?"},
		"several near":      {[]string{"hubspot", "--to", to}, "hubspot_v3"},
		"no such thing":     {[]string{"nobody-at-all", "--to", to}, "trigger --list lists them"},
		"no such event":     {[]string{"stripe", "invoice.payd", "--to", to, "--secret", "env:KEY"}, "did you mean invoice.paid"},
		"no provider":       {[]string{"--to", to, "--secret", "env:KEY"}, "which provider?"},
		"where it is":       {[]string{"stripe", "--to", to}, "the secret is the signing secret of the endpoint"},
		"a private key":     {[]string{"discord", "--to", to}, "signs with a private key, which only it has"},
		"the public key":    {[]string{"discord", "--to", to, "--secret", "env:PUBLIC"}, "private key in PEM"},
		"Amazon alone":      {[]string{"aws_sns", "--to", to}, "aws sns publish"},
		"a setting":         {[]string{"livekit", "--to", to, "--secret", "env:KEY"}, "--setting api_key="},
		"unknown setting":   {[]string{"livekit", "--to", to, "--secret", "env:KEY", "--setting", "key=1"}, "--setting api_key="},
		"not a tampering":   {[]string{"stripe", "--to", to, "--secret", "env:KEY", "--tamper", "bdy"}, "ways to tamper: body"},
		"no time":           {[]string{"shopify", "--to", to, "--secret", "env:KEY", "--tamper", "timestamp"}, "--tamper replay tests"},
		"no secret at all":  {[]string{"strava", "--to", to, "--tamper", "secret", "--setting", "subscription_id=1", "--setting", "verify_token=insecure-literal:x"}, "signs with no secret"},
		"not a signed URL":  {[]string{"twilio", "--to", to, "--secret", "env:KEY", "--url", "/webhook"}, "the whole of it"},
		"nothing to set":    {[]string{"kinde", "--to", to, "--secret", "env:RSA", "--set", "a"}, "PATH=VALUE"},
		"a source's secret": {[]string{"github", "push", "--source", "x", "--config", "nowhere.yaml"}, "nowhere.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{
				"KEY=whsec_bG9vbS13YXJwLXdlZnQtc2h1dHRsZS1yZWVk", "RSA=" + testSecrets()[3],
				"PUBLIC=d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
			}
			r := command(t, "", env, append([]string{"trigger"}, test.args...)...)
			if r.code != exitUsage && r.code != exitConfig || !strings.Contains(r.errors, test.want) {
				t.Errorf("exit %d, %q, want %q", r.code, r.errors, test.want)
			}
			if strings.Count(r.errors, ",") > 30 {
				t.Errorf("too much to read: %q", r.errors)
			}
		})
	}
}
