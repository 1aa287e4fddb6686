package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/github"
)

// dispatchTimeout bounds one request to GitHub and its answer.
const dispatchTimeout = 30 * time.Second

type dispatchOptions struct {
	*app

	fields             []string
	data, token, apiAt string
}

func newDispatch(a *app) *cobra.Command {
	o := dispatchOptions{app: a}
	cmd := &cobra.Command{
		Use: "dispatch OWNER/REPO EVENT_TYPE [-f KEY=VALUE]...", Short: "Start GitHub workflows that run on repository_dispatch",
		Long: "Send a repository_dispatch to GitHub, which starts the workflows of the repository's default branch that run on\n" +
			"it. In them, github.event.action is EVENT_TYPE, and github.event.client_payload has the fields.\n\n" +
			"GitHub takes at most 10 fields and 64 KiB, which is checked before anything is sent. It answers before it looks\n" +
			"for workflows: 0 says that it took the event, not that a workflow runs.\n\n" +
			"The token needs write access to the contents of the repository.",
		Example: "tenterhook dispatch octo-org/hub component-updated -f component=captures -f build=42\n" +
			"tenterhook dispatch octo-org/hub release --data @release.json --token file:/run/secrets/github-token\n" +
			"tenterhook dispatch team/site rebuild --api https://github.example.com/api/v3 --token env:GHES_TOKEN",
		Args: arguments(2, 2), //nolint:mnd // OWNER/REPO and EVENT_TYPE
		RunE: func(cmd *cobra.Command, args []string) error { return runDispatch(cmd.Context(), o, args[0], args[1]) },
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.fields, "field", "f", nil,
		"a field of the client payload, as `KEY=VALUE`; VALUE is JSON, or else text; may be given again")
	flags.StringVar(&o.data, "data", "", "the whole client payload, a JSON object: @FILE, @- for what comes in, or the `JSON` itself")
	flags.StringVar(&o.token, "token", "env:GITHUB_TOKEN", "the token that `REF` refers to, such as env:NAME or file:PATH")
	flags.StringVar(&o.apiAt, "api", github.DefaultAPI, "the `URL` of the API; of a GitHub Enterprise Server, https://HOST/api/v3")
	return exits(cmd, exitConfig, exitUndelivered, exitUnreachable)
}

// dispatched is an event that GitHub took, as JSON.
type dispatched struct {
	Repository string `json:"repository"`
	EventType  string `json:"event_type"`
	Bytes      int    `json:"bytes"` // of the client payload
}

func runDispatch(ctx context.Context, o dispatchOptions, repository, eventType string) error {
	payload, err := o.payload()
	if err != nil {
		return err
	}
	d := github.Dispatch{Repository: repository, EventType: eventType, Payload: payload}
	if err := d.Validate(); err != nil {
		return usageError("tenterhook dispatch OWNER/REPO EVENT_TYPE -f KEY=VALUE", "%w", err)
	}
	token, err := o.references(ctx, "--token", o.token)
	if err != nil {
		return err
	}
	client, err := o.client(token[0])
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, dispatchTimeout, fmt.Errorf("no answer within %v", dispatchTimeout))
	defer cancel()
	if err := client.Dispatch(limited, d); err != nil {
		return dispatchFailure(d, err)
	}
	if o.ui.json {
		return o.ui.data(dispatched{repository, eventType, len(payload)})
	}
	o.ui.say("%s took %s; its workflows are at the tab Actions", repository, eventType)
	return nil
}

// payload returns the client payload, or nil if there is none.
func (o dispatchOptions) payload() ([]byte, error) {
	switch {
	case o.data != "" && len(o.fields) > 0:
		return nil, usageError("put the fields into the data, or leave --data out",
			"--data is the whole payload, and there are fields besides it")
	case o.data != "":
		return readData(o.ui, o.data)
	case len(o.fields) == 0:
		return nil, nil
	}
	var object jsonObject
	if err := object.assign("--field", o.fields); err != nil {
		return nil, err
	}
	return object.bytes(), nil
}

// client is a client of the API that the command line names, which permits its
// address if that is a literal one.
func (o dispatchOptions) client(token string) (*github.Client, error) {
	at, err := url.Parse(o.apiAt)
	if err != nil {
		return nil, usageError("", "--api is not a URL")
	}
	out, permit := egress.New(egress.Options{}), egress.PermitLiteral(at)
	client, err := github.NewClient(github.Options{
		API: o.apiAt, Token: token, Now: o.ui.now,
		Doer: github.DoFunc(func(ctx context.Context, req *http.Request) (*http.Response, error) { return out.Do(ctx, req, permit) }),
	})
	if err != nil {
		return nil, usageError("", "%w", err)
	}
	return client, nil
}

// dispatchFailure says how the program ends when GitHub did not take the event.
func dispatchFailure(d github.Dispatch, err error) error {
	act := fmt.Errorf("dispatch to %s: %w", d.Repository, err)
	if refused, ok := errors.AsType[*github.Error](err); ok {
		return &failure{exit: exitUndelivered, err: act, hint: refused.Hint()}
	}
	hint := "can this machine reach GitHub? Of a GitHub Enterprise Server, --api names the address"
	if _, blocked := errors.AsType[*egress.BlockedError](err); blocked {
		hint = "inside of a private network, write the address itself: --api https://ADDRESS/api/v3"
	}
	return &failure{exit: exitUnreachable, err: act, hint: hint}
}
