// Package sample holds real webhooks of GitHub, for trying, showing and testing
// the gateway with what it will meet.
//
// The payloads are those that GitHub's community collected in the npm package
// @octokit/webhooks-examples: 329 of them, for 58 events and all their actions.
// They are kept byte for byte as compact JSON, compressed, in github.txt.gz,
// which scripts/fetch-samples writes; LICENSE.octokit is their licence (MIT).
//
// [GitHub] gives one payload by event and action, [Events] says which there are,
// [All] gives every one of them. [Payload.Request] makes the request that GitHub
// would send, with its headers and signatures.
//
// Nothing is unpacked before it is asked for, and nothing is kept: a look-up
// reads the archive up to the payload, which takes milliseconds.
package sample

//go:generate go run ../../scripts/fetch-samples -o github.txt.gz

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

//go:embed github.txt.gz
var archive []byte

// maxArchive is how many bytes the archive may unpack to. It has 3.3 MB; more
// means that it is not ours.
const maxArchive = 8 << 20

// A Name says what kind of webhook a payload is.
type Name struct {
	Event  string // as in X-GitHub-Event, such as "pull_request"
	Action string // as in the payload, such as "opened"; empty for events that have none
}

// ParseName reads the text form EVENT or EVENT.ACTION. It checks nothing.
func ParseName(text string) Name {
	event, action, _ := strings.Cut(text, ".")
	return Name{Event: event, Action: action}
}

// String returns EVENT.ACTION, or EVENT if there is no action. That is the type
// of the event as the gateway writes it.
func (n Name) String() string {
	if n.Action == "" {
		return n.Event
	}
	return n.Event + "." + n.Action
}

// A Payload is the body of one webhook of GitHub.
type Payload struct {
	Name

	Body []byte // compact JSON, in UTF-8
}

// An UnknownError is returned by [GitHub] for a name that has no sample.
type UnknownError struct {
	Name Name   // what was asked for
	Near []Name // what may have been meant, the nearest first; may be empty
}

// Error says what there is no sample of. What may have been meant is for the
// caller to say.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("no sample of GitHub's event %q", e.Name)
}

// GitHub returns the first payload of an event and action. An empty action takes
// the first of whatever action. A push is one to a branch, which is what people
// mean by it: the first in the archive deletes a tag. The error is an
// *[UnknownError].
func GitHub(event, action string) (Payload, error) {
	var first Payload
	for p := range All() {
		if p.Event != event || action != "" && p.Action != action {
			continue
		}
		if event != "push" || bytes.Contains(p.Body, []byte(`"ref":"refs/heads/`)) {
			return p, nil
		}
		if first.Body == nil {
			first = p
		}
	}
	if first.Body != nil {
		return first, nil
	}
	unknown := Name{Event: event, Action: action}
	return Payload{}, &UnknownError{Name: unknown, Near: near(unknown, Events())}
}

// Events returns every event and action that there is a sample of, in
// alphabetical order.
func Events() []Name {
	seen := make(map[Name]bool)
	var names []Name
	for p := range All() {
		if !seen[p.Name] {
			seen[p.Name] = true
			names = append(names, p.Name)
		}
	}
	slices.SortFunc(names, func(a, b Name) int {
		return cmp.Or(strings.Compare(a.Event, b.Event), strings.Compare(a.Action, b.Action))
	})
	return names
}

// All returns every payload, in the order of the package they come from, which
// groups them by event. The bodies belong to the caller. It panics if the
// archive in the binary is damaged.
func All() iter.Seq[Payload] {
	return func(yield func(Payload) bool) {
		unzipped, err := gzip.NewReader(bytes.NewReader(archive))
		if err != nil {
			panic("sample: open the embedded archive: " + err.Error())
		}
		const lineBuffer = 32 << 10 // the longest payload has 27 KB
		lines := bufio.NewReaderSize(io.LimitReader(unzipped, maxArchive), lineBuffer)
		for {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF && len(line) == 0 {
				return
			}
			if err != nil {
				panic("sample: read the embedded archive: " + err.Error())
			}
			event, rest, _ := bytes.Cut(line[:len(line)-1], []byte("\t"))
			action, body, ok := bytes.Cut(rest, []byte("\t"))
			if !ok {
				panic("sample: a line of the embedded archive lacks its fields")
			}
			if !yield(Payload{Name: Name{Event: string(event), Action: string(action)}, Body: body}) {
				return
			}
		}
	}
}
