package tenterhook

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net"
	"net/http"
	"strconv"

	"github.com/tenterhook/tenterhook/signature"
)

// A refusal is how and why a request is refused.
type refusal struct {
	status int
	reason string
	detail string          // for the operator
	reply  signature.Reply // as the provider wants it; may be empty
}

// unreadable is the refusal of a request whose body could not be had.
func unreadable(err error) refusal {
	f := refusal{status: http.StatusBadRequest, reason: ReasonCutOff, detail: err.Error()}
	switch {
	case errors.Is(err, errTooLarge):
		f.status, f.reason = http.StatusRequestEntityTooLarge, ReasonTooLarge
	case errors.Is(err, errBusy):
		f.status, f.reason = http.StatusServiceUnavailable, ReasonBusy
	case errors.Is(err, errConsumed):
		f.status, f.reason = http.StatusInternalServerError, ReasonConsumed
	}
	return f
}

// unverified is the refusal of a request that nobody with a key signed.
func unverified(err error, reply signature.Reply) refusal {
	bad, ok := errors.AsType[*signature.Error](err)
	if !ok { // no scheme returns anything else
		bad = &signature.Error{Reason: signature.ReasonNoScheme, Detail: err.Error()}
	}
	if bad.Reason == signature.ReasonKeyUnavailable { // it is us who cannot tell now
		return refusal{status: http.StatusServiceUnavailable, reason: string(bad.Reason), detail: bad.Detail}
	}
	return refusal{http.StatusUnauthorized, string(bad.Reason), bad.Detail, reply}
}

// unable is the refusal of a request that was verified and that we could not
// take. Its sender is to try again.
func unable(reason string, err error) refusal {
	return refusal{status: http.StatusServiceUnavailable, reason: reason, detail: err.Error()}
}

// refuse tells the operator why, and the sender only that.
func (r *Receiver) refuse(w http.ResponseWriter, req *http.Request, body []byte, f refusal) {
	if f.reply.Status != 0 {
		f.status = f.reply.Status
	}
	if len(f.reply.Body) == 0 && len(f.reply.Header) == 0 { // all that is wanted is the status
		f.reply = signature.Reply{}
	}
	rejection := Rejection{
		At: r.now().UTC(), Source: r.source, Status: f.status, Reason: f.reason, Detail: f.detail,
		Size: int64(len(body)), Peer: peer(req),
	}
	_, _, rejection.DeliveryID = r.scheme.Identify(&signature.Request{Header: req.Header})
	if len(body) > 0 {
		sum := sha256.Sum256(body)
		rejection.BodySHA256 = hex.EncodeToString(sum[:])
	}
	r.rejected(req.Context(), rejection)
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	answer(w, f.status, f.reply, `{"status":"error","error":`+strconv.Quote(http.StatusText(f.status))+"}\n")
}

// answer answers as the provider wants it, or else with status and text.
func answer(w http.ResponseWriter, status int, reply signature.Reply, text string) {
	body := reply.Body
	if reply.Status == 0 {
		reply, body = signature.Reply{Status: status, Header: http.Header{"Content-Type": {"application/json"}}}, []byte(text)
	}
	header := w.Header()
	maps.Copy(header, reply.Header.Clone())
	if len(body) > 0 {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(body) // the sender has gone; what was accepted stays accepted
}

// peer is the IP address of the other end.
func peer(req *http.Request) string {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return req.RemoteAddr
	}
	return host
}
