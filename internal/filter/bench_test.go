package filter

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// push returns a payload of the shape and about the size of a GitHub push.
func push(commits int) []byte {
	var b strings.Builder
	user := `{"name":"octocat","email":"octocat@example.com","login":"octocat",` +
		`"id":583231,"node_id":"MDQ6VXNlcjU4MzIzMQ==",` +
		`"avatar_url":"https://avatars.example.com/u/583231?v=4","gravatar_id":"","type":"User","site_admin":false}`
	b.WriteString(`{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246",` +
		`"created":false,"deleted":false,"forced":false,"base_ref":null,` +
		`"repository":{"id":186853002,"private":false,"owner":` + user)
	for i := range 70 {
		fmt.Fprintf(&b, `,"field_%d_url":"https://api.example.com/repos/octocat/hello/%d{/sha}"`, i, i)
	}
	b.WriteString(`},"pusher":` + user + `,"sender":` + user + `,"commits":[`)
	for i := range commits {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"id":"%040d","tree_id":"%040d","distinct":true,"message":"Fix \"thing\" %d\n\nSee #%d.",`+
			`"timestamp":"2026-01-02T03:04:05+02:00",`+
			`"url":"https://example.com/octocat/hello/commit/%040d","author":%s,`+
			`"committer":%s,"added":["a.go","b/c.go"],`+
			`"removed":[],"modified":["README.md"]}`, i, i, i, i, i, user, user)
	}
	b.WriteString(`],"size":3,"head_commit":null}`)
	return []byte(b.String())
}

func BenchmarkDecode(b *testing.B) {
	for _, commits := range []int{0, 3, 100} {
		body := push(commits)
		b.Run(fmt.Sprintf("ours/%dKiB", len(body)>>10), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(body); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("encoding_json/%dKiB", len(body)>>10), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var v any
				if err := json.Unmarshal(body, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTest(b *testing.B) {
	v := decode(b, string(push(3)))
	for _, source := range []string{
		`.ref == "refs/heads/main"`,
		`.ref == "refs/heads/main" and .deleted == false`,
		`.ref | startswith("refs/heads/")`,
		`.ref | test("^refs/heads/(main|release/)")`,
		`any(.commits[]; .message | contains("release"))`,
		`$event.type == "push"`,
	} {
		b.Run(source, func(b *testing.B) {
			p, ev := compile(b, source), event()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Test(b.Context(), v, ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(`.ref == "refs/heads/main" and (.commits | length) > 0`); err != nil {
			b.Fatal(err)
		}
	}
}
