package cli

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook"
)

// sent is what became of an event, as JSON.
type sent struct {
	ID       string             `json:"id"` // of the message
	Host     string             `json:"host"`
	Outcome  tenterhook.Outcome `json:"outcome"`
	Status   int                `json:"status"` // of the last answer, 0 if there was none
	Answer   string             `json:"answer"` // the beginning of its body
	Attempts []sentAttempt      `json:"attempts"`
}

type sentAttempt struct {
	StartedAt  time.Time          `json:"started_at"`
	DurationMS int64              `json:"duration_ms"`
	Outcome    tenterhook.Outcome `json:"outcome"`
	Status     int                `json:"status"`
	Error      string             `json:"error,omitempty"`
}

// tellAttempt shows how it goes.
func (o sendOptions) tellAttempt(n int, a tenterhook.Attempt, wait time.Duration, again bool) {
	if o.ui.json {
		return
	}
	took := a.Duration.Round(time.Millisecond)
	switch {
	case a.Outcome == tenterhook.OutcomeSuccess:
		o.ui.tell(text("attempt %d: ", n), span{good, "delivered"}, text(" in %v", took))
	case again:
		o.ui.tell(text("attempt %d: ", n), span{waiting, a.Error}, text(" after %v; again in %v", took, wait.Round(100*time.Millisecond)))
	default:
		o.ui.tell(text("attempt %d: ", n), span{bad, a.Error}, text(" after %v", took))
	}
}

// printSent prints the last answer.
func printSent(u *ui, host string, result tenterhook.SendResult) error {
	last := result.Last()
	if u.json {
		s := sent{ID: result.ID, Host: host, Outcome: result.Outcome, Status: last.Status, Answer: string(last.Response)}
		for _, a := range result.Attempts {
			s.Attempts = append(s.Attempts, sentAttempt{a.StartedAt, a.Duration.Milliseconds(), a.Outcome, a.Status, a.Error})
		}
		return u.data(s)
	}
	u.say("sent to %s as %s", host, result.ID)
	if last.Status == 0 {
		return nil
	}
	mood := good
	if result.Outcome != tenterhook.OutcomeSuccess {
		mood = bad
	}
	spans := []span{{mood, strconv.Itoa(last.Status)}}
	if answer := strings.TrimSpace(string(last.Response)); answer != "" {
		spans = append(spans, text(" %s", answer))
	}
	return u.line(spans...)
}

// sendFailure says how the program ends when the event did not arrive, and what
// to do about it.
func sendFailure(o sendOptions, result tenterhook.SendResult, err error) error {
	f := &failure{exit: exitUndelivered, err: err}
	last := result.Last()
	switch {
	case errors.Is(err, tenterhook.ErrBlocked):
		f.hint = "without https, or inside of a private network, write the address itself, http://ADDRESS:PORT/..., " +
			"or name a configuration with --config whose egress.allow has it"
	case len(result.Attempts) == 0, result.Outcome == tenterhook.OutcomeRefused && last.Status == 0:
		f.exit, f.hint = exitUsage, "see tenterhook send --help" // it cannot be sent like this
		if strings.Contains(err.Error(), "sign request") && o.scheme != schemeNone {
			f.hint = "does --secret hold what " + o.scheme + " signs with, and --setting what it needs?"
		}
	case result.Outcome == tenterhook.OutcomeUnknown:
		f.hint = "send it again with --id " + result.ID + ", so that the receiver can tell if it came before"
	case last.Status == http.StatusUnauthorized, last.Status == http.StatusForbidden:
		f.hint = "the receiver has another secret, or expects another --scheme"
	case last.Status == http.StatusNotFound, last.Status/100 == 3:
		f.hint = "is the URL the one that the receiver listens at?"
	case result.Outcome == tenterhook.OutcomeRetry:
		f.hint = "send it again later with --id " + result.ID + ", or give it more time with --max-time"
	}
	return f
}
