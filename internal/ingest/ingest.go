package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/route"
	"github.com/tenterhook/tenterhook/signature"
)

// A Store keeps what was accepted, and remembers what was refused.
type Store interface {
	// Accept returns once the event and its deliveries are on stable storage. Any
	// error means that the sender must be told to try again.
	Accept(ctx context.Context, e *tenterhook.Event, ds []tenterhook.Delivery, on tenterhook.OnRedelivery) (tenterhook.Receipt, error)
	// Reject does not wait.
	Reject(r tenterhook.Rejection)
}

// A Source is a named place that a provider posts to.
type Source struct {
	Name         string
	Scheme       *signature.Scheme // nil accepts unsigned requests: `provider: none`
	Identify     *signature.Scheme // where type and delivery id are read from without a signature; may be nil
	Keys         signature.Keys
	OnRedelivery tenterhook.OnRedelivery
	MaxBody      int64 // bytes; above it is 413

	// PublicURL is the scheme and host that the provider posts to, or the whole
	// URL if it has a path. Empty is what a request says.
	PublicURL string
	// Schema is what bodies must match; nil takes any. FlagMismatch marks those
	// that do not, instead of refusing them.
	Schema       Schema
	FlagMismatch bool
	// Redact finds the source's secrets; nil finds none. TokenHeader, in canonical
	// form, and TokenInBody say where the provider's scheme has them.
	Redact      Redactor
	TokenHeader string
	TokenInBody bool
	// Keep puts away the secret that the provider sends in its first handshake.
	// The error wraps [fs.ErrExist] if there is one. Nil refuses it.
	Keep func(secret string) error
}

// A Config is what a Handler works by. It is not changed once it is in use.
type Config struct {
	Sources map[string]*Source
	Routes  *route.Table
	// TrustedProxies are the peers whose word on a request's origin is taken.
	TrustedProxies []netip.Prefix
}

// Reasons of rejections, besides those of package signature.
const (
	ReasonUnknownSource = "unknown_source"
	ReasonTooLarge      = "body_too_large"
	ReasonTruncated     = "body_truncated"
	ReasonBusy          = "too_many_bytes_in_flight"
	ReasonStore         = "store_unavailable"

	ReasonMethod           = "method_not_allowed"
	ReasonSchemaMismatch   = "schema_mismatch"
	ReasonUnexpectedSecret = "unexpected_secret"
	ReasonSecretNotKept    = "secret_not_kept"
)

// An Observation is what happened to one request, for logs and metrics.
type Observation struct {
	At         time.Time
	Duration   time.Duration
	Source     string // as named in the URL; foreign text unless Known
	Known      bool   // the source exists
	Peer       string // IP address of the other end
	Status     int    // as answered
	Reason     string // why it was refused; empty if it was not
	Detail     string
	Size       int64             // bytes of body that were read
	Event      *tenterhook.Event // nil if nothing was accepted
	Receipt    tenterhook.Receipt
	Deliveries int
	Handshake  bool // it was one, and no event
}

// Options of a Handler. Zero values are the defaults.
type Options struct {
	// InFlight bounds the bytes of request bodies in memory at one time; beyond
	// it requests are shed with 503. Zero is 256 MiB.
	InFlight int64
	// Observe is called after each request was answered. It may be nil.
	Observe func(*Observation)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Confirm is called with a URL that is to be fetched to confirm the
	// subscription of a source. It must not wait. Nil does nothing.
	Confirm func(source, url string)
}

// rejectionsPerSecond bounds how many rejections are written down; the others are
// only counted, so that nobody can wear out the disk with bad requests.
const rejectionsPerSecond = 50

// Handler takes /webhook/{source}: events by POST, and handshakes by POST, GET,
// HEAD and OPTIONS. It is used by many goroutines.
type Handler struct {
	store    Store
	observe  func(*Observation)
	confirm  func(source, url string)
	now      func() time.Time
	config   atomic.Pointer[Config]
	inFlight budget
	recorded *rate.Limiter
}

// New returns a handler that refuses every source until it is configured.
func New(store Store, opts Options) *Handler {
	const defaultInFlight = 256 << 20
	if opts.InFlight == 0 {
		opts.InFlight = defaultInFlight
	}
	if opts.Observe == nil {
		opts.Observe = func(*Observation) {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Confirm == nil {
		opts.Confirm = func(string, string) {}
	}
	h := &Handler{
		store:    store,
		observe:  opts.Observe,
		confirm:  opts.Confirm,
		now:      opts.Now,
		inFlight: budget{limit: opts.InFlight},
		recorded: rate.NewLimiter(rejectionsPerSecond, rejectionsPerSecond),
	}
	h.config.Store(&Config{})
	return h
}

// Configure has the requests that come from now on handled by c.
func (h *Handler) Configure(c *Config) { h.config.Store(c) }

// InFlight returns how many bytes of request bodies are in memory now.
func (h *Handler) InFlight() int64 { return h.inFlight.used.Load() }

// ServeHTTP implements [http.Handler]. The source is the path value "source".
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	config := h.config.Load()
	from := originOf(r, config.TrustedProxies)
	o := Observation{At: h.now(), Source: r.PathValue("source"), Peer: from.peer}
	h.serve(w, r, &o, config, &from)
	o.Duration = h.now().Sub(o.At)
	h.observe(&o)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, o *Observation, config *Config, from *origin) {
	source, ok := config.Sources[o.Source]
	if o.Known = ok; !ok {
		h.refuse(w, o, nil, refusal{status: http.StatusNotFound, reason: ReasonUnknownSource, detail: "no source of this name"})
		return
	}
	if r.Method != http.MethodPost && !slices.Contains(source.greetings(), r.Method) {
		h.refuse(w, o, source, source.otherMethod(r.Method))
		return
	}

	held := h.inFlight.hold()
	defer held.release()
	body, err := readBody(w, r, source.MaxBody, held)
	o.Size = int64(len(body))
	if err != nil {
		h.refuse(w, o, source, unreadable(err, body))
		return
	}
	request := signature.Request{Method: r.Method, URL: urlOf(r, from, source), Header: r.Header, Body: body}
	if h.handshake(w, source, &request, o) {
		return
	}
	if r.Method != http.MethodPost {
		h.refuse(w, o, source, source.otherMethod(r.Method))
		return
	}
	e := &tenterhook.Event{Source: source.Name, ReceivedAt: o.At.UTC().Truncate(time.Microsecond), Body: body}
	if f := admit(e, source, &request, o.At); f != nil {
		h.refuse(w, o, source, *f)
		return
	}
	e.Header = keptHeader(r.Header)
	redact(source, e)
	// A sender who hangs up does not undo a commit.
	h.accept(context.WithoutCancel(r.Context()), w, o, source, config.Routes, e)
}

// greetings returns by which methods, besides POST, handshakes come.
func (s *Source) greetings() []string {
	if s.Scheme == nil {
		return nil
	}
	return s.Scheme.HandshakeMethods()
}

// admit verifies the request, fills in what the provider says it is, and checks
// its form. It returns nil if it may become an event.
func admit(e *tenterhook.Event, source *Source, r *signature.Request, now time.Time) *refusal {
	if err := identify(e, source, r, now); err != nil {
		_, _, id := source.Scheme.Identify(r)
		f := unverified(err, e.Body, id)
		return &f
	}
	detail := mismatch(source, e, r.Header)
	if detail == "" || source.FlagMismatch {
		e.Marks.SchemaMismatch = detail
		return nil
	}
	return &refusal{
		status: http.StatusUnprocessableEntity, reason: ReasonSchemaMismatch, detail: detail, body: e.Body, deliveryID: e.DeliveryID,
	}
}

// accept routes the event, stores it and answers.
func (h *Handler) accept(
	ctx context.Context, w http.ResponseWriter, o *Observation, source *Source, routes *route.Table, e *tenterhook.Event,
) {
	e.Decisions = routes.Decide(ctx, e)
	deliveries := routes.Deliveries(e, e.Decisions)
	receipt, err := h.store.Accept(ctx, e, deliveries, source.OnRedelivery)
	if err != nil {
		h.refuse(w, o, source, refusal{status: http.StatusServiceUnavailable, reason: ReasonStore, detail: err.Error()})
		return
	}
	o.Status, o.Event, o.Receipt, o.Deliveries = http.StatusOK, e, receipt, len(deliveries)
	if reply := source.accepted(); reply.Status != 0 {
		o.Status = reply.Status
		tell(w.Header(), receipt)
		writeReply(w, &reply)
		return
	}
	accepted(w, receipt)
}

// tell says in headers what the answer's body would say if it were ours.
func tell(header http.Header, receipt tenterhook.Receipt) {
	id, _ := receipt.ID.MarshalText() // never fails
	header.Set("Tenterhook-Event", string(id))
	if receipt.Duplicate {
		header.Set("Tenterhook-Duplicate", "true")
	}
}

// accepted returns how the provider wants to be answered.
func (s *Source) accepted() signature.Reply {
	if s.Scheme == nil {
		return signature.Reply{}
	}
	return s.Scheme.Accepted()
}

// identify verifies the request and fills in what the provider says it is.
func identify(e *tenterhook.Event, source *Source, r *signature.Request, now time.Time) error {
	var typ, subtype string
	e.Marks.Unbound = true
	switch {
	case source.Scheme != nil:
		result, err := source.Scheme.Verify(r, source.Keys, now)
		if err != nil {
			return err
		}
		typ, subtype, e.DeliveryID = result.Type, result.Subtype, result.DeliveryID
		e.Marks.Unbound = !result.BodyBound
	case source.Identify != nil:
		typ, subtype, e.DeliveryID = source.Identify.Identify(r)
	}
	e.Type = typ
	if typ != "" && subtype != "" {
		e.Type = typ + "." + subtype
	}
	return nil
}

// notKept are headers that carry somebody's credentials, or speak of the
// connection and not of the event.
func notKept() []string {
	return []string{
		"Authorization", "Proxy-Authorization", "Cookie",
		"Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Accept-Encoding", "Content-Length",
	}
}

// keptHeader takes over a request's header, which nobody else uses any more.
func keptHeader(h http.Header) http.Header {
	for _, name := range notKept() {
		delete(h, name)
	}
	return h
}

func accepted(w http.ResponseWriter, receipt tenterhook.Receipt) {
	const longest = 96
	answer := append(make([]byte, 0, longest), `{"status":"ok","id":"`...)
	id, _ := receipt.ID.MarshalText() // never fails
	answer = append(append(answer, id...), '"')
	if receipt.Duplicate {
		answer = append(answer, `,"duplicate":true`...)
	}
	answer = append(answer, '}', '\n')
	write(w, http.StatusOK, answer)
}

func write(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the sender has gone; what was accepted stays accepted
}

// A refusal is how and why a request is refused.
type refusal struct {
	status     int
	reason     string
	detail     string           // for the operator
	body       []byte           // as far as it was read
	deliveryID string           // as claimed
	allow      string           // methods that there are, for 405
	reply      *signature.Reply // how the provider wants it answered; nil is as usual
}

// otherMethod is the refusal of a request that can be neither an event nor a
// handshake.
func (s *Source) otherMethod(method string) refusal {
	const enough = 16 // letters to know it by
	return refusal{
		status: http.StatusMethodNotAllowed, reason: ReasonMethod,
		allow:  strings.Join(append([]string{http.MethodPost}, s.greetings()...), ", "),
		detail: fmt.Sprintf("%q is neither an event nor one of the provider's handshakes", clip(method, enough)),
	}
}

// unreadable is the refusal of a request whose body could not be had.
func unreadable(err error, read []byte) refusal {
	switch {
	case errors.Is(err, errTooLarge):
		return refusal{status: http.StatusRequestEntityTooLarge, reason: ReasonTooLarge, detail: err.Error()}
	case errors.Is(err, errBusy):
		return refusal{status: http.StatusServiceUnavailable, reason: ReasonBusy, detail: err.Error()}
	}
	return refusal{status: http.StatusBadRequest, reason: ReasonTruncated, detail: err.Error(), body: read}
}

// unverified is the refusal of a request that nobody with the secret signed.
func unverified(err error, body []byte, deliveryID string) refusal {
	var bad *signature.Error
	if !errors.As(err, &bad) { // no scheme returns anything else
		bad = &signature.Error{Reason: signature.ReasonNoScheme, Detail: err.Error()}
	}
	f := refusal{
		status: http.StatusUnauthorized, reason: string(bad.Reason), detail: bad.Detail, body: body, deliveryID: deliveryID,
	}
	switch f.reason {
	case string(signature.ReasonKeyUnavailable), ReasonSecretNotKept:
		f.status = http.StatusServiceUnavailable // it may work the next time
	}
	return f
}

// refuse answers without saying why, and puts the reason on record. The source
// is nil if there is none.
func (h *Handler) refuse(w http.ResponseWriter, o *Observation, source *Source, f refusal) {
	if f.reply == nil && f.status == http.StatusUnauthorized && source != nil && source.Scheme != nil {
		if reply := source.Scheme.Refused(); reply.Status != 0 {
			f.status, f.reply = reply.Status, &reply
		}
	}
	o.Status, o.Reason, o.Detail = f.status, f.reason, source.clean(f.detail)
	answerRefusal(w, f)
	if f.reason == ReasonStore || f.reason == ReasonBusy || !h.recorded.AllowN(o.At, 1) {
		return // the sender will come again, or there are too many to write down
	}
	const longest = 200
	rejection := tenterhook.Rejection{
		At: o.At.UTC(), Source: clip(o.Source, longest), Status: f.status, Reason: f.reason, Detail: clip(o.Detail, maxMismatch),
		Size: o.Size, Peer: o.Peer, DeliveryID: f.deliveryID,
	}
	if len(f.body) > 0 {
		sum := sha256.Sum256(f.body)
		rejection.BodySHA256 = hex.EncodeToString(sum[:])
	}
	h.store.Reject(rejection)
}

func answerRefusal(w http.ResponseWriter, f refusal) {
	if f.reply != nil {
		writeReply(w, f.reply)
		return
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header()["Retry-After"] = []string{"1"}
	}
	if f.allow != "" {
		w.Header()["Allow"] = []string{f.allow}
	}
	write(w, f.status, []byte(`{"status":"error","error":`+strconv.Quote(http.StatusText(f.status))+"}\n"))
}

func clip(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}

func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
