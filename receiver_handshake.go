package tenterhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// shake answers a handshake, once what it asks for is done.
func (r *Receiver) shake(w http.ResponseWriter, req *http.Request, body []byte, reply signature.Reply, err error) {
	if err != nil {
		r.refuse(w, req, body, unverified(err, reply))
		return
	}
	if reply.Secret != "" {
		if f, ok := r.keepSecret(req.Context(), reply.Secret); !ok {
			r.refuse(w, req, body, f)
			return
		}
	}
	if reply.Confirm != "" {
		if err := r.confirm(req.Context(), reply.Confirm); err != nil {
			r.refuse(w, req, body, unable(ReasonConfirm, err))
			return
		}
	}
	answer(w, http.StatusOK, reply, "{\"status\":\"ok\"}\n")
}

// keepSecret takes a secret that came in a handshake, if there is none yet: who
// comes later and is a stranger must not be able to replace it.
func (r *Receiver) keepSecret(ctx context.Context, secret string) (refusal, bool) {
	r.keeping.Lock()
	defer r.keeping.Unlock()
	no := func(detail string) (refusal, bool) {
		return refusal{status: http.StatusUnauthorized, reason: ReasonSecret, detail: detail}, false
	}
	if r.keep == nil {
		return no("ReceiverOptions.KeepSecret is not set")
	}
	if r.keys.Load().Len() > 0 {
		return no("there is a secret already, which nobody may replace")
	}
	keys, err := signature.NewKeys(secret)
	if err == nil {
		err = r.scheme.CheckKeys(keys)
	}
	if err != nil {
		return no(err.Error())
	}
	if err := r.keep(ctx, secret); err != nil {
		return unable(ReasonConfirm, err), false
	}
	r.keys.Store(&keys)
	return refusal{}, true
}

// get is what is done with the URL of a handshake by default.
func get(ctx context.Context, address string) error {
	const patience = 10 * time.Second
	client := http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("confirm: the URL cannot be read") // it holds a token
	}
	resp, err := client.Do(req)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("confirm: %w", failed.Err)
	}
	_ = resp.Body.Close() // nothing of it matters
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("confirm: the answer is %s", resp.Status)
	}
	return nil
}
