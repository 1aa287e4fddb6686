package ingest

import (
	"errors"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/tenterhook/tenterhook/signature"
)

// handshake answers a request by which the provider makes sure that somebody is
// there who wants its events. It returns false if r is no such request.
func (h *Handler) handshake(w http.ResponseWriter, source *Source, r *signature.Request, o *Observation) bool {
	if source.Scheme == nil {
		return false
	}
	reply, ok, err := source.Scheme.Handshake(r, source.Keys, o.At)
	if !ok {
		return false
	}
	o.Handshake = true
	if err == nil && reply.Secret != "" {
		err = keep(source, reply.Secret)
		reply.Status, reply.Header, reply.Body = keepsOnly(err, reply)
	}
	if err != nil {
		f := unverified(err, r.Body, "")
		if reply.Status != 0 && f.status == http.StatusUnauthorized {
			f.status, f.reply = reply.Status, &reply
		}
		f.detail = "handshake: " + f.detail
		h.refuse(w, o, source, f)
		return true
	}
	if reply.Status == 0 {
		reply.Status = http.StatusOK
	}
	o.Status = reply.Status
	writeReply(w, &reply)
	if reply.Confirm != "" {
		_ = http.NewResponseController(w).Flush() // the provider is answered first, if it is still there
		h.confirm(source.Name, reply.Confirm)
	}
	return true
}

// keep puts a secret that came with a handshake where the source's secret
// belongs, once.
func keep(source *Source, secret string) error {
	if source.Keep == nil {
		return &signature.Error{Reason: ReasonUnexpectedSecret, Detail: "a secret was sent, and the source has one"}
	}
	err := source.Keep(secret)
	switch {
	case errors.Is(err, fs.ErrExist):
		return &signature.Error{Reason: ReasonUnexpectedSecret, Detail: "a secret was sent, and another is kept already"}
	case err != nil:
		return &signature.Error{Reason: ReasonSecretNotKept, Detail: err.Error()}
	}
	return nil
}

// keepsOnly withholds the answer that would confirm a secret which is not kept.
func keepsOnly(err error, reply signature.Reply) (int, http.Header, []byte) {
	if err != nil {
		return 0, nil, nil
	}
	return reply.Status, reply.Header, reply.Body
}

// writeReply answers as a provider wants it. Nothing in it may be taken for a
// page: part of it may be what the sender wrote.
func writeReply(w http.ResponseWriter, reply *signature.Reply) {
	header := w.Header()
	for name, values := range reply.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	header["X-Content-Type-Options"] = []string{"nosniff"}
	if len(reply.Body) > 0 && len(header["Content-Type"]) == 0 {
		header["Content-Type"] = []string{"text/plain; charset=utf-8"}
	}
	if len(reply.Body) > 0 || reply.Status != http.StatusNoContent {
		header["Content-Length"] = []string{strconv.Itoa(len(reply.Body))}
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // the sender has gone; there is nobody to tell
}
