package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tenterhook/tenterhook/hooktest"
	"github.com/tenterhook/tenterhook/signature"
)

// The ways to tamper with a request. They are those of package hooktest, but that
// a replay is the same request twice, and "timestamp" what hooktest calls a replay.
const (
	tamperBody      = "body"
	tamperSecret    = "secret"
	tamperTimestamp = "timestamp"
	tamperHeader    = "header"
	tamperReplay    = "replay"
)

func tamperings() []string {
	return []string{tamperBody, tamperSecret, tamperTimestamp, tamperHeader, tamperReplay}
}

// spoilt says what was done to a request.
func spoilt(how string) string {
	return map[string]string{
		tamperBody:      "its body changed after it was signed",
		tamperSecret:    "signed with another secret",
		tamperTimestamp: "signed a month ago",
		tamperHeader:    "without its signature",
		tamperReplay:    "the same once more",
	}[how]
}

// lesson says what a receiver lacks that accepts such a request.
func lesson(how string) string {
	return map[string]string{
		tamperBody:      "verify the bytes as they came, before anything parses them",
		tamperSecret:    "is the signature verified at all?",
		tamperTimestamp: "compare the time that is signed with the clock, and refuse what is older than the provider allows",
		tamperHeader:    "a request without a signature must not be taken for one that needs none",
		tamperReplay: "keep the delivery id and act on it once. That can be seen if the answer is 4xx, or says " +
			`{"duplicate": true}; Tenterhook-Duplicate: true does as well`,
	}[how]
}

// tamperWith sends spoilt requests, and judges what the receiver makes of them.
func (o triggerOptions) tamperWith(ctx context.Context, t triggerTarget, s eventSample) error {
	var failed *triggered
	for range o.count {
		sent, err := o.tamperOnce(ctx, t, s)
		if err != nil {
			return err
		}
		if err := sent.print(o.ui); err != nil {
			return err
		}
		if !*sent.Passed {
			failed = &sent
		}
	}
	if failed == nil {
		return nil
	}
	hint := lesson(o.tamper)
	if !failed.accepted() {
		hint = failed.hint(t.scheme)
	}
	return &failure{exit: exitUndelivered, err: errors.New("the receiver does not pass: " + failed.Note), hint: hint}
}

func (o triggerOptions) tamperOnce(ctx context.Context, t triggerTarget, s eventSample) (triggered, error) {
	now := o.ui.now()
	fresh := s.fresh(o.deliveryID)
	if o.tamper == tamperReplay {
		return o.replay(ctx, t, fresh, now)
	}
	r, unnoticed, err := t.spoil(fresh, o.tamper, now)
	if err != nil {
		return triggered{}, err
	}
	sent, err := t.send(ctx, r)
	return sent.judged(o.tamper, unnoticed), err
}

// replay sends one request twice.
func (o triggerOptions) replay(ctx context.Context, t triggerTarget, e freshEvent, now time.Time) (triggered, error) {
	r, err := t.signed(e, now)
	if err != nil {
		return triggered{}, err
	}
	first, err := t.send(ctx, r)
	if err != nil {
		return first, err
	}
	if !o.ui.json {
		if err := first.print(o.ui); err != nil {
			return first, err
		}
	}
	if !first.accepted() {
		return first, notAccepted(first, t.scheme, 1, 1)
	}
	second, err := t.send(ctx, r)
	var unnoticed string
	if r.deliveryID == "" {
		unnoticed = t.scheme.Name() + " sends no delivery id by which a repetition could be known"
	}
	return second.judged(tamperReplay, unnoticed), err
}

// judged says whether the receiver did what it must. Unnoticed is why no receiver
// can see that something is wrong, if that is so.
func (d triggered) judged(how, unnoticed string) triggered {
	passed := true
	switch {
	case d.refused():
		d.Note = "it was refused"
	case how == tamperReplay && d.accepted() && d.duplicate:
		d.Note = "it was known for a duplicate"
	case d.accepted() && unnoticed != "":
		d.Note = "it was accepted, as by any receiver: " + unnoticed
	case d.accepted() && how == tamperReplay:
		passed, d.Note = false, "a request was accepted twice, and not known for a duplicate"
	case d.accepted():
		passed, d.Note = false, "it accepted a request that was tampered with: "+spoilt(how)
	default:
		passed, d.Note = false, fmt.Sprintf("%d %s neither accepts nor refuses the request", d.Status, http.StatusText(d.Status))
	}
	d.Tamper, d.Passed = how, &passed
	return d
}

// spoil returns a request that is tampered with. If no receiver can notice, it
// says why.
func (t triggerTarget) spoil(e freshEvent, how string, now time.Time) (r outgoing, unnoticed string, err error) {
	opts := t.options(e, now)
	good := requestOf(e.Event, t.address)
	if err := t.verifiable(good, opts); err != nil {
		return r, "", err
	}
	r = outgoing{Request: copyOf(good), event: e.name, deliveryID: e.id}
	err = hooktestWay(how).Sign(r.Request, t.scheme, t.keys, opts)
	switch {
	case err == nil:
		return r, "", nil
	case !errors.Is(err, hooktest.ErrUntamperable):
		return r, "", t.cannotSign(err)
	case how == tamperHeader:
		err = t.withoutSignature(r.Request, good, opts)
		return r, "", err
	case how == tamperBody && !t.scheme.BodyBound():
		if err := t.scheme.Sign(r.Request, t.keys, opts); err != nil {
			return r, "", t.cannotSign(err)
		}
		r.Body = changeLetter(r.Body)
		return r, t.scheme.Name() + " does not sign the body; fetch from the provider what matters", nil
	}
	return r, "", t.untamperable(how)
}

func hooktestWay(how string) hooktest.Tampering {
	switch how {
	case tamperTimestamp:
		return hooktest.TamperReplay
	case tamperSecret:
		return hooktest.TamperSecret
	case tamperHeader:
		return hooktest.TamperHeader
	}
	return hooktest.TamperBody
}

// verifiable makes sure that the request would be accepted if it were not tampered
// with: else its refusal would say nothing.
func (t triggerTarget) verifiable(unsigned *signature.Request, opts signature.SignOptions) error {
	r := copyOf(unsigned)
	if err := t.scheme.Sign(r, t.keys, opts); err != nil {
		return t.cannotSign(err)
	}
	_, err := t.scheme.Verify(r, t.keys, opts.Time)
	if refused, ok := errors.AsType[*signature.Error](err); ok && refused.Reason == signature.ReasonNoSetting {
		return usageError(settingsHint(t.scheme), "%s needs a setting: %w", t.scheme.Name(), err)
	}
	if err != nil {
		return fmt.Errorf("verify what was signed: %w", err)
	}
	return nil
}

// untamperable says why there is nothing of that kind to tamper with.
func (t triggerTarget) untamperable(how string) error {
	name := t.scheme.Name()
	switch how {
	case tamperTimestamp:
		return usageError("--tamper replay tests what a receiver can do about old requests",
			"nothing says how old a request of %s may be, so there is no time to tamper with", name)
	case tamperSecret:
		return usageError("--tamper header leaves out what it checks instead", "%s signs with no secret", name)
	}
	return usageError("choose another event, or another way: "+joined(tamperings()),
		"this event of %s has no %s to tamper with", name, how)
}

// withoutSignature takes the signature out of the query or the body: what signing
// has put there is left out.
func (t triggerTarget) withoutSignature(r, unsigned *signature.Request, opts signature.SignOptions) error {
	signed := copyOf(unsigned)
	if err := t.scheme.Sign(signed, t.keys, opts); err != nil {
		return t.cannotSign(err)
	}
	lacking := []*signature.Request{
		{Method: signed.Method, URL: unsigned.URL, Header: signed.Header, Body: signed.Body},
		{Method: signed.Method, URL: signed.URL, Header: signed.Header, Body: unsigned.Body},
	}
	i := slices.IndexFunc(lacking, func(bad *signature.Request) bool {
		_, err := t.scheme.Verify(bad, t.keys, opts.Time)
		return err != nil
	})
	if i < 0 {
		return t.untamperable(tamperHeader)
	}
	*r = *lacking[i]
	return nil
}

func copyOf(r *signature.Request) *signature.Request {
	return &signature.Request{Method: r.Method, URL: r.URL, Header: r.Header.Clone(), Body: bytes.Clone(r.Body)}
}

// changeLetter changes the last letter or digit that can be, so that what is JSON
// still is.
func changeLetter(body []byte) []byte {
	isJSON := json.Valid(body)
	for i, c := range slices.Backward(body) {
		changed := bytes.Clone(body)
		switch {
		case '1' <= c && c <= '8' || 'a' <= c && c <= 'y' || 'A' <= c && c <= 'Y':
			changed[i]++
		case c == '9' || c == 'z' || c == 'Z':
			changed[i]--
		default:
			continue
		}
		if !isJSON || json.Valid(changed) {
			return changed
		}
	}
	return append(bytes.Clone(body), ' ')
}
