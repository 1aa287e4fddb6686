package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/sample"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// triggerTimeout bounds one request and its answer.
const triggerTimeout = 30 * time.Second

type triggerOptions struct {
	*app

	to, source, secret string
	set                []string
	deliveryID         string
	count              int
	list               bool
}

func newTrigger(a *app) *cobra.Command {
	return group(a, "trigger", "Send a provider's sample event, signed as the provider signs",
		[]*cobra.Command{newTriggerGitHub(a)})
}

func newTriggerGitHub(a *app) *cobra.Command {
	o := triggerOptions{app: a}
	cmd := &cobra.Command{
		Use: "github EVENT[.ACTION] (--to URL | --source NAME)", Short: "Send one of GitHub's sample events",
		Long: "Send one of GitHub's own sample events, with GitHub's headers and signatures, and print the answer. The\n" +
			"samples are those of the npm package @octokit/webhooks-examples, one per event and action.\n\n" +
			"--source takes address and secret from the configuration file. --set changes the payload before it is\n" +
			"signed: PATH is as in head_commit.id or commits.0.message, VALUE is JSON, or else text.",
		Example: "tenterhook trigger github push --source github --set ref=refs/heads/main\n" +
			"tenterhook trigger github pull_request.opened --to http://localhost:8000/webhook/github --secret env:GITHUB_WEBHOOK_SECRET\n" +
			"tenterhook trigger github --list",
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTrigger(cmd.Context(), o, strings.Join(args, ""))
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return sampleNames(), cobra.ShellCompDirectiveNoFileComp // here, because it unpacks all samples
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "send to this `URL`; needs --secret")
	flags.StringVar(&o.source, "source", "", "send to the source of this `NAME` in the configuration file")
	flags.StringVar(&o.secret, "secret", "", "sign with the secret that `REF` refers to, such as env:NAME or file:PATH")
	flags.StringArrayVar(&o.set, "set", nil, "set a value of the payload, as `PATH=VALUE`; may be given again")
	flags.StringVar(&o.deliveryID, "delivery-id", "", "send with this `UUID` instead of a new one each time, as a redelivery does")
	flags.IntVar(&o.count, "count", 1, "send `N` times, one after the other")
	flags.BoolVar(&o.list, "list", false, "list the events there are, and send nothing")
	return exits(cmd, exitConfig, exitUndelivered, exitUnreachable)
}

func runTrigger(ctx context.Context, o triggerOptions, name string) error {
	if o.list {
		return listSamples(o.ui)
	}
	payload, err := findSample(name)
	if err != nil {
		return err
	}
	if payload, err = setValues(payload, o.set); err != nil {
		return err
	}
	if o.count < 1 {
		return usageError("", "--count is %d, and must be at least 1", o.count)
	}
	t, err := o.target(ctx)
	if err != nil {
		return err
	}
	refused := 0
	var last triggered
	for range o.count {
		if last, err = t.send(ctx, payload, o.deliveryID); err != nil {
			return err
		}
		if err := last.print(o.ui); err != nil {
			return err
		}
		if !last.accepted() {
			refused++
		}
	}
	if refused > 0 {
		return &failure{
			exit: exitUndelivered,
			err:  fmt.Errorf("%d of %d not accepted, the last with %d %s", refused, o.count, last.Status, http.StatusText(last.Status)),
			hint: last.hint(),
		}
	}
	if id := last.eventID(); id != "" {
		o.ui.hint("tenterhook events explain %s", id)
	}
	return nil
}

func sampleNames() []string {
	events := sample.Events()
	names := make([]string, len(events))
	for i, name := range events {
		names[i] = name.String()
	}
	return names
}

func listSamples(u *ui) error {
	if u.json {
		return u.data(sampleNames())
	}
	for _, name := range sampleNames() {
		if err := u.line(text("%s", name)); err != nil {
			return err
		}
	}
	return nil
}

// findSample returns the payload that EVENT[.ACTION] names.
func findSample(name string) (sample.Payload, error) {
	const list = "tenterhook trigger github --list shows what there is"
	if name == "" {
		return sample.Payload{}, usageError(list, "which event? None is named")
	}
	n := sample.ParseName(name)
	payload, err := sample.GitHub(n.Event, n.Action)
	if unknown, ok := errors.AsType[*sample.UnknownError](err); ok && len(unknown.Near) > 0 {
		near := make([]string, len(unknown.Near))
		for i, name := range unknown.Near {
			near[i] = name.String()
		}
		return payload, usageError("did you mean "+strings.Join(near, ", ")+"? "+list, "%w", err)
	}
	if err != nil {
		return payload, usageError(list, "%w", err)
	}
	return payload, nil
}

// setValues returns p with each PATH=VALUE set in its body. A value that is JSON
// is set as it is, any other as text.
func setValues(p sample.Payload, assignments []string) (sample.Payload, error) {
	for _, assignment := range assignments {
		path, value, ok := strings.Cut(assignment, "=")
		if !ok || path == "" {
			return p, usageError("write PATH=VALUE, such as --set ref=refs/heads/main", "--set %q sets nothing", assignment)
		}
		var body []byte
		var err error
		if raw := new(bytes.Buffer); json.Compact(raw, []byte(value)) == nil {
			body, err = sjson.SetRawBytes(p.Body, path, raw.Bytes())
		} else {
			body, err = sjson.SetBytes(p.Body, path, strings.ToValidUTF8(value, "\uFFFD"))
		}
		if err != nil {
			return p, usageError("a path is names and numbers with dots between, such as commits.0.message",
				"--set %q: %w", assignment, err)
		}
		p.Body = body
	}
	p.Action = gjson.GetBytes(p.Body, "action").String()
	return p, nil
}

// A triggerTarget is where samples go, and how they are signed.
type triggerTarget struct {
	url    *url.URL
	keys   signature.Keys
	client *egress.Client
}

// target finds out where to send and which secret to sign with.
func (o triggerOptions) target(ctx context.Context) (triggerTarget, error) {
	switch {
	case (o.to == "") == (o.source == ""):
		return triggerTarget{}, usageError("write --to URL for any receiver, --source NAME for a source of tenterhook.yaml",
			"either --to or --source says where to send")
	case o.source != "":
		return o.sourceTarget(ctx)
	case o.secret == "":
		return triggerTarget{}, usageError("write --secret env:NAME, or use --source", "--to needs --secret to sign with")
	}
	to, err := url.Parse(o.to)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return triggerTarget{}, usageError("write a whole URL, such as http://localhost:8000/webhook/github",
			"--to is not the URL of a receiver")
	}
	keys, err := o.keys(ctx)
	return triggerTarget{url: to, keys: keys, client: egress.New(egress.Options{})}, err
}

// sourceTarget is a source of the configuration file. A --secret stands in for
// the source's own.
func (o triggerOptions) sourceTarget(ctx context.Context) (triggerTarget, error) {
	c, err := o.loadWithoutSecrets() // of all secrets, only this source's is needed
	if err != nil {
		return triggerTarget{}, err
	}
	s, ok := c.Source(o.source)
	if !ok {
		names := make([]string, len(c.Sources))
		for i, s := range c.Sources {
			names[i] = s.Name
		}
		return triggerTarget{}, usageError("sources: "+joined(names), "no source is called %q", o.source)
	}
	if err := c.Override(config.Flags{}, o.env); err != nil {
		return triggerTarget{}, err
	}
	t := triggerTarget{
		url:    &url.URL{Scheme: "http", Host: dialable(c.Listen), Path: "/webhook/" + s.Name},
		client: egress.New(c.Egress.Options()),
	}
	if o.secret != "" {
		t.keys, err = o.keys(ctx)
		return t, err
	}
	if s.Scheme == nil || s.Scheme.Name() != signature.GitHub.Name() {
		return t, usageError("give a source of the provider github, or a secret to sign with",
			"source %q has the provider %q, and GitHub's samples are signed as GitHub signs", s.Name, s.Provider)
	}
	t.keys, err = o.resolve(ctx, filepath.Dir(c.Path), s.SecretRefs...)
	return t, err
}

// dialable turns an address to listen on into one to dial: a server that listens
// on all addresses is on the loopback one as well.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// keys resolves --secret.
func (o triggerOptions) keys(ctx context.Context) (signature.Keys, error) {
	ref, err := secret.Parse(o.secret)
	if bad, ok := errors.AsType[*secret.Error](err); ok {
		return signature.Keys{}, usageError(bad.Hint, "--secret: %w", err)
	}
	return o.resolve(ctx, "", ref)
}

// resolve returns the secrets that refs refer to. Files are relative to dir.
func (o triggerOptions) resolve(ctx context.Context, dir string, refs ...secret.Ref) (signature.Keys, error) {
	resolver := secret.Resolver{LookupEnv: o.env.LookupEnv, ReadFile: o.env.ReadFile, Dir: dir}
	values := make([]string, len(refs))
	for i, ref := range refs {
		value, err := resolver.Resolve(ctx, ref)
		if bad, ok := errors.AsType[*secret.Error](err); ok {
			return signature.Keys{}, &failure{exit: exitConfig, err: err, hint: bad.Hint}
		}
		if err != nil {
			return signature.Keys{}, err
		}
		values[i] = value
	}
	return signature.NewKeys(values...)
}

// triggered is one sample that was sent, and its answer.
type triggered struct {
	Event      string `json:"event"`
	DeliveryID string `json:"delivery_id"`
	URL        string `json:"url"`
	Bytes      int    `json:"bytes"` // of the payload
	Status     int    `json:"status"`
	Answer     string `json:"answer"` // the beginning of the answer's body
}

// send sends the payload once and returns the answer, whatever it is.
func (t triggerTarget) send(ctx context.Context, p sample.Payload, deliveryID string) (triggered, error) {
	done := triggered{Event: p.String(), URL: t.url.Redacted(), Bytes: len(p.Body)}
	done.DeliveryID = cmp.Or(deliveryID, sample.NewDeliveryID())
	timeout := fmt.Errorf("no answer within %s", triggerTimeout)
	limited, cancel := context.WithTimeoutCause(ctx, triggerTimeout, timeout)
	defer cancel()
	req, err := p.Request(limited, t.url.String(), t.keys, done.DeliveryID)
	if err != nil {
		return done, err
	}
	resp, err := t.client.Do(limited, req, egress.PermitLiteral(t.url))
	if err != nil {
		return done, t.unreachable(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters of it was read
	const most = 64 << 10
	answer, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return done, t.unreachable(ctx, fmt.Errorf("read answer: %w", err))
	}
	done.Status, done.Answer = resp.StatusCode, string(answer)
	return done, nil
}

// unreachable says why nothing was answered.
func (t triggerTarget) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	hint := "is it running, and does it listen there?"
	if _, blocked := errors.AsType[*egress.BlockedError](err); blocked {
		hint = "without https, or inside of a private network, write the address itself: http://ADDRESS:PORT/..."
	}
	return &failure{exit: exitUnreachable, err: err, hint: hint}
}

func (d triggered) accepted() bool { return d.Status >= 200 && d.Status <= 299 }

// eventID is the id that a gateway gave the event, or "".
func (d triggered) eventID() string {
	id := gjson.Get(d.Answer, "id").String()
	if !strings.HasPrefix(id, "evt_") {
		return ""
	}
	return id
}

func (d triggered) print(u *ui) error {
	if u.json {
		return u.record(d)
	}
	u.say("sent %s, %s, as %s to %s", d.Event, bytesText(int64(d.Bytes)), d.DeliveryID, d.URL)
	mood := good
	if !d.accepted() {
		mood = bad
	}
	return u.line(span{mood, strconv.Itoa(d.Status)}, text(" %s", strings.TrimSpace(d.Answer)))
}

// hint says what to do about an answer that is not 2xx.
func (d triggered) hint() string {
	switch d.Status {
	case http.StatusUnauthorized:
		return "the receiver signs with another secret: compare --secret, or the configuration, with what it was started with"
	case http.StatusNotFound:
		return "the path of a source is /webhook/NAME"
	}
	return ""
}
