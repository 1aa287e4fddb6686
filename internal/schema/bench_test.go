package schema_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/sjson"

	"github.com/tenterhook/tenterhook/internal/sample"
	"github.com/tenterhook/tenterhook/internal/schema"
)

// large returns a push of a thousand commits.
func large(tb testing.TB) []byte {
	tb.Helper()
	push, err := sample.GitHub("push", "")
	if err != nil {
		tb.Fatal(err)
	}
	const commit = `{"id":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","tree_id":"f9d2a07e9488b91af2641b26b9407fe22a451433",` +
		`"distinct":true,"message":"Update README.md","timestamp":"2019-05-15T15:20:33Z",` +
		`"url":"https://github.com/Codertocat/Hello-World/commit/0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c",` +
		`"author":{"name":"Codertocat","email":"codertocat@example.com","username":"Codertocat"},` +
		`"committer":{"name":"Codertocat","email":"codertocat@example.com","username":"Codertocat"},` +
		`"added":["a","b"],"removed":[],"modified":["README.md"]}`
	commits := "[" + strings.Repeat(commit+",", 999) + commit + "]"
	body, err := sjson.SetRawBytes(push.Body, "commits", []byte(commits))
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func payload(tb testing.TB, name sample.Name) []byte {
	tb.Helper()
	p, err := sample.GitHub(name.Event, name.Action)
	if err != nil {
		tb.Fatal(err)
	}
	return p.Body
}

// BenchmarkCheck is what a check adds to the way of one event.
func BenchmarkCheck(b *testing.B) {
	set := schema.GitHub()
	for _, bench := range []struct {
		typ, of string
		body    []byte
	}{
		{typ: "star.created", body: payload(b, sample.ParseName("star.created"))},
		{typ: "push", body: payload(b, sample.ParseName("push"))},
		{typ: "pull_request.opened", body: payload(b, sample.ParseName("pull_request.opened"))},
		{typ: "push", of: "_of_1000_commits", body: large(b)},
	} {
		b.Run(fmt.Sprintf("%s%s/%dKiB", bench.typ, bench.of, len(bench.body)>>10), func(b *testing.B) {
			b.SetBytes(int64(len(bench.body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := set.Check(bench.typ, nil, bench.body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMismatch is the most that a body of 64 KiB costs: each of its elements
// is wrong.
func BenchmarkMismatch(b *testing.B) {
	set := schema.GitHub()
	body := bytes.Replace(large(b), []byte(`"commits":[`), []byte(`"commits":[`+strings.Repeat("0,", 32<<10)), 1)
	set.Knows("push")
	b.ReportAllocs()
	for b.Loop() {
		if set.Check("push", nil, body) == nil {
			b.Fatal("commits that are numbers match")
		}
	}
}

// BenchmarkFirstLookup is what compiling costs: unpacking the archive, the schema
// of a type and those that it refers to. The second type shares most with the first.
func BenchmarkFirstLookup(b *testing.B) {
	for _, types := range [][]string{{"push"}, {"pull_request.opened"}, {"pull_request.opened", "pull_request.closed"}} {
		b.Run(strings.Join(types, "+"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set := schema.GitHub()
				for _, typ := range types {
					set.Knows(typ)
				}
			}
		})
	}
}
