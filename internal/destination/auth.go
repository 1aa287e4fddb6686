package destination

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/outbound"
)

// Auth is how requests say who sends them, besides their signature. At most one
// of the fields is set.
type Auth struct {
	Basic  *Basic
	Bearer string // a token that does not expire
	OAuth2 *OAuth2
}

// Basic is a user and a password.
type Basic struct{ User, Password string }

// OAuth2 gets tokens by the client credentials grant of RFC 6749.
type OAuth2 struct {
	// TokenURL is where tokens are asked for; the rules of [HTTPConfig].URL hold.
	TokenURL     string
	ClientID     string
	ClientSecret string
	Scopes       []string
	Audience     string // sent along if it is not empty
}

// validate reports what is wrong with a, without secrets.
func (a Auth) validate(headers map[string]string) error {
	ways := 0
	var errs []error
	if a.Basic != nil {
		ways++
		if strings.Contains(a.Basic.User, ":") || !outbound.ValidValue(a.Basic.User) || !outbound.ValidValue(a.Basic.Password) {
			errs = append(errs, errors.New("auth: the user holds a colon, or the user or the password a control character"))
		}
	}
	if a.Bearer != "" {
		ways++
		if !outbound.ValidValue(a.Bearer) || len(a.Bearer) > maxHeaderValue {
			errs = append(errs, errors.New("auth: the token holds a control character, or is too long"))
		}
	}
	if a.OAuth2 != nil {
		ways++
		if _, err := parseURL(a.OAuth2.TokenURL); err != nil {
			errs = append(errs, fmt.Errorf("auth: token %w", err))
		}
		if a.OAuth2.ClientID == "" || a.OAuth2.ClientSecret == "" {
			errs = append(errs, errors.New("auth: oauth2 needs a client id and a client secret"))
		}
	}
	if ways > 1 {
		errs = append(errs, errors.New("auth: there is more than one way to authenticate"))
	}
	for name := range headers {
		if ways > 0 && strings.EqualFold(name, "Authorization") {
			errs = append(errs, errors.New("auth: the header Authorization is set as well"))
		}
	}
	return errors.Join(errs...)
}

// fixed returns the value of Authorization if it is always the same, or "".
func (a Auth) fixed() string {
	switch {
	case a.Basic != nil:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Basic.User+":"+a.Basic.Password))
	case a.Bearer != "":
		return "Bearer " + a.Bearer
	}
	return ""
}

// tokens gets OAuth2 tokens and keeps the last one.
type tokens struct {
	config clientcredentials.Config
	client *http.Client
	turn   chan struct{} // holds one; who has it may look at the token and ask for a new one
	token  *oauth2.Token // nil until there is one
}

// newTokens returns nil for no OAuth2.
func newTokens(o *OAuth2, literal bool, client *egress.Client) (*tokens, error) {
	if o == nil {
		return nil, nil //nolint:nilnil // no tokens are what is asked for
	}
	u, err := parseURL(o.TokenURL)
	if err != nil {
		return nil, err
	}
	way := guarded{client: client}
	if literal {
		way.permit = egress.PermitLiteral(u)
	}
	t := &tokens{
		config: clientcredentials.Config{
			ClientID: o.ClientID, ClientSecret: o.ClientSecret, TokenURL: o.TokenURL, Scopes: o.Scopes,
		},
		client: &http.Client{
			Transport:     way,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		turn: make(chan struct{}, 1),
	}
	if o.Audience != "" {
		t.config.EndpointParams = url.Values{"audience": {o.Audience}}
	}
	t.turn <- struct{}{}
	return t, nil
}

// guarded is the way to the token's URL.
type guarded struct {
	client *egress.Client
	permit egress.Permit
}

// RoundTrip implements [http.RoundTripper].
func (g guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	return g.client.Do(req.Context(), req, g.permit) //nolint:wrapcheck // it says what is needed
}

// get returns a value of Authorization that is not refused, the one that was
// turned down; empty refuses none.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	select {
	case <-t.turn:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { t.turn <- struct{}{} }()
	if t.token.Valid() && authorization(t.token) != refused {
		return authorization(t.token), nil
	}
	token, err := t.config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.client))
	if err != nil {
		return "", err //nolint:wrapcheck // unauthorized tells what it is
	}
	if !outbound.ValidValue(authorization(token)) {
		return "", errors.New("the token holds a control character")
	}
	t.token = token
	return authorization(token), nil
}

func authorization(t *oauth2.Token) string {
	if t == nil {
		return ""
	}
	return t.Type() + " " + t.AccessToken
}

// unauthorized returns what became of an attempt for which there was no token.
// What the other side says of it is left out: it may repeat what it was sent.
func unauthorized(err error) tenterhook.Attempt {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.Response != nil {
		problem := "oauth2: the token was refused: answered " + statusLine(answer.Response.StatusCode)
		if answer.ErrorCode != "" {
			problem += ", " + clip(answer.ErrorCode)
		}
		return retry(problem)
	}
	a := failed(err)
	a.Error = "oauth2: " + a.Error
	return a
}
