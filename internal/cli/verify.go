package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/capture"
	"github.com/tenterhook/tenterhook/internal/mismatch"
	"github.com/tenterhook/tenterhook/signature"
)

// explainTimeout bounds the search for why a request does not verify, which takes
// long for bodies that are large.
const (
	explainTimeout = 20 * time.Second
	largeBody      = 1 << 20
)

type verifyOptions struct {
	*app
	verifierOptions

	file                     string // or - for stdin
	format, entry, body, url string
	now                      string
	batch                    bool
}

func newVerify(a *app) *cobra.Command {
	o := verifyOptions{app: a}
	cmd := &cobra.Command{
		Use: "verify [FILE]", Short: "Check a captured request's signature and, when it fails, say why",
		Long: "Check the signature of a request that was kept in a FILE, or comes on standard input: the bytes of the HTTP\n" +
			"request, a HAR file, a curl command, the output of curl -v or curl --trace, or a line of test vectors.\n\n" +
			"When it does not verify, changes that happen on the way are undone one by one: a body that was parsed and\n" +
			"written again, a newline too many, a secret that is to be decoded, another source's secret, a URL that a\n" +
			"proxy has changed. What makes it verify is the cause. Secrets and expected signatures are never shown.\n\n" +
			"--batch reads lines of JSON with the request and all that belongs to it, and prints one verdict a line.",
		Example: "tenterhook verify request.txt --provider github --secret env:GITHUB_WEBHOOK_SECRET\n" +
			"tenterhook verify request.txt --source github --now 2026-03-01T12:00:00Z\n" +
			"tenterhook verify network.har --entry 3 --provider stripe --secret file:whsec.txt --json\n" +
			"tenterhook verify --provider twilio --secret env:TWILIO_TOKEN --url https://example.com/sms < request.txt\n" +
			"tenterhook verify --batch vectors.jsonl",
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = "-"
			if len(args) > 0 {
				o.file = args[0]
			}
			if o.batch {
				return runVerifyBatch(o)
			}
			return runVerify(cmd.Context(), o)
		},
	}
	o.verifierOptions.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.url, "url", "", "the `URL` as the sender used it, if the capture does not say it or a proxy changed it")
	flags.StringVar(&o.now, "now", "", "the receiver's `TIME`: RFC 3339, or seconds since 1970 (default now)")
	flags.StringVar(&o.format, "format", "", "read the capture as this `FORMAT`, instead of finding out: "+joined(formatNames()))
	flags.StringVar(&o.entry, "entry", "", "of several requests take the one with this `NUMBER`, or this part of its URL or id")
	flags.StringVar(&o.body, "body", "", "take the body from this `FILE`, byte for byte, instead of the capture's")
	flags.BoolVar(&o.batch, "batch", false, "judge every line of a file of test vectors")
	completeWith(cmd, "format", formatNames()...)
	return exits(cmd, exitConfig, exitUndelivered)
}

func formatNames() []string {
	names := make([]string, 0, len(capture.Formats()))
	for _, f := range capture.Formats() {
		names = append(names, string(f))
	}
	return names
}

func runVerify(ctx context.Context, o verifyOptions) error {
	kept, err := o.capture()
	if err != nil {
		return err
	}
	to, err := o.verifier(ctx, kept)
	if err != nil {
		return err
	}
	now, err := o.time(kept)
	if err != nil {
		return err
	}
	if err := o.address(kept, to); err != nil {
		return err
	}
	v := o.judge(ctx, kept, to, now)
	switch {
	case v.lacksSecret():
		return usageError("write --secret env:NAME or --secret file:PATH; --source NAME takes it from tenterhook.yaml",
			"%s needs a secret to verify with", to.scheme.Name())
	case v.Reason == signature.ReasonNoSetting:
		return usageError(settingsHint(to.scheme), "%s needs a setting: %s", to.scheme.Name(), v.Detail)
	}
	if o.ui.json {
		err = o.ui.data(v)
	} else {
		err = v.print(o.ui)
	}
	if err == nil && !v.Valid {
		return &failure{exit: exitUndelivered, err: errors.New("not verified"), told: true}
	}
	return err
}

// capture reads the request.
func (o verifyOptions) capture() (*capture.Capture, error) {
	content, err := o.read(o.file)
	if err != nil {
		return nil, err
	}
	opts := capture.Options{Format: capture.Format(o.format), Entry: o.entry}
	if o.body != "" {
		if opts.Body, err = o.read(o.body); err != nil {
			return nil, err
		}
	}
	kept, err := capture.Read(content, opts)
	if bad, ok := errors.AsType[*capture.Error](err); ok {
		return nil, &failure{exit: exitFailed, err: err, hint: bad.Hint}
	}
	return kept, err
}

// open opens a file, or standard input.
func (o verifyOptions) open(file string) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(o.ui.in), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read capture: %w", err)
	}
	return f, nil
}

func (o verifyOptions) read(file string) ([]byte, error) {
	f, err := o.open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from: nothing is lost
	content, err := io.ReadAll(io.LimitReader(f, capture.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read capture: %w", err)
	}
	if content == nil {
		content = []byte{} // an empty body is one
	}
	return content, nil
}

// time is the receiver's time.
func (o verifyOptions) time(kept *capture.Capture) (time.Time, error) {
	switch {
	case o.now != "":
		return parseNow(o.now)
	case kept.Line != nil && !kept.Line.Now.IsZero():
		return kept.Line.Now, nil
	}
	return o.ui.now(), nil
}

// parseNow reads RFC 3339, or seconds or milliseconds since 1970.
func parseNow(text string) (time.Time, error) {
	const milliseconds = 1e11 // from here on it is in these; as seconds it is the year 5138
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n >= milliseconds {
			return time.UnixMilli(n), nil
		}
		return time.Unix(n, 0), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, usageError("write it as 2026-03-01T12:00:00Z, or in seconds since 1970", "--now %q is not a time", text)
	}
	return t, nil
}

// address gives the request the URL that the sender used.
func (o verifyOptions) address(kept *capture.Capture, to *verifier) error {
	if o.url != "" {
		if !strings.Contains(o.url, "://") {
			return usageError("write the whole of it, such as https://example.com/hooks?a=b", "--url %q is not a URL", o.url)
		}
		kept.Request.URL = o.url
	} else if to.public != "" {
		kept.Request.URL = publicURL(to.public, kept.Request.URL)
	}
	if to.scheme.SignsURL() && !strings.Contains(kept.Request.URL, "://") {
		kept.Notes = append(kept.Notes, "the URL is signed, and the capture does not have all of it: give it with --url")
	}
	return nil
}

// publicURL is the URL that a source was told to the provider by: base, which is
// scheme and host or the whole of it, and what the sender adds to that.
func publicURL(base, seen string) string {
	_, rest, _ := strings.Cut(base, "://")
	if !strings.Contains(rest, "/") {
		if _, after, ok := strings.Cut(seen, "://"); ok {
			_, seen, _ = strings.Cut(after, "/")
		}
		return base + "/" + strings.TrimPrefix(seen, "/")
	}
	if _, query, ok := strings.Cut(seen, "?"); ok {
		return base + "?" + query
	}
	return base
}

// judge verifies the request and, if it does not verify, finds out why.
func (o verifyOptions) judge(ctx context.Context, kept *capture.Capture, to *verifier, now time.Time) verdict {
	keys := to.keys()
	v := verdict{
		Provider: to.provider(), Source: to.source, Format: kept.Format, URL: kept.Request.URL, Now: now.UTC(),
		CapturedAt: optionalTime(kept.Time), Bytes: len(kept.Request.Body), Notes: kept.Notes, to: to,
	}
	reply, isHandshake, err := to.scheme.Handshake(kept.Request, keys, now)
	if isHandshake {
		v.Answer = answerOf(reply).without(reply.Secret)
	}
	var result signature.Result
	if !isHandshake || err != nil { // of a refused one, Verify may know more
		var verifyErr error
		if result, verifyErr = to.scheme.Verify(kept.Request, keys, now); !isHandshake {
			err = verifyErr
		}
	}
	if err == nil {
		v.accept(result, isHandshake)
		return v
	}
	if v.refuse(err); v.lacksSecret() || v.Reason == signature.ReasonNoSetting {
		return v
	}
	if v.Bytes > largeBody && !o.ui.json {
		o.ui.say("it does not verify; finding out why, which may take %s", explainTimeout)
	}
	limited, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	v.explain(mismatch.Explain(limited, mismatch.Case{
		Scheme: to.scheme, Settings: to.settings, Request: kept.Request, Secrets: to.secrets, Now: now,
		Rest: kept.Rest, Others: to.others,
	}))
	return v
}
