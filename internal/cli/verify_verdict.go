package cli

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/internal/capture"
	"github.com/tenterhook/tenterhook/internal/mismatch"
	"github.com/tenterhook/tenterhook/signature"
)

// A verdict is what verify says of a request, also as JSON.
type verdict struct {
	Valid    bool             `json:"valid"`
	Reason   signature.Reason `json:"reason,omitempty"`
	Detail   string           `json:"detail,omitempty"`
	Provider string           `json:"provider"`
	Source   string           `json:"source,omitempty"`
	Key      int              `json:"key,omitempty"` // from 1
	Secret   string           `json:"secret,omitempty"`

	Type       string     `json:"type,omitempty"`
	Subtype    string     `json:"subtype,omitempty"`
	DeliveryID string     `json:"delivery_id,omitempty"`
	SignedAt   *time.Time `json:"signed_at,omitempty"`
	BodyBound  bool       `json:"body_bound"`
	Answer     *answer    `json:"handshake,omitempty"`

	Causes []cause  `json:"causes,omitempty"`
	Doubts []string `json:"doubts,omitempty"`
	Tried  int      `json:"tried,omitempty"`
	Cut    bool     `json:"cut,omitempty"` // not everything was tried, for lack of time

	Format     capture.Format `json:"format"`
	URL        string         `json:"url,omitempty"`
	Bytes      int            `json:"bytes"`
	Now        time.Time      `json:"now"`
	CapturedAt *time.Time     `json:"captured_at,omitempty"`
	Notes      []string       `json:"notes,omitempty"`

	to *verifier
}

// A cause is a change that makes the request verify.
type cause struct {
	Cause    string `json:"cause"`
	With     string `json:"it_verifies"`
	Do       string `json:"do"`
	Provider string `json:"provider"`
	Besides  string `json:"besides,omitempty"` // what is wrong with its time as well
}

// An answer is how a provider's handshake is answered.
type answer struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
	Confirm string      `json:"confirm,omitempty"`
}

// answerOf describes a reply.
func answerOf(r signature.Reply) *answer {
	a := &answer{Status: r.Status, Headers: [][2]string{}, Body: string(r.Body), Confirm: r.Confirm}
	for name, values := range r.Header {
		for _, value := range values {
			a.Headers = append(a.Headers, [2]string{name, value})
		}
	}
	slices.SortFunc(a.Headers, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return a
}

// without takes a secret that came with the request out of the answer.
func (a *answer) without(secret string) *answer {
	if secret == "" {
		return a
	}
	for i := range a.Headers {
		a.Headers[i][1] = strings.ReplaceAll(a.Headers[i][1], secret, redacted)
	}
	a.Body = strings.ReplaceAll(a.Body, secret, redacted)
	return a
}

const redacted = "[redacted]"

// optionalTime returns nil for no time, and for one that is none of this era:
// what was taken for a timestamp may be any number.
func optionalTime(t time.Time) *time.Time {
	const lastYear = 9999
	if t.IsZero() || t.Year() > lastYear || t.Year() < 0 {
		return nil
	}
	t = t.UTC()
	return &t
}

// accept fills in what was verified.
func (v *verdict) accept(r signature.Result, isHandshake bool) {
	v.Valid = true
	v.URL = ""
	if isHandshake {
		return
	}
	if r.Key >= 0 && r.Key < len(v.to.secrets) { // or the key was fetched
		v.Key, v.Secret = r.Key+1, v.to.labels[r.Key]
	}
	v.Type, v.Subtype, v.DeliveryID = r.Type, r.Subtype, r.DeliveryID
	v.SignedAt, v.BodyBound = optionalTime(r.Time), r.BodyBound
}

// refuse fills in why it was not verified.
func (v *verdict) refuse(err error) {
	v.Detail = err.Error()
	if refusal, ok := errors.AsType[*signature.Error](err); ok {
		v.Reason, v.Detail = refusal.Reason, v.hide(refusal.Detail)
	}
	v.URL = v.hide(withoutUser(v.URL))
}

// lacksSecret reports whether nothing was verified for want of a secret.
func (v *verdict) lacksSecret() bool {
	return v.Reason == signature.ReasonNoKey && len(v.to.secrets) == 0
}

// explain fills in what was found out by trying.
func (v *verdict) explain(r mismatch.Report) {
	v.Tried, v.Cut = r.Tried, r.Cut
	for _, doubt := range r.Doubts {
		v.Doubts = append(v.Doubts, v.hide(doubt))
	}
	for _, c := range r.Causes {
		found := cause{Cause: c.Name, With: v.hide(c.With), Do: v.hide(c.Do), Provider: c.Scheme}
		if c.Time != nil && c.Name != "time" {
			found.Besides = v.hide(c.Time.Detail)
		}
		v.Causes = append(v.Causes, found)
	}
}

// hide takes secrets out of a text that quotes the request: some providers send
// theirs with it.
func (v *verdict) hide(text string) string {
	const least = 4 // characters; shorter ones are in every text
	for _, secret := range v.to.secrets {
		if len(secret) < least {
			continue
		}
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	return text
}

// withoutUser takes user and password out of a URL.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	u.User = nil
	return u.String()
}

func (v *verdict) print(u *ui) error {
	for _, note := range v.Notes {
		u.tell(span{waiting, "note: "}, text("%s", note))
	}
	if v.Valid {
		return v.printValid(u)
	}
	return v.printRefused(u)
}

func (v *verdict) printValid(u *ui) error {
	if v.Answer != nil {
		return v.printAnswer(u)
	}
	if err := u.line(span{good, "verified"}, text(" as %s signs, %s", v.Provider, bytesText(int64(v.Bytes)))); err != nil {
		return err
	}
	bound := span{good, "yes"}
	if !v.BodyBound {
		bound = span{waiting, "no"}
	}
	if err := u.fields(
		field("  secret", text("%s", v.secretText())),
		field("  type", text("%s", strings.TrimSuffix(v.Type+"."+v.Subtype, "."))),
		field("  delivery id", text("%s", v.DeliveryID)),
		field("  signed", text("%s", v.timeText(v.SignedAt))),
		field("  captured", text("%s", v.timeText(v.CapturedAt))),
		field("  body is signed", bound),
	); err != nil {
		return err
	}
	if !v.BodyBound {
		u.tell(span{waiting, "warning: "}, text("the signature does not cover the body: fetch from %s what matters", v.Provider))
	}
	return nil
}

// secretText says which of the secrets it was.
func (v *verdict) secretText() string {
	if v.Key == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%d of %d %s", v.Key, len(v.to.secrets), v.Secret))
}

func (v *verdict) timeText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339) + ", " + relative(*t, v.Now)
}

func (v *verdict) printAnswer(u *ui) error {
	a := v.Answer
	if err := u.line(span{good, "verified"}, text(" as a handshake of %s, to be answered with %d", v.Provider, a.Status)); err != nil {
		return err
	}
	rows := make([][2]span, 0, len(a.Headers)+2) //nolint:mnd // and the two below
	for _, pair := range a.Headers {
		rows = append(rows, field("  "+pair[0], text("%s", pair[1])))
	}
	return u.fields(append(rows, field("  body", text("%s", a.Body)), field("  then GET", text("%s", a.Confirm)))...)
}

func (v *verdict) printRefused(u *ui) error {
	if err := u.line(span{bad, "not verified"}, text(" as %s signs: %s", v.Provider, v.sentence())); err != nil {
		return err
	}
	for _, c := range v.Causes {
		if err := u.line(span{good, "it verifies "}, text("%s", c.With)); err != nil {
			return err
		}
		if err := u.line(text("  %s", c.Do)); err != nil {
			return err
		}
		if c.Besides != "" {
			if err := u.line(text("  Besides: %s.", c.Besides)); err != nil {
				return err
			}
		}
	}
	if len(v.Causes) > 0 {
		return nil
	}
	return v.printUnexplained(u)
}

func (v *verdict) sentence() string {
	if v.Reason == "" {
		return v.Detail
	}
	return string(v.Reason) + ": " + v.Detail
}

// printUnexplained says what can be said when nothing has made it verify.
func (v *verdict) printUnexplained(u *ui) error {
	for _, doubt := range v.Doubts {
		if err := u.line(span{waiting, "doubt: "}, text("%s", doubt)); err != nil {
			return err
		}
	}
	tried := strconv.Itoa(v.Tried) + " changes were tried, and with none of them does it verify"
	if v.Cut {
		tried = "after " + explainTimeout.String() + " " + tried
	}
	if err := u.line(text("%s.", tried)); err != nil {
		return err
	}
	if v.Reason == signature.ReasonSignatureMismatch {
		u.hint("the secret is most likely another one: copy it again from the provider, and check that it belongs to this webhook. " +
			"Otherwise the body was changed in a way that cannot be undone: capture the bytes as they arrive")
	}
	return nil
}
