package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

func newTestTemplate(t *testing.T, size int) *template {
	t.Helper()
	tpl, err := newTemplate(templateSpec{
		host: "127.0.0.1:8000", path: pathGitHub, event: eventPush, secret: githubSecret, size: size,
	})
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func TestRequestsAreSignedAsGitHubSigns(t *testing.T) {
	t.Parallel()
	keys, err := signature.NewKeys(githubSecret)
	if err != nil {
		t.Fatal(err)
	}
	old, err := signature.HMAC(signature.HMACOptions{Header: "X-Hub-Signature", Algorithm: "sha1", Encoding: "hex", Prefix: "sha1="})
	if err != nil {
		t.Fatal(err)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, size := range []int{1 << 10, 10 << 10} {
		tpl := newTestTemplate(t, size)
		seen := make(map[string]bool)
		for n := range uint64(3) {
			want := stamp{run: 7, connection: 300, number: n, sent: time.Now().UnixNano()}
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(tpl.fill(want))))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if len(body) != size {
				t.Errorf("the body has %d bytes, want %d", len(body), size)
			}
			request := &signature.Request{Method: r.Method, URL: r.URL.String(), Header: r.Header, Body: body}
			result, err := signature.GitHub.Verify(request, keys, time.Now())
			if err != nil {
				t.Fatalf("verify: %v", err)
			}
			if _, err := old.Verify(request, keys, time.Now()); err != nil {
				t.Errorf("verify the old signature: %v", err)
			}
			if result.Type != eventPush || !uuid.MatchString(result.DeliveryID) || seen[result.DeliveryID] {
				t.Errorf("got type %q and delivery id %q, want a push and a new UUID", result.Type, result.DeliveryID)
			}
			seen[result.DeliveryID] = true
			if got, err := readStamp(body); err != nil || got != want {
				t.Errorf("the payload's stamp is %+v, %v; want %+v", got, err, want)
			}
			if got := tpl.header().Get("X-Hub-Signature-256"); got != r.Header.Get("X-Hub-Signature-256") {
				t.Errorf("the header that is filled in has signature %q, want that of the request", got)
			}
		}
	}
}

func TestPayloadsArePushes(t *testing.T) {
	t.Parallel()
	for size := range 3000 {
		body, err := push(size)
		if err != nil {
			if size >= 1000 {
				t.Fatalf("no push of %d bytes: %v", size, err)
			}
			continue
		}
		var p struct {
			Ref     string
			After   string
			Commits []struct{ Message string }
		}
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		if len(body) != size || p.Ref != "refs/heads/main" || len(p.After) != stampLen || len(p.Commits) == 0 {
			t.Fatalf("size %d: got %d bytes of %+v", size, len(body), p)
		}
	}
}

func TestStampsOfForeignPayloads(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", `{"after":"`, `{"after":"6113728f"}`, `{"after":"zzzz728f27ae82c7b1a177c8d03f9e96e0adf246"}`} {
		if _, err := readStamp([]byte(body)); !errors.Is(err, errNoStamp) {
			t.Errorf("%q: got %v, want errNoStamp", body, err)
		}
	}
}

func TestMessagesAreReadOneAfterTheOther(t *testing.T) {
	t.Parallel()
	m := message{in: bufio.NewReader(bytes.NewReader([]byte(
		"POST /3 HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\nhi" +
			"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n" +
			"POST /4 HTTP/1.1\r\nContent-Length: 5\r\n\r\ncut")))}
	if err := m.read(); err != nil || string(m.path()) != "/3" || string(m.body) != "hi" {
		t.Errorf("first: got %q, %q, %v; want /3 and hi", m.path(), m.body, err)
	}
	if err := m.read(); err != nil || m.status() != http.StatusServiceUnavailable || len(m.body) != 0 {
		t.Errorf("second: got %d, %q, %v; want 503 without a body", m.status(), m.body, err)
	}
	if err := m.read(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("third: got %v, want that it is cut off", err)
	}
	if err := m.read(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: got %v, want EOF", err)
	}
	for _, text := range []string{"POST / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"} {
		m := message{in: bufio.NewReader(bytes.NewReader([]byte(text)))}
		if err := m.read(); !errors.Is(err, errFraming) {
			t.Errorf("%q: got %v, want errFraming", text, err)
		}
	}
}
