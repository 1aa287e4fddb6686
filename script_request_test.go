package tenterhook_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tenterhook/tenterhook/signature"
)

// A requesting is what the arguments of request say.
type requesting struct {
	method, provider, key, as string

	url    string
	header http.Header
	body   []byte
}

// requestCommand makes any request, signed as any provider signs, and prints the
// answer with its headers.
func requestCommand(ts *testscript.TestScript, neg bool, args []string) {
	r := readRequesting(ts, args)
	if r.provider != "" {
		r.sign(ts)
	}
	req, err := http.NewRequest(r.method, r.url, bytes.NewReader(r.body))
	ts.Check(err)
	req.Header = r.header
	if host := r.header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	var lines []string
	for name, values := range resp.Header {
		lines = append(lines, name+": "+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	_, err = fmt.Fprintf(ts.Stdout(), "%d\n%s\n\n%s\n", resp.StatusCode, strings.Join(lines, "\n"), body)
	ts.Check(err)
	if ok := resp.StatusCode/100 == 2; ok == neg {
		ts.Fatalf("answered %d", resp.StatusCode)
	}
}

func readRequesting(ts *testscript.TestScript, args []string) requesting {
	r := requesting{header: http.Header{}}
	flags := flag.NewFlagSet("request", flag.ContinueOnError)
	flags.StringVar(&r.method, "X", http.MethodPost, "")
	flags.StringVar(&r.provider, "sign", "", "")
	flags.StringVar(&r.key, "key", "", "")
	flags.StringVar(&r.as, "as", "", "")
	flags.Func("H", "", func(line string) error {
		name, value, _ := strings.Cut(line, ":")
		r.header.Add(name, strings.TrimSpace(value))
		return nil
	})
	ts.Check(flags.Parse(args))
	exactly(ts, flags.Args(), 1, 2)
	r.url = flags.Arg(0)
	if file := flags.Arg(1); file != "" {
		r.body = []byte(ts.ReadFile(file))
	}
	if r.header.Get("Content-Type") == "" && len(r.body) > 0 {
		r.header.Set("Content-Type", "application/json")
	}
	return r
}

// sign signs the request as if it were sent to another URL, if one is given.
func (r *requesting) sign(ts *testscript.TestScript) {
	scheme, ok := signature.Lookup(r.provider)
	if !ok {
		ts.Fatalf("there is no provider %s", r.provider)
	}
	keys, err := signature.NewKeys(ts.Getenv(r.key))
	ts.Check(err)
	signed := signature.Request{Method: r.method, URL: cmp.Or(r.as, r.url), Header: r.header, Body: r.body}
	ts.Check(scheme.Sign(&signed, keys, signature.SignOptions{Time: time.Now()}))
	r.body = signed.Body
}
