package sample

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"github.com/tenterhook/tenterhook/signature"
)

// userAgent begins as GitHub's does; the rest of GitHub's changes with every
// release of theirs.
const userAgent = "GitHub-Hookshot/tenterhook"

// hookID stands for the id of the webhook where the payload names none.
const hookID = 109948940

// Request returns the request that GitHub sends for p: a POST to url with
// GitHub's headers, signed with keys in SHA-256 and, as GitHub does for old
// receivers, in SHA-1. The delivery id is a UUID; if it is empty, a new one is
// made with [NewDeliveryID]. The error is about the url or the keys.
func (p Payload) Request(ctx context.Context, url string, keys signature.Keys, deliveryID string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(p.Body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if deliveryID == "" {
		deliveryID = NewDeliveryID()
	}
	req.Header = p.Header(deliveryID)
	return req, p.sign(req, keys, deliveryID)
}

// Header returns the headers that GitHub sends with p, but for the signatures.
func (p Payload) Header(deliveryID string) http.Header {
	targetType, targetID := p.target()
	hook := gjson.GetBytes(p.Body, "hook_id").Int()
	if hook == 0 {
		hook = hookID
	}
	header := make(http.Header)
	for name, value := range map[string]string{
		"Accept":                                 "*/*",
		"Content-Type":                           "application/json",
		"User-Agent":                             userAgent,
		"X-GitHub-Delivery":                      deliveryID,
		"X-GitHub-Event":                         p.Event,
		"X-GitHub-Hook-ID":                       strconv.FormatInt(hook, 10),
		"X-GitHub-Hook-Installation-Target-ID":   strconv.FormatInt(targetID, 10),
		"X-GitHub-Hook-Installation-Target-Type": targetType,
	} {
		header.Set(name, value)
	}
	return header
}

// target says what the webhook is installed on: a repository, an organization,
// or, for events that belong to neither, an app.
func (p Payload) target() (kind string, id int64) {
	for _, kind := range []string{"repository", "organization"} {
		if id := gjson.GetBytes(p.Body, kind+".id").Int(); id != 0 {
			return kind, id
		}
	}
	return "integration", gjson.GetBytes(p.Body, "installation.app_id").Int()
}

// sign adds both of GitHub's signatures to req.
func (p Payload) sign(req *http.Request, keys signature.Keys, deliveryID string) error {
	signed := &signature.Request{Method: req.Method, URL: req.URL.String(), Header: req.Header, Body: p.Body}
	if err := SignSHA1(signed, keys); err != nil {
		return err
	}
	if err := signature.GitHub.Sign(signed, keys, signature.SignOptions{ID: deliveryID, Time: time.Now()}); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	return nil
}

// SignSHA1 adds the signature that GitHub adds for old receivers: X-Hub-Signature,
// with SHA-1.
func SignSHA1(r *signature.Request, keys signature.Keys) error {
	old, err := signature.HMAC(signature.HMACOptions{
		Header: "X-Hub-Signature", Algorithm: "sha1", Encoding: "hex", Prefix: "sha1=",
	})
	if err != nil {
		return fmt.Errorf("describe the old signature: %w", err)
	}
	if err := old.Sign(r, keys, signature.SignOptions{}); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	return nil
}

// NewDeliveryID returns a new random UUID, in the form of X-GitHub-Delivery.
func NewDeliveryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])  // never fails: crypto/rand aborts the program instead
	b[6] = b[6]&0x0f | 0x40 // version 4: random
	b[8] = b[8]&0x3f | 0x80 // the variant of RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
