package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenterhook/tenterhook/internal/store"
)

const problemContent = "application/problem+json"

// A Code says which kind a [Problem] is of, for programs.
type Code string

// The codes of problems.
const (
	CodeUnauthorized  Code = "unauthorized"  // no token, or not the right one
	CodeInvalid       Code = "invalid"       // the request cannot be understood
	CodeNotFound      Code = "not_found"     // there is nothing of that name
	CodeState         Code = "wrong_state"   // the delivery is in no state for it
	CodePruned        Code = "body_pruned"   // the event's body is no longer kept
	CodeConfiguration Code = "configuration" // the configuration file cannot be used
	CodeUnavailable   Code = "unavailable"   // not now; later may do
	CodeInternal      Code = "internal"      // a fault of the server, which is in its log
)

// A Problem is an error as RFC 9457 has it, both as the handler writes it and
// as the client returns it.
type Problem struct {
	Title  string          `json:"title" doc:"The text of the status"`
	Status int             `json:"status" doc:"The HTTP status"`
	Code   Code            `json:"code" doc:"The kind of the problem, for programs"`
	Detail string          `json:"detail" doc:"What went wrong, for people"`
	Hint   string          `json:"hint,omitempty" doc:"What to do about it"`
	Errors []ProblemDetail `json:"errors,omitempty" doc:"The faults, where there are several"`
}

// A ProblemDetail is one of several faults.
type ProblemDetail struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty" doc:"Where in the request, such as query.limit"`
}

// Error returns what went wrong.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of a problem.
func (p *Problem) ContentType(string) string { return problemContent }

func problemType() reflect.Type { return reflect.TypeFor[Problem]() }

// newProblem returns a problem with the title of its status.
func newProblem(status int, code Code, detail, hint string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Hint: hint}
}

// problem turns an error of an operation into what the caller is told. It is the
// only place that knows which kind of error has which status. What the caller
// is not told the whole of is logged.
func (h *handler) problem(ctx context.Context, operation string, err error) error {
	const retryAfterSeconds = 5
	var known *Problem
	var state *store.StateError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, store.ErrNotFound):
		return newProblem(http.StatusNotFound, CodeNotFound, err.Error(), "")
	case errors.As(err, &state):
		return newProblem(http.StatusConflict, CodeState, err.Error(), "")
	case ctx.Err() != nil:
		return newProblem(http.StatusServiceUnavailable, CodeUnavailable, "the request was given up", "")
	}
	h.Log.ErrorContext(ctx, "api request", "operation", operation, "error", err)
	switch {
	case errors.Is(err, store.ErrUnavailable):
		return huma.ErrorWithHeaders(
			newProblem(http.StatusServiceUnavailable, CodeUnavailable, "nothing can be written now", "try again later"),
			http.Header{"Retry-After": {strconv.Itoa(retryAfterSeconds)}})
	case errors.Is(err, store.ErrFailed), errors.Is(err, store.ErrClosed):
		return newProblem(http.StatusServiceUnavailable, CodeUnavailable, "the server is stopping", "")
	}
	return newProblem(http.StatusInternalServerError, CodeInternal, "internal error", "see the server's log")
}

// asProblem turns the errors that huma itself makes of a request into ours.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := newProblem(m.Status, CodeInvalid, m.Detail, "")
	if m.Status >= http.StatusInternalServerError {
		p.Code = CodeInternal
	}
	for _, e := range m.Errors {
		p.Errors = append(p.Errors, ProblemDetail{Message: e.Message, Location: e.Location})
	}
	if len(p.Errors) > 0 {
		first := p.Errors[0]
		p.Detail = first.Message
		if first.Location != "" {
			p.Detail = first.Location + ": " + p.Detail
		}
	}
	return p, nil
}

func unauthorized(shown bool) *Problem {
	detail := "the request carries no token"
	if shown {
		detail = "the token is not the right one"
	}
	return newProblem(http.StatusUnauthorized, CodeUnauthorized, detail,
		"send Authorization: Bearer with the content of admin.token in the server's data directory")
}

func unknownOperation(r *http.Request) *Problem {
	return newProblem(http.StatusNotFound, CodeNotFound,
		"there is no operation "+strconv.Quote(r.Method+" "+r.URL.Path), "see /openapi.json")
}

// writeProblem answers with p outside of any operation.
func writeProblem(w http.ResponseWriter, p *Problem) {
	text, err := json.Marshal(p)
	if err != nil {
		panic("write problem: " + err.Error()) // texts and numbers only
	}
	w.Header().Set("Content-Type", problemContent)
	w.WriteHeader(p.Status)
	_, _ = w.Write(text) // the caller went away
}
