package filter

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/itchyny/gojq"
)

const payload = `{
	"ref": "refs/heads/main", "action": "opened", "n": 12345678901234567890, "price": 1.10, "draft": false,
	"body": "Fixes #12, see #34", "labels": [{"name": "bug"}, {"name": "urgent"}], "paths": ["b", "a", "b"],
	"commits": [{"id": "c1", "added": ["x.go"]}, {"id": "c2", "added": []}], "nested": "{\"a\": [1, 2]}"
}`

func event() Event {
	return Event{
		ID: "evt_1", Type: "push", Source: "github", Headers: map[string]any{"x-github-event": "push"},
		ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.FixedZone("east", 3600)),
	}
}

func compile(t testing.TB, source string) *Program {
	t.Helper()
	p, err := Compile(source)
	if err != nil {
		t.Fatalf("Compile(%q): %v", source, err)
	}
	return p
}

func decode(t testing.TB, body string) any {
	t.Helper()
	v, err := Decode([]byte(body))
	if err != nil {
		t.Fatalf("Decode(%q): %v", body, err)
	}
	return v
}

func TestTruth(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		`.ref == "refs/heads/main"`:           true,
		`.ref == "refs/heads/topic"`:          false,
		`.ref | startswith("refs/tags/")`:     false,
		`.draft`:                              false,
		`.missing`:                            false,
		`0`:                                   true, // as in jq: only false and null are not
		`""`:                                  true,
		`empty`:                               false,
		`.labels[] | select(.name == "none")`: false,
		`false, true`:                         false, // the first output counts
		`any(.labels[]; .name == "urgent")`:   true,
		`.n == 12345678901234567890`:          true,
		`.n == 12345678901234567891`:          false, // not rounded
		`.action | IN("opened", "reopened")`:  true,
		`.body | test("fixes #[0-9]+"; "i")`:  true,
		`$event.type == "push" and $event.tenant == ""`:          true,
		`$event.headers["x-github-event"] == "push"`:             true,
		`$event.received_at == "2026-01-02T02:04:05Z"`:           true,
		`$event.received_at | fromdate == 1767319445`:            true,
		`def now: true; now`:                                     true, // not the builtin
		`. as {$ref} | $ref | test("main$")`:                     true,
		`[.commits[].added[]] | contains(["x.go"])`:              true,
		`.nested | fromjson | .a - [1] == [2]`:                   true,
		`try error("no") catch . == "no"`:                        true,
		`.a.b.c.d == null and (.labels | length) == 2`:           true,
		`[limit(3; repeat(1))] | add == 3`:                       true,
		`.labels | map(.name) | index("urgent") == 1`:            true,
		`(.paths | unique) == ["a", "b"]`:                        true,
		"# a comment with \"quotes\"\n.ref | endswith(\"main\")": true,
	}
	for source, want := range tests {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			got, err := compile(t, source).Test(t.Context(), decode(t, payload), event())
			if err != nil || got != want {
				t.Errorf("Test = %v, %v; want %v", got, err, want)
			}
		})
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	tests := []struct{ source, want string }{
		{`{text: "push to \(.ref)", by: $event.source}`, `{"by":"github","text":"push to refs/heads/main"}`},
		{`[.n, .price]`, `[12345678901234567890,1.10]`},
		{`"<a href=\"x\">&"`, `"<a href=\"x\">&"`},
		{`.labels | map(.name) | join(",")`, `"bug,urgent"`},
		{`.body | [scan("#[0-9]+")]`, `["#12","#34"]`},
		{`.body | gsub("#(?<n>[0-9]+)"; "issue \(.n)")`, `"Fixes issue 12, see issue 34"`},
		{`$event`, `{"body_bound":false,"headers":{"x-github-event":"push"},"id":"evt_1","received_at":"2026-01-02T02:04:05Z","schema_mismatch":null,` +
			`"source":"github","tenant":"","type":"push"}`},
	}
	for _, test := range tests {
		got, err := compile(t, test.source).JSON(t.Context(), decode(t, payload), event())
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v; want %s", test.source, got, err, test.want)
		}
	}
	whole, err := compile(t, `.`).JSON(t.Context(), decode(t, payload), event())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode(t, payload), decode(t, string(whole))); diff != "" {
		t.Errorf("identity changes the payload: %s", diff)
	}
}

func TestOneOutput(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`empty`:             "no output",
		`1, 2`:              "more than one output",
		`1, error("after")`: "after",
		`.ref.x`:            "expected an object but got: string",
		`error("` + strings.Repeat("x", 1000) + `")`: "...",
	} {
		_, err := compile(t, source).Value(t.Context(), decode(t, payload), Event{})
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 310 {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}

// The guards must not change what a program means, so programs are compared
// with the bare interpreter.
func TestGuardsKeepMeaning(t *testing.T) {
	t.Parallel()
	sources := []string{
		`[(1, 2) - (10, 20)]`, `[(1, 2) * (10, 20)]`, `[.paths[] == .paths[]]`, `.labels == .commits`,
		`{} * {a: {b: 1}}`,
		`"ab" * 3`, `3 * "ab"`, `"ab" * 0`, `"a,b" / ","`, `.paths - ["b"]`, `10 / 4`, `[.paths[] < "b"]`,
		`del(.labels[] | select(.name == "bug"))`, `.labels |= map(select(.name != "bug"))`, `.paths -= ["b"]`,
		`.labels[].name *= 2`, `.price *= (2, 3)`, `(.paths[] | select(. == "b")) |= "c"`, `.x[2] = 1`,
		`.x[1 + 1] = 1`,
		`[paths]`, `[paths(type == "number")]`, `path(.labels[1 - 1].name)`, `getpath(["labels", 0, "name"])`,
		`setpath(["labels", 5]; 1)`, `delpaths([["ref"], ["labels", 0]])`, `to_entries`,
		`with_entries(.value |= tostring)`,
		`[.labels[] | .name | ascii_upcase]`, `tojson`, `tojson | fromjson`, `"\(.labels) and \(.ref)"`,
		`@json "x\(.labels)"`,
		`@base64 "\(.ref)"`, `.ref | @uri`, `[.ref, 1] | @csv`, `.paths | sort`, `.labels | sort_by(.name)`,
		`.labels | group_by(.name | length)`, `.labels | min_by(.name)`, `.paths | max`, `[[1, 2], [3]] | transpose`,
		`[[1, [2]], 3] | flatten`, `[[1, [2]], 3] | flatten(1)`, `.paths | add`, `add(.paths[])`,
		`.body | split(" ")`,
		`.body | split(", *"; null)`, `.body | [match("#([0-9]+)"; "g").captures[0].string]`,
		`.body | capture("#(?<n>\\d+)")`,
		`.body | [splits("s")]`, `.body | sub("#"; "no. ")`, `.body | [test("FIX"; "i"), test("FIX")]`,
		`.paths += ["c"]`, `[(1, 2) + (10, 20)]`,
		`.labels[].name += ("a", "b")`, `null + .paths`, `{a: 1} + {b: 2}`,
		`.body | index("#")`, `.body | indices("#")`, `.paths | indices("b")`, `"a" | inside("abc")`,
		`.paths | contains(["a"])`,
		`def f(x): x * 2; f(3)`, `def f($x; $y): $x - $y; f(3; 1)`, `def sort: "mine"; .paths | sort`,
		`reduce .paths[] as $p (0; . + 1)`, `[foreach .paths[] as $p (0; . + 1; [$p, .])]`,
		`label $out | 1, break $out, 2`,
		`. as {labels: [{name: $n}]} | $n`, `.[] as [$a] ?// $a | $a`,
		`[.paths[] | if . == "a" then 1 elif . == "b" then 2 else 3 end]`,
		`try (.ref | tonumber) catch "no"`, `"12" | tonumber`, `.n + 1`, `-.price`, `[.[]?]`, `.paths[1:]`,
		`.paths[-1]`, `."ref"`, `.["ref"]`,
		`.labels[0]["name"]`, `[.labels[].name?]`, `.paths as [$x, $y] | {$x, $y}`, `{(.ref): 1}`, `{"a\(1)": 2}`,
		`[tostream]`,
		`fromstream(tostream)`, `[1, 2] | combinations(2)`, `[[1, 2], [3, 4]] | [combinations]`,
		`walk(if type == "string" then 1 else . end)`,
		`[.paths[] | select(IN("a", "c"))]`, `any(.paths[]; IN("c"))`,
		`"2015-03-05T23:51:47Z" | strptime("%Y-%m-%dT%H:%M:%SZ") | mktime`,
		`1425599507 | todate`, `"x" | ascii_downcase | explode | implode`, `pick(.labels[0].name)`,
		`[range(3)] | .[1:] = ["x"]`,
		`.labels | map(has("name"))`, `.paths | bsearch("b")`, `input_nothing?`, `[limit(2; .paths[])]`,
		`ltrimstr("x")`, `.a.b |= . // 1`,
		`[.paths[] as $p | $p | select($p > "a")]`, `map_values(type)`, `tojson | length`, `[splits("a")]`,
		`@text`, `@json`, `error(.ref)`,
		`[.labels[] | select(.name | test("^u"))] | length`, `.paths | join("-") | test("b-a")`, `.. |= .`,
		`[..] | length`,
	}
	for _, source := range sources {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			want, wantErr := bare(t, source, decode(t, payload))
			got, gotErr := guarded(t, source, decode(t, payload))
			if gotErr != wantErr || gojq.Compare(got, want) != 0 {
				t.Errorf("guarded: %v %s\n   bare: %v %s", got, gotErr, want, wantErr)
			}
		})
	}
}

func bare(t *testing.T, source string, input any) (all []any, failure string) {
	t.Helper()
	query, err := gojq.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, err.Error()
	}
	return drain(code.RunWithContext(t.Context(), input))
}

func guarded(t *testing.T, source string, input any) (all []any, failure string) {
	t.Helper()
	p, err := Compile(source)
	if syntax, ok := errors.AsType[*SyntaxError](err); ok {
		return nil, syntax.Message
	}
	return drain(p.start(t.Context(), input, Event{}))
}

func drain(it gojq.Iter) (all []any, failure string) {
	for {
		v, ok := it.Next()
		if !ok {
			return all, ""
		}
		if err, failed := v.(error); failed {
			return all, err.Error()
		}
		all = append(all, v)
	}
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		source  string
		at      string // the text that begins at the offset; "" is the end
		message string
	}{
		{`.a == `, "", "unexpected end"},
		{`.a == == .b`, "== .b", "=="},
		{`.a | foo`, "foo", "function not defined: foo/0"},
		{`"foo" | foo(1)`, "foo(1)", "function not defined: foo/1"},
		{`.a == $who`, "$who", "variable not defined: $who"},
		{`.now < now`, "now", "`now` is not available"},
		{`"\(now)"`, "now)", "attempts"},
		{`# now` + "\n" + `"now" | now`, "now", "`now` is not available"},
		{`def f: def now: 1; now; f + now`, "now: 1", "`now` is not available"}, // the builtin, outside of f
		{`[.x | localtime]`, "localtime", "machines"},
		{`strflocaltime("%H")`, "strflocaltime", "machines"},
		{`.x | strptime("%H %Z")`, "strptime", "%z"},
		{`.x | strftime(.y)`, "strftime", "literal format"},
		{`input`, "input", "only input"},
		{`[inputs]`, "inputs", "only input"},
		{`debug`, "debug", "route test"},
		{`. | debug("x")`, "debug", "route test"},
		{`stderr`, "stderr", "route test"},
		{`input_filename`, "input_filename", "only input"},
		{`input_line_number`, "input_line_number", "only input"},
		{`$ENV.HOME`, "$ENV", "environment"},
		{`env.HOME`, "env", "environment"},
		{`{$ENV}`, "$ENV", "environment"},
		{`halt`, "halt", "stop"},
		{`halt_error`, "halt_error", "stop"},
		{`$__prog_args`, "$__prog_args", "reserved"},
		{`. as $_l | $_l`, "$_l", "reserved"},
		{`_match("a"; null; false)`, "_match", "reserved"},
		{`def _some: .; 1`, "_some", "reserved"},
		{`import "a" as a; 1`, "import", "files"},
		{`include "a"; 1`, "include", "files"},
		{`module {}; 1`, "module", "not a module"},
		{`modulemeta`, "modulemeta", "files"},
		{`jn(1e9; 1e9)`, "jn", "how long"},
		{`builtins`, "builtins", "random"},
		{`test("(")`, "test", "invalid regular expression"},
		{`test("a"; "x")`, "test", "flags"},
		{`test(.re)`, "test", "literal"},
		{`test("` + strings.Repeat("a", 1025) + `")`, "test", "1025 bytes"},
		{`test("(a{1000}|b{1000}|c{1000})")`, "test", "too complex"},
		{`.x[1000000000] = 1`, "1000000000", "array index"},
		{strings.Repeat(" ", MaxProgram) + ".", ".", "4097 bytes"},
	}
	for _, test := range tests {
		t.Run(test.source, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(test.source)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("Compile: %v, want a *SyntaxError", err)
			}
			if !strings.Contains(syntax.Message, test.message) {
				t.Errorf("message %q, want %q", syntax.Message, test.message)
			}
			if at := test.source[syntax.Offset:]; !strings.HasPrefix(at, test.at) || test.at == "" && at != "" {
				t.Errorf("offset %d is at %q, want %q", syntax.Offset, at, test.at)
			}
		})
	}
}

// Each of these would run, or grow, for seconds or for ever.
func TestRunawayProgramsStop(t *testing.T) {
	t.Parallel()
	sources := []string{
		`last(repeat(.))`, `[range(1e9)] | length`, `[repeat(1)]`, `def f: f; f`, `def f: 1 + f; f`,
		`def f: [f]; f`, `def f: f | f; f`,
		`until(false; . + 1)`, `reduce range(1e9) as $i (0; . + $i)`, `[limit(1e9; repeat(1))] | add`,
		`[combinations(9)]`,
		`"a" * 1e9 | length`, `"a" * 400000000`, `"a" as $s | 2e9 as $n | $s * $n`,
		`reduce range(40) as $i ("a"; . + .) | length`,
		`reduce range(40) as $i ("a"; . * 2)`, `reduce range(60) as $i (2; . * .)`,
		`reduce range(60) as $i ([1]; [., .]) | tojson`,
		`reduce range(60) as $i ([1]; [., .]) | . == .`, `reduce range(60) as $i ([1]; [., .]) | "\(.)"`,
		`reduce range(60) as $i ([1]; [., .]) | flatten`, `reduce range(60) as $i ([1]; [., .]) | @json`,
		`reduce range(60) as $i ([1]; [., .]) | [., .] | sort`, `reduce range(60) as $i ([1]; [., .]) | [.] - [.]`,
		`reduce range(60) as $i ([1]; [., .]) | error`, `reduce range(60) as $i ([1]; [., .])`,
		`reduce range(60) as $i ([1]; . + .) | length`,
		`reduce range(60) as $i ([1]; [., .]) | contains([[1]])`,
		`reduce range(60) as $i ({}; {a: ., b: .}) | tostring`,
		`reduce range(1e9) as $i (1; [.])`, `last(limit(1e6; recurse([.])))`,
		`last(limit(1e6; recurse([.]))) | tojson`,
		`.x[1e9 + 0] = 1`, `setpath([1e8]; 1)`, `getpath([1e8]) = 1`, `1e8 as $n | .x[$n] |= 1`,
		`fromstream([[1e8], 1], [[1e8]])`,
		`[range(1e5)] as $a | $a - $a`, `[range(3e5)] | transpose`, `[range(1e5) | [.]] | transpose | length`,
		`"aaaaaaaaaaaaaaaa" * 4000 | [match("a"; "g")] | length`, `"a" * 60000 | [scan("a.*b|a")] | length`,
		`"ab" * 30000 | gsub("a"; "b")`,
		`"a" * 60000 | test("(a*)*b")`, `"a" * 1000000 | test("a")`, `"a" * 60000 | test("(x?y?a?|a){1,150}b")`,
		`"a" * 8000 | test("(x?y?a?|a){1,150}b")`, `"1" * 1000000 | tonumber`, `"[" * 1000000 | fromjson`,
		`"a" * 4000000 | explode | length`, `"a" * 4000000 | index("ab")`, `"a" * 60000 | indices("a" * 5000)`,
		`[range(1e6)] | implode`,
		`[limit(1e5; repeat([range(100)]))] | add | length`, `[range(300000)] | sort_by(-.)`, `try repeat(.) catch 1`,
		`first(range(1e18) | select(. < 0))`, `.[] |= repeat(.)`, `walk(repeat(.))`,
		`[recurse(if . < 1e9 then . + 1 else empty end)]`,
		`reduce range(1e6) as $i ({}; .["k\($i)"] = $i) | length`, `[paths] | until(false; . + .)`,
		`reduce range(60) as $i ("<"; @html)`, `reduce range(60) as $i ("\""; tojson)`,
		`reduce range(60) as $i ("a"; "\(.)\(.)")`,
		`"a" * 4000000 | . as $s | [limit(100000; repeat(0))] | join($s)`,
		`reduce range(60) as $i ([1]; [., .] | add)`,
		`"a" * 60000 | gsub("a"; "b" * 4000000)`, `"a" * 4000000 | [limit(100; repeat(ascii_upcase))]`,
		`reduce range(60) as $i ([1]; . += .) | length`, `[limit(100000; repeat("a" * 4000000))]`,
	}
	for _, source := range sources {
		t.Run(source, func(t *testing.T) {
			p := compile(t, source) // not parallel: they are timed
			start := time.Now()
			text, err := p.JSON(t.Context(), []any{map[string]any{"x": nil}}, Event{})
			took := time.Since(start)
			if took > 100*Timeout { // far more than it takes, for slow machines and the race detector
				t.Errorf("took %v: %.40s, %v", took, text, err)
			}
		})
	}
}

// A busy machine can take a run off its processor for longer than the deadline.
func TestPausesAreNotCharged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMeter(t.Context())
		pause := func(d time.Duration) {
			<-time.After(d)
			for range stepsPerCheck {
				m.Done()
			}
		}
		if pause(10 * Timeout); m.Err() != nil {
			t.Errorf("one long pause: %v", m.Err())
		}
		for range Timeout / time.Millisecond {
			pause(time.Millisecond)
		}
		if !errors.Is(m.Err(), ErrTimeout) {
			t.Errorf("short intervals that add up to the deadline: %v, want ErrTimeout", m.Err())
		}
		select {
		case <-m.Done():
		default:
			t.Error("not done")
		}
	})
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	_, err := compile(t, `try last(repeat(.)) catch 1`).Test(t.Context(), nil, Event{})
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("error %v, want ErrTimeout", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = compile(t, `last(repeat(.))`).Test(ctx, nil, Event{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestProgramsAreShared(t *testing.T) {
	t.Parallel()
	p := compile(t, `.labels |= map(.name) | .labels - ["bug"] == ["urgent"] and
		(.ref | test("^refs")) and $event.type == "push"`)
	input := decode(t, payload)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if ok, err := p.Test(t.Context(), input, event()); err != nil || !ok {
					t.Errorf("Test = %v, %v", ok, err)
				}
			}
		})
	}
	group.Wait()
	if fresh := decode(t, payload); gojq.Compare(fresh, input) != 0 {
		t.Error("a program changed its input")
	}
}

func TestOutputSize(t *testing.T) {
	t.Parallel()
	for source, fits := range map[string]bool{
		`"a" * 1048574`: true, `"a" * 1048575`: false, `"\u0001" * 1048574`: false, `[range(1e6)]`: false,
	} {
		text, err := compile(t, source).JSON(t.Context(), nil, Event{})
		if (err == nil) != fits || len(text) > MaxOutput {
			t.Errorf("%s: %d bytes, %v", source, len(text), err)
		}
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`.ref == "refs/heads/topic"`: `.ref == "refs/heads/topic" is false: .ref is "refs/heads/main"`,
		`"x" != "x"`:                 `"x" != "x" is false: "x" is "x"`,
		`"x" == .ref`:                `"x" == .ref is false: .ref is "refs/heads/main"`,
		`.ref == "refs/heads/main" and .action == "x"`: `.action == "x" is false: .action is "opened"`,
		`.ref == "x" and .action == "x"`:               `.ref == "x" is false: .ref is "refs/heads/main"`,
		`(.draft | not) and (.ref | startswith("v"))`:  `.ref | startswith("v") is false: .ref is "refs/heads/main"`,
		`.missing`:                   `.missing is null`,
		`.labels[] | select(.x)`:     `.labels[] | select(.x) has no output: .labels[] is {"name":"bug"}`,
		`.ref > 1 and (.ref.x == 1)`: `.ref.x == 1 failed: expected an object but got: string ("refs/heads/main")`,
		`$event.type == "issues"`:    `$event.type == "issues" is false: $event.type is "push"`,
		`def f: false; f`:            `def f: false; f is false`,
		` .ref `:                     `.ref is true`,
		`. == 1`:                     `. == 1 is false: . is {"action":"opened","body" ...}`,
	} {
		got := compile(t, source).Why(t.Context(), decode(t, payload), event())
		if got != want {
			t.Errorf("Why(%s):\n got %s\nwant %s", source, got, want)
		}
	}
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	p := compile(t, `.a`)
	if p.String() != `.a` || p.UsesEvent() {
		t.Errorf("String %q, UsesEvent %v", p, p.UsesEvent())
	}
	for _, source := range []string{`$event.id`, `{$event}`, `"\($event.type)"`, `.a[$event.id]`, `def f: $event; f`} {
		if !compile(t, source).UsesEvent() {
			t.Errorf("%s: does not use $event", source)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, source := range []string{
		`.a == "b"`, `test("a+"; "g")`, `.[1e3] = 2`, `def f(x): x; f(1)`, `"\(. * 2)"`, `.a -= 1`, `$event.id`,
		`@json "x\(.)"`, `. as [$a] ?// $a | $a`,
		`reduce .[] as $x (0; . + $x)`, `try error catch .`, `{(.a): 1, "b": 2, $event}`, `.[1:2]`, `..|=.`,
		`label $f | break $f`, `"a" * 5 / "a"`,
	} {
		f.Add(source)
	}
	input := map[string]any{"a": []any{1, "b", nil}, "c": map[string]any{"d": 1.5}}
	f.Fuzz(func(t *testing.T, source string) {
		p, err := Compile(source)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(source) {
				t.Fatalf("error %#v", err)
			}
			return
		}
		start := time.Now()
		_, _ = p.JSON(t.Context(), input, Event{}) // only its time matters here
		_, _ = p.Test(t.Context(), nil, Event{})
		_ = p.Why(t.Context(), input, Event{})
		if took := time.Since(start); took > 100*Timeout {
			t.Errorf("took %v", took)
		}
	})
}
