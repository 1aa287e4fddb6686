package signature_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tenterhook/tenterhook/signature"
)

const standardID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"

func standardRequest(t *testing.T, at time.Time) *signature.Request {
	t.Helper()
	return signed(t, signature.StandardWebhooks, newKeys(t, whsecA), []byte(`{"type":"invoice.paid"}`), at)
}

func TestStandardWebhooksResult(t *testing.T) {
	t.Parallel()
	at := time.Unix(1780000000, 0)
	result, err := signature.StandardWebhooks.Verify(standardRequest(t, at), newKeys(t, whsecB, whsecA), at)
	want := signature.Result{Key: 1, Type: "invoice.paid", DeliveryID: standardID, Time: at.UTC(), BodyBound: true}
	if err != nil || result != want {
		t.Errorf("got %+v, %v, want %+v", result, err, want)
	}
}

// The official library and this package accept each other's signatures.
func TestStandardWebhooksOracle(t *testing.T) {
	t.Parallel()
	official, err := standardwebhooks.NewWebhook(whsecA)
	if err != nil {
		t.Fatal(err)
	}
	keys := newKeys(t, whsecA)
	now := time.Now()
	for i, body := range [][]byte{nil, {}, []byte("{}"), []byte("\xff\x00\xfe"), payload(1 << 16)} {
		theirs := http.Header{}
		sig, err := official.Sign(standardID, now, body)
		if err != nil {
			t.Fatal(err)
		}
		theirs.Set(standardwebhooks.HeaderWebhookID, standardID)
		theirs.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
		theirs.Set(standardwebhooks.HeaderWebhookSignature, sig)
		r := &signature.Request{Header: theirs, Body: body}
		if _, err := signature.StandardWebhooks.Verify(r, keys, now); err != nil {
			t.Errorf("body %d: what the official library signs is refused: %v", i, err)
		}

		ours := &signature.Request{Body: body}
		if err := signature.StandardWebhooks.Sign(ours, keys, signature.SignOptions{ID: standardID, Time: now}); err != nil {
			t.Fatal(err)
		}
		if err := official.Verify(body, ours.Header); err != nil {
			t.Errorf("body %d: the official library refuses what is signed here: %v", i, err)
		}
		if got := ours.Header.Get("webhook-signature"); got != sig {
			t.Errorf("body %d: signature is %q, the official library makes %q", i, got, sig)
		}
	}
}

func TestStandardWebhooksTolerance(t *testing.T) {
	t.Parallel()
	at := time.Unix(1780000000, 0)
	r, keys := standardRequest(t, at), newKeys(t, whsecA)
	for _, test := range []struct {
		age  time.Duration
		want signature.Reason
	}{
		{0, ""},
		{300 * time.Second, ""},
		{-300 * time.Second, ""},
		{300*time.Second + time.Nanosecond, signature.ReasonTimestampStale},
		{301 * time.Second, signature.ReasonTimestampStale},
		{-300*time.Second - time.Nanosecond, signature.ReasonTimestampFuture},
		{-301 * time.Second, signature.ReasonTimestampFuture},
		{250 * 365 * 24 * time.Hour, signature.ReasonTimestampStale},
		{-50 * 365 * 24 * time.Hour, signature.ReasonTimestampFuture},
	} {
		_, err := signature.StandardWebhooks.Verify(r, keys, at.Add(test.age))
		if got := reasonOf(t, err); got != test.want {
			t.Errorf("age %v: got %q, want %q", test.age, got, test.want)
		}
	}
	// Stale is only said of what was rightly signed.
	r.Body = append(r.Body, ' ')
	_, err := signature.StandardWebhooks.Verify(r, keys, at.Add(time.Hour))
	if got := reasonOf(t, err); got != signature.ReasonSignatureMismatch {
		t.Errorf("stale and forged: got %q", got)
	}
}

func TestStandardWebhooksHeaders(t *testing.T) {
	t.Parallel()
	at := time.Unix(1780000000, 0)
	const zeros = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	sig := standardRequest(t, at).Header.Get("Webhook-Signature")
	raw := strings.TrimPrefix(sig, "v1,")
	for _, test := range []struct {
		header string
		values []string
		want   signature.Reason
	}{
		// The id: what could move the border to the timestamp, or to another header.
		{"Webhook-Id", []string{"msg.1"}, signature.ReasonMalformedValue},
		{"Webhook-Id", []string{"msg\r\nx"}, signature.ReasonMalformedValue},
		{"Webhook-Id", []string{"msg\n"}, signature.ReasonMalformedValue},
		{"Webhook-Id", []string{"msg\x00"}, signature.ReasonMalformedValue},
		{"Webhook-Id", []string{"m\u00fcg"}, signature.ReasonMalformedValue},
		{"Webhook-Id", []string{strings.Repeat("m", 257)}, signature.ReasonMalformedValue},
		{"Webhook-Id", []string{strings.Repeat("m", 256)}, signature.ReasonSignatureMismatch},
		{"Webhook-Id", []string{""}, signature.ReasonMissingValue},
		{"Webhook-Id", nil, signature.ReasonMissingValue},
		{"Webhook-Id", []string{standardID, standardID}, signature.ReasonDuplicateHeader},
		// The timestamp: one way to write each.
		{"Webhook-Timestamp", []string{"+1780000000"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"-1780000000"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{" 1780000000"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"1780000000 "}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"01780000000"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"1780000000.0"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"178e7"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"1_780_000_000"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"0x6a18e580"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"\u0661780000000"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"99999999999999999999"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{"0"}, signature.ReasonTimestampMalformed},
		{"Webhook-Timestamp", []string{""}, signature.ReasonTimestampMissing},
		{"Webhook-Timestamp", nil, signature.ReasonTimestampMissing},
		{"Webhook-Timestamp", []string{"1780000000", "1780000000"}, signature.ReasonDuplicateHeader},
		{"Webhook-Timestamp", []string{"1780000001"}, signature.ReasonSignatureMismatch},
		// The list of signatures.
		{"Webhook-Signature", []string{sig, sig}, signature.ReasonDuplicateHeader},
		{"Webhook-Signature", []string{strings.Repeat(zeros+" ", 9) + sig}, ""},
		{"Webhook-Signature", []string{strings.Repeat(zeros+" ", 10) + sig}, signature.ReasonTooManySignatures},
		{"Webhook-Signature", []string{strings.Repeat("v9,x ", 10) + sig}, signature.ReasonTooManySignatures},
		{"Webhook-Signature", []string{strings.Repeat(zeros+" ", 10000)}, signature.ReasonTooManySignatures},
		{"Webhook-Signature", []string{"v1a,xx v2,yy  " + sig + " "}, ""},
		{"Webhook-Signature", []string{"v2," + raw}, signature.ReasonUnsupportedVersion},
		{"Webhook-Signature", []string{"v1a," + raw}, signature.ReasonUnsupportedVersion},
		{"Webhook-Signature", []string{"V1," + raw}, signature.ReasonUnsupportedVersion},
		{"Webhook-Signature", []string{"v1," + raw + ",x"}, signature.ReasonMalformedSignature},
		{"Webhook-Signature", []string{"v1,\n" + raw}, signature.ReasonMalformedSignature},
		{"Webhook-Signature", []string{"v1," + raw[:20] + "\r\n" + raw[22:]}, signature.ReasonMalformedSignature},
		{"Webhook-Signature", []string{"v1," + strings.TrimSuffix(raw, "=")}, signature.ReasonMalformedSignature},
		{"Webhook-Signature", []string{"v1,"}, signature.ReasonMalformedSignature},
		{"Webhook-Signature", []string{"   "}, signature.ReasonMissingSignature},
		{"Webhook-Signature", []string{","}, signature.ReasonMalformedSignature},
	} {
		t.Run(fmt.Sprintf("%s %.40q", test.header, test.values), func(t *testing.T) {
			t.Parallel()
			r := standardRequest(t, at)
			r.Header[test.header] = test.values
			_, err := signature.StandardWebhooks.Verify(r, newKeys(t, whsecA), at)
			if got := reasonOf(t, err); got != test.want {
				t.Errorf("got %q, want %q: %v", got, test.want, err)
			}
		})
	}
}

// The last bits of base64 text mean nothing when a padded length leaves them
// over. Two texts for one signature are not both accepted.
func TestStandardWebhooksSpareBits(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	at := time.Unix(1780000000, 0)
	r := standardRequest(t, at)
	sig := r.Header.Get("Webhook-Signature")
	last := strings.IndexByte(alphabet, sig[len(sig)-2])
	r.Header.Set("Webhook-Signature", sig[:len(sig)-2]+alphabet[last|1:][:1]+"=")
	_, err := signature.StandardWebhooks.Verify(r, newKeys(t, whsecA), at)
	if reasonOf(t, err) != signature.ReasonMalformedSignature {
		t.Errorf("got %v", err)
	}
}

// An id "a.1" at time 2 and an id "a" at time 1 with "2." before the body would
// be the same message. One of them cannot be signed, nor verified.
func TestStandardWebhooksBorders(t *testing.T) {
	t.Parallel()
	keys, at := newKeys(t, whsecA), time.Unix(1, 0)
	r := &signature.Request{Body: []byte("2.{}")}
	if err := signature.StandardWebhooks.Sign(r, keys, signature.SignOptions{ID: "a", Time: at}); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Webhook-Id", "a.1")
	r.Header.Set("Webhook-Timestamp", "2")
	r.Body = []byte("{}")
	if _, err := signature.StandardWebhooks.Verify(r, keys, at); reasonOf(t, err) != signature.ReasonMalformedValue {
		t.Errorf("got %v", err)
	}
	if err := signature.StandardWebhooks.Sign(r, keys, signature.SignOptions{ID: "a.1", Time: at}); err == nil {
		t.Error("an id with a . is signed")
	}
}
