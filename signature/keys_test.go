package signature_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/signature"
)

func TestNewKeysRefuses(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]string{
		"none":          nil,
		"empty":         {""},
		"white space":   {" \t\r\n"},
		"one of two":    {"good", ""},
		"more than ten": slices.Repeat([]string{"x"}, signature.MaxKeys+1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, err := signature.NewKeys(secrets...)
			if err == nil || keys.Len() != 0 {
				t.Errorf("got %d keys, %v", keys.Len(), err)
			}
			if err != nil && strings.Contains(err.Error(), "good") {
				t.Errorf("error %q holds a secret", err)
			}
		})
	}
}

func TestKeysAreTakenBeforeTheCallerChangesThem(t *testing.T) {
	t.Parallel()
	secrets := []string{whsecA}
	keys := newKeys(t, secrets...)
	secrets[0] = ""
	if err := signature.StandardWebhooks.CheckKeys(keys); err != nil {
		t.Error(err)
	}
}

// No way of printing, logging or encoding shows a secret, also of keys that were
// used, and keys in a field that others cannot see.
func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	keys := newKeys(t, secret)
	_, _ = signature.GitHub.Verify(githubRequest(), keys, githubTime) // only to have the keys prepared
	type config struct {
		Keys   signature.Keys
		Hidden *signature.Keys
		keys   signature.Keys
	}
	c := config{keys, &keys, keys}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%10.3s"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", keys, c, &c)
		fmt.Fprintf(&out, verb+"\n", []any{keys, &keys, c.keys})
	}
	fmt.Fprintln(&out, keys.String(), keys.GoString())
	for _, v := range []any{keys, &keys, c, map[string]any{"k": keys}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	b, err := keys.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "keys", keys, "config", c)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "keys", keys, "config", c)
	fmt.Fprintln(&out, signature.StandardWebhooks.CheckKeys(keys))
	for _, form := range []string{
		secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%v", []byte(secret)),
		base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		if bytes.Contains(out.Bytes(), []byte(form)) {
			t.Errorf("the secret is there as %q", form)
		}
	}
	if !bytes.Contains(out.Bytes(), []byte("[redacted]")) {
		t.Error("nothing says that it is redacted")
	}
}

func TestCheckKeys(t *testing.T) {
	t.Parallel()
	form := func(f signature.KeyForm) *signature.Scheme {
		return newScheme(t, signature.Spec{Name: "x", Key: f, Read: []signature.Read{{From: "x", Pattern: "{sig}"}}})
	}
	whsec := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, test := range []struct {
		name   string
		scheme *signature.Scheme
		secret string
		want   string // in the problem; empty if there is none
	}{
		{"text", signature.GitHub, "anything at all", ""},
		{"24 bytes", signature.StandardWebhooks, whsec(24), ""},
		{"64 bytes", signature.StandardWebhooks, whsec(64), ""},
		{"23 bytes", signature.StandardWebhooks, whsec(23), "23 bytes"},
		{"65 bytes", signature.StandardWebhooks, whsec(65), "65 bytes"},
		{"no prefix", signature.StandardWebhooks, strings.TrimPrefix(whsecA, "whsec_"), ""},
		{"private key", signature.StandardWebhooks, "whsk_" + whsecA[6:], "whsec_"},
		{"not base64", signature.StandardWebhooks, "whsec_!" + whsecA[7:], "not base64"},
		{"base64url", signature.StandardWebhooks, "whsec_-_" + whsecA[8:], "not base64"},
		{"nothing after it", signature.StandardWebhooks, "whsec_", "0 bytes"},
		{"hex", form(signature.KeyHex), "00ffAB", ""},
		{"odd hex", form(signature.KeyHex), "00f", "hexadecimal"},
		{"base64", form(signature.KeyBase64), "AAECAw==", ""},
		{"not base64 either", form(signature.KeyBase64), "AAECAw", "base64"},
		{"line break after it", form(signature.KeyBase64), "AAECAw==\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.scheme.CheckKeys(newKeys(t, test.secret))
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			problem, ok := errors.AsType[*signature.KeyError](err)
			if !ok || !strings.Contains(problem.Problem, test.want) || problem.Hint == "" {
				t.Fatalf("got %+v, want a problem with %q and a hint", err, test.want)
			}
			rest := strings.TrimPrefix(test.secret, "whsec_")
			if rest != "" && strings.Contains(err.Error()+problem.Hint, rest) {
				t.Errorf("error %q holds the secret", err)
			}
		})
	}
	err := signature.StandardWebhooks.CheckKeys(newKeys(t, whsecA, "plain"))
	if problem, ok := errors.AsType[*signature.KeyError](err); !ok || problem.Key != 1 {
		t.Errorf("got %v, want the second key to be blamed", err)
	}
	if err := signature.GitHub.CheckKeys(signature.Keys{}); err == nil {
		t.Error("no keys are accepted")
	}
	if err := (*signature.Scheme)(nil).CheckKeys(newKeys(t, "x")); err == nil {
		t.Error("a nil scheme accepts keys")
	}
}
