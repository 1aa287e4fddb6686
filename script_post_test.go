package tenterhook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// A posting is what the arguments of post say.
type posting struct {
	url     string
	header  http.Header
	body    []byte
	chunked bool
}

func postCommand(ts *testscript.TestScript, neg bool, args []string) {
	status, answer, err := readPosting(ts, args).send(context.Background())
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%d %s", status, answer)
	ts.Check(err)
	if ok := status/100 == 2; ok == neg {
		ts.Fatalf("answered %d", status)
	}
}

func readPosting(ts *testscript.TestScript, args []string) posting {
	p := posting{header: http.Header{}}
	flags := flag.NewFlagSet("post", flag.ContinueOnError)
	event := flags.String("github", "", "")
	id := flags.String("id", "", "")
	secret := flags.String("secret", "GITHUB_WEBHOOK_SECRET", "")
	flags.BoolVar(&p.chunked, "chunked", false, "")
	flags.Func("H", "", func(line string) error {
		name, value, _ := strings.Cut(line, ":")
		p.header.Add(name, strings.TrimSpace(value))
		return nil
	})
	ts.Check(flags.Parse(args))
	exactly(ts, flags.Args(), 1, 2)
	p.url = flags.Arg(0)
	if file := flags.Arg(1); file != "" {
		p.body = []byte(ts.ReadFile(file))
	}
	if *id != "" {
		p.header.Set("X-GitHub-Delivery", *id)
	}
	if *event != "" {
		p.header.Set("X-GitHub-Event", *event)
		p.header.Set("X-Hub-Signature-256", "sha256="+mac(ts.Getenv(*secret), p.body))
	}
	if p.header.Get("Content-Type") == "" {
		p.header.Set("Content-Type", "application/json")
	}
	return p
}

func (p posting) send(ctx context.Context) (status int, answer string, err error) {
	var body io.Reader = bytes.NewReader(p.body)
	if p.chunked {
		body = struct{ io.Reader }{body} // of unknown length
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, body)
	if err != nil {
		return 0, "", err
	}
	req.Header = p.header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func getCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 1, 2)
	token := ""
	if len(args) > 1 {
		token = args[1]
	}
	status, answer, err := fetch(context.Background(), http.MethodGet, args[0], token, nil)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%d %s", status, answer)
	ts.Check(err)
}

// mac is the HMAC-SHA256 in hex, made without the package under test.
func mac(secret string, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

func signCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 3, 3)
	ts.Setenv(args[0], mac(ts.Getenv(args[1]), []byte(ts.ReadFile(args[2]))))
}
