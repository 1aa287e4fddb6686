package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strconv"
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
}

// A Config is what a Handler works by. It is not changed once it is in use.
type Config struct {
	Sources map[string]*Source
	Routes  *route.Table
}

// Reasons of rejections, besides those of package signature.
const (
	ReasonUnknownSource = "unknown_source"
	ReasonTooLarge      = "body_too_large"
	ReasonTruncated     = "body_truncated"
	ReasonBusy          = "too_many_bytes_in_flight"
	ReasonStore         = "store_unavailable"
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
}

// rejectionsPerSecond bounds how many rejections are written down; the others are
// only counted, so that nobody can wear out the disk with bad requests.
const rejectionsPerSecond = 50

// Handler takes POST /webhook/{source}. It is used by many goroutines.
type Handler struct {
	store    Store
	observe  func(*Observation)
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
	h := &Handler{
		store:    store,
		observe:  opts.Observe,
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
	o := Observation{At: h.now(), Source: r.PathValue("source"), Peer: peer(r)}
	h.serve(w, r, &o)
	o.Duration = h.now().Sub(o.At)
	h.observe(&o)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, o *Observation) {
	config := h.config.Load()
	source, ok := config.Sources[o.Source]
	if !ok {
		h.refuse(w, o, refusal{status: http.StatusNotFound, reason: ReasonUnknownSource, detail: "no source of this name"})
		return
	}
	o.Known = true

	held := h.inFlight.hold()
	defer held.release()
	body, err := readBody(w, r, source.MaxBody, held)
	o.Size = int64(len(body))
	if err != nil {
		h.refuse(w, o, unreadable(err, body))
		return
	}

	e := &tenterhook.Event{Source: source.Name, ReceivedAt: o.At.UTC().Truncate(time.Microsecond), Body: body}
	if err := identify(e, source, r, o.At); err != nil {
		_, _, id := source.Scheme.Identify(&signature.Request{Header: r.Header})
		h.refuse(w, o, unverified(err, body, id))
		return
	}
	e.Header = keptHeader(r.Header)

	ctx := context.WithoutCancel(r.Context()) // a sender who hangs up does not undo a commit
	e.Decisions = config.Routes.Decide(ctx, e)
	deliveries := config.Routes.Deliveries(e, e.Decisions)
	receipt, err := h.store.Accept(ctx, e, deliveries, source.OnRedelivery)
	if err != nil {
		h.refuse(w, o, refusal{status: http.StatusServiceUnavailable, reason: ReasonStore, detail: err.Error()})
		return
	}
	o.Status, o.Event, o.Receipt, o.Deliveries = http.StatusOK, e, receipt, len(deliveries)
	accepted(w, receipt)
}

// identify verifies the request and fills in what the provider says it is.
func identify(e *tenterhook.Event, source *Source, r *http.Request, now time.Time) error {
	var typ, subtype string
	switch {
	case source.Scheme != nil:
		request := signature.Request{Method: r.Method, URL: r.URL.RequestURI(), Header: r.Header, Body: e.Body}
		result, err := source.Scheme.Verify(&request, source.Keys, now)
		if err != nil {
			return err
		}
		typ, subtype, e.DeliveryID = result.Type, result.Subtype, result.DeliveryID
	case source.Identify != nil:
		typ, subtype, e.DeliveryID = source.Identify.Identify(&signature.Request{Header: r.Header, Body: e.Body})
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
	detail     string // for the operator
	body       []byte // as far as it was read
	deliveryID string // as claimed
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
	return refusal{
		status: http.StatusUnauthorized, reason: string(bad.Reason), detail: bad.Detail, body: body, deliveryID: deliveryID,
	}
}

// refuse answers without saying why, and puts the reason on record.
func (h *Handler) refuse(w http.ResponseWriter, o *Observation, f refusal) {
	o.Status, o.Reason, o.Detail = f.status, f.reason, f.detail
	if f.status == http.StatusServiceUnavailable {
		w.Header()["Retry-After"] = []string{"1"}
	}
	write(w, f.status, []byte(`{"status":"error","error":`+strconv.Quote(http.StatusText(f.status))+"}\n"))
	if f.status == http.StatusServiceUnavailable || !h.recorded.AllowN(o.At, 1) {
		return // the sender will come again, or there are too many to write down
	}
	const longest = 200
	rejection := tenterhook.Rejection{
		At: o.At.UTC(), Source: clip(o.Source, longest), Status: f.status, Reason: f.reason, Detail: clip(f.detail, longest),
		Size: o.Size, Peer: o.Peer, DeliveryID: f.deliveryID,
	}
	if len(f.body) > 0 {
		sum := sha256.Sum256(f.body)
		rejection.BodySHA256 = hex.EncodeToString(sum[:])
	}
	h.store.Reject(rejection)
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
