package sample_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenterhook/tenterhook/internal/sample"
	"github.com/tenterhook/tenterhook/signature"
)

const secret = "It's a Secret to Everybody" // of GitHub's own documentation

func keys(t *testing.T) signature.Keys {
	t.Helper()
	keys, err := signature.NewKeys(secret)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// request returns the request for the payload of that name.
func request(t *testing.T, event, action, deliveryID string) *http.Request {
	t.Helper()
	p, err := sample.GitHub(event, action)
	if err != nil {
		t.Fatal(err)
	}
	req, err := p.Request(t.Context(), "http://localhost:8000/webhook/github", keys(t), deliveryID)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// TestSignatures computes both signatures by hand.
func TestSignatures(t *testing.T) {
	t.Parallel()
	req := request(t, "push", "", "")
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	if req.Method != http.MethodPost || req.ContentLength != int64(len(body)) {
		t.Errorf("%s with %d bytes announced, want POST with %d", req.Method, req.ContentLength, len(body))
	}
	for header, algorithm := range map[string]struct {
		prefix string
		hash   func() hash.Hash
	}{
		"X-Hub-Signature":     {"sha1=", sha1.New},
		"X-Hub-Signature-256": {"sha256=", sha256.New},
	} {
		mac := hmac.New(algorithm.hash, []byte(secret))
		mac.Write(body)
		want := algorithm.prefix + hex.EncodeToString(mac.Sum(nil))
		if got := req.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
}

// TestEverySampleVerifies signs all payloads and has the gateway's own scheme
// verify them and read their type and delivery id.
func TestEverySampleVerifies(t *testing.T) {
	t.Parallel()
	for p := range sample.All() {
		id := sample.NewDeliveryID()
		req, err := p.Request(t.Context(), "http://localhost:8000/webhook/github", keys(t), id)
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		got, err := signature.GitHub.Verify(
			&signature.Request{Method: req.Method, URL: req.URL.String(), Header: req.Header, Body: p.Body},
			keys(t), time.Now())
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if got.Type != p.Event || got.Subtype != p.Action || got.DeliveryID != id {
			t.Errorf("%s is read as type %q, subtype %q, delivery %q, want delivery %q",
				p.Name, got.Type, got.Subtype, got.DeliveryID, id)
		}
	}
}

func TestHeadersAreGitHubs(t *testing.T) {
	t.Parallel()
	req := request(t, "pull_request", "opened", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	want := []string{
		"Accept", "Content-Type", "User-Agent", "X-Github-Delivery", "X-Github-Event", "X-Github-Hook-Id",
		"X-Github-Hook-Installation-Target-Id", "X-Github-Hook-Installation-Target-Type",
		"X-Hub-Signature", "X-Hub-Signature-256",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(req.Header))); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"Content-Type":                           "application/json",
		"X-GitHub-Delivery":                      "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"X-GitHub-Event":                         "pull_request",
		"X-GitHub-Hook-Installation-Target-Type": "repository",
	} {
		if got := req.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(req.UserAgent(), "GitHub-Hookshot/") {
		t.Errorf("User-Agent is %q, want GitHub-Hookshot/...", req.UserAgent())
	}
}

func TestTargetOfTheWebhook(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"push":                             "repository",
		"org_block.blocked":                "organization",
		"github_app_authorization.revoked": "integration",
	} {
		n := sample.ParseName(name)
		req := request(t, n.Event, n.Action, "")
		if got := req.Header.Get("X-GitHub-Hook-Installation-Target-Type"); got != want {
			t.Errorf("%s is from a webhook of a %q, want %q", name, got, want)
		}
	}
}

func TestRequestRefuses(t *testing.T) {
	t.Parallel()
	p, err := sample.GitHub("ping", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Request(t.Context(), "http://local host/", keys(t), ""); err == nil {
		t.Error("a URL with a space is taken, want an error")
	}
	if _, err := p.Request(t.Context(), "http://localhost/", signature.Keys{}, ""); err == nil {
		t.Error("no key signs, want an error")
	}
}

func TestNewDeliveryID(t *testing.T) {
	t.Parallel()
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := sample.NewDeliveryID(), sample.NewDeliveryID()
	if !uuid.MatchString(a) || !uuid.MatchString(b) || a == b {
		t.Errorf("got %q and %q, want two UUIDs of version 4", a, b)
	}
}
