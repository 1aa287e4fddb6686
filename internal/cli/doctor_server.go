package cli

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/server"
)

// doctorPatience bounds each question to the server.
const doctorPatience = 5 * time.Second

// The clock of this program cannot be before it was written.
const firstYear, lastYear = 2026, 2100

func checkClock(ctx context.Context, x *examination) []finding {
	now := x.ui.now().UTC()
	if now.Year() < firstYear || now.Year() > lastYear {
		return []finding{problem("set it, and have it kept right with timedatectl set-ntp true",
			"it says %s: signatures with a time are refused, and retention and retries go wrong", now.Format(time.DateTime))}
	}
	shown := now.Format(time.DateTime) + " UTC"
	asked := x.ui.now()
	answer, err := x.readyz(ctx)
	if err != nil {
		return []finding{fine("%s", shown)}
	}
	took := x.ui.now().Sub(asked)
	theirs, err := http.ParseTime(answer.date)
	if err != nil {
		return []finding{fine("%s", shown)}
	}
	const (
		precise = time.Second // of an HTTP date
		much    = 5 * time.Second
		tooMuch = time.Minute // signatures are good for five
		fix     = "have both kept right with timedatectl set-ntp true"
	)
	differs := max(asked.Sub(theirs).Abs()-took-precise, 0)
	switch {
	case differs > tooMuch:
		return []finding{problem(fix, "it differs from the server's by %s: signatures with a time may be refused",
			length(differs))}
	case differs > much:
		return []finding{warning(fix, "it differs from the server's by %s", length(differs))}
	}
	return []finding{fine("%s, and the server's is the same", shown)}
}

// A readiness is what a server answers to /readyz.
type readiness struct {
	status int
	date   string
}

// readyz asks the server, which needs no token, whether it takes events.
func (x *examination) readyz(ctx context.Context) (readiness, error) {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, x.url+"/readyz", nil)
	if err != nil {
		return readiness{}, err
	}
	transport := &http.Transport{} // no proxies
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return readiness{}, err
	}
	defer func() { _ = resp.Body.Close() }() // the status says it all
	return readiness{resp.StatusCode, resp.Header.Get("Date")}, nil
}

// checkServer finds out whether a server runs, which it may well not, and leaves
// a client for the checks that follow.
func checkServer(ctx context.Context, x *examination) []finding {
	answer, err := x.readyz(ctx)
	const elsewhere = "name the right address with --server URL, or admin: in the configuration"
	switch {
	case err != nil && x.server.url != "":
		return []finding{problem("tenterhook serve", "none answers at %s: what waits was not looked at", x.url)}
	case err != nil && x.hasRun():
		return []finding{warning("tenterhook serve, or name its address with --server URL",
			"none answers at %s: nothing is received, and what waits was not looked at", x.url)}
	case err != nil:
		return []finding{fine("none has run with this data directory yet")}
	case answer.status == http.StatusServiceUnavailable:
		return []finding{problem("see its log; restart it", "it answers at %s, and does not take events", x.url)}
	case answer.status != http.StatusOK:
		return []finding{problem(elsewhere, "something else than Tenterhook answers at %s: %d", x.url, answer.status)}
	}
	client, f := x.connectTo(ctx)
	x.client = client
	return []finding{f}
}

// hasRun reports whether a server has been started with the data directory.
func (x *examination) hasRun() bool {
	_, err := os.Stat(server.TokenPath(x.config.Data))
	return err == nil
}

// connectTo returns a client of the server, or nil and why not.
func (x *examination) connectTo(ctx context.Context) (*api.Client, finding) {
	token, err := x.token(x.server, x.url, x.config.Data)
	if err != nil {
		fix := reportOf(err).Hint
		return nil, warning(fix, "it answers at %s, and what waits was not looked at: %s", x.url, err)
	}
	client, err := api.NewClient(x.url, token, nil)
	if err != nil {
		return nil, problem("", "%s", err)
	}
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	v, err := client.GetVersion(ctx)
	if err != nil {
		fix := reportOf(err).Hint
		return nil, problem(fix, "it answers at %s, and not to this token: %s", x.url, err)
	}
	if own := builtAs().Version; v.Version != own {
		return client, warning("restart it with this program, or use the program that it is",
			"it answers at %s, and is version %s; this is %s", x.url, v.Version, own)
	}
	return client, fine("it answers at %s, takes events, and is version %s as this is", x.url, v.Version)
}

// ask asks the server something. A finding is why it did not answer.
func ask[T any](ctx context.Context, get func(context.Context) (T, error)) (T, []finding) {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	answer, err := get(ctx)
	if err != nil {
		return answer, []finding{problem(reportOf(err).Hint, "%s", err)}
	}
	return answer, nil
}

// checkWaiting looks for deliveries that nobody takes: those to destinations
// that are not configured any more, and those that are long overdue.
func checkWaiting(ctx context.Context, x *examination) []finding {
	if x.client == nil {
		return nil
	}
	stats, failed := ask(ctx, x.client.GetStats)
	if failed != nil {
		return failed
	}
	list, failed := ask(ctx, x.client.ListDestinations)
	if failed != nil {
		return failed
	}
	const overdue = 10 * time.Minute
	var findings []finding
	var waits int64
	for _, load := range stats.Destinations {
		waits += load.Pending
		known := slices.ContainsFunc(list.Items, func(d api.Destination) bool { return d.Name == load.Destination })
		late := x.ui.now().Sub(load.OldestDue.Time)
		switch {
		case load.Pending == 0:
		case !known:
			findings = append(findings, problem("define it again and tenterhook reload, or look and cancel: "+
				"tenterhook deliveries list --destination "+quoted(load.Destination),
				"%s for %q, which the server's configuration does not have", waitFor(load.Pending), load.Destination))
		case !load.OldestDue.IsZero() && late > overdue:
			findings = append(findings, warning(
				"tenterhook deliveries list --destination "+quoted(load.Destination)+" says what the last attempts met",
				"%s for %q, the first due since %s", waitFor(load.Pending), load.Destination, length(late)))
		}
	}
	if findings == nil && waits == 0 {
		return []finding{fine("no delivery waits")}
	}
	if findings == nil {
		return []finding{fine("%s, none of them for long or for nobody", waitFor(waits))}
	}
	return findings
}

func waitFor(n int64) string {
	if n == 1 {
		return "1 delivery waits"
	}
	return fmt.Sprintf("%d deliveries wait", n)
}

func checkDead(ctx context.Context, x *examination) []finding {
	if x.client == nil {
		return nil
	}
	stats, failed := ask(ctx, x.client.GetStats)
	if failed != nil {
		return failed
	}
	var dead int64
	var each []string
	for _, load := range stats.Destinations {
		if load.Dead > 0 {
			dead += load.Dead
			each = append(each, fmt.Sprintf("%d to %s", load.Dead, load.Destination))
		}
	}
	if dead == 0 {
		return []finding{fine("no delivery was given up")}
	}
	return []finding{warning(
		"tenterhook deliveries list --state dead says why; tenterhook events replay --state dead --yes sends again",
		"%s given up: %s", count(int(dead), "delivery was", "deliveries were"), joined(each))}
}

// checkSources looks for sources that have refused all they got: most often the
// provider has another secret.
func checkSources(ctx context.Context, x *examination) []finding {
	if x.client == nil {
		return nil
	}
	const (
		lately = 24 * time.Hour
		some   = 500
	)
	since := x.ui.now().Add(-lately)
	list, failed := ask(ctx, x.client.ListSources)
	if failed != nil {
		return failed
	}
	rejections, failed := ask(ctx, func(ctx context.Context) (api.List[api.Rejection], error) {
		return x.client.ListRejections(ctx, api.RejectionQuery{Limit: some})
	})
	if failed != nil {
		return failed
	}
	var findings []finding
	for _, s := range list.Items {
		findings = append(findings, subscription(s)...)
		refused := slices.DeleteFunc(slices.Clone(rejections.Items), func(r api.Rejection) bool {
			return r.Source != s.Name || r.At.Before(since)
		})
		if len(refused) == 0 {
			continue
		}
		page, failed := ask(ctx, func(ctx context.Context) (api.Page[api.Event], error) {
			q := api.EventQuery{Cursor: api.Cursor{Limit: 1}}
			q.Source, q.Since = s.Name, api.Time{Time: since}
			return x.client.ListEvents(ctx, q)
		})
		if failed != nil {
			return failed
		}
		if len(page.Items) == 0 {
			last := refused[0] // newest first
			findings = append(findings, warning(refusedFix(last),
				"%q accepted nothing in a day, and refused %s; the last, %s, for %s: %s", s.Name,
				count(len(refused), "request", "requests"), relative(last.At.Time, x.ui.now()), last.Reason, last.Detail))
		}
	}
	if findings == nil {
		return []finding{fine("none refuses all it gets")}
	}
	return findings
}

// subscription finds a source whose provider was not yet made sure of it.
func subscription(s api.Source) []finding {
	switch {
	case s.AwaitsSecret:
		return []finding{warning("create the webhook at the provider now; its first request brings the secret",
			"%q refuses events: %s has not sent its secret yet", s.Name, s.Provider)}
	case s.Confirmation != nil && s.Confirmation.Error != "":
		return []finding{warning("have the provider send the confirmation again; see whether this machine reaches "+s.Confirmation.Host,
			"the subscription of %q was not confirmed: %s", s.Name, s.Confirmation.Error)}
	}
	return nil
}

// refusedFix says what to do about requests that are refused.
func refusedFix(r api.Rejection) string {
	if r.Status == http.StatusUnauthorized {
		return "give the provider and the source the same secret; new ones come after tenterhook reload"
	}
	return "see the provider's own log of deliveries for what it sends"
}
