package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// maxData bounds what is read to be sent.
const maxData = 64 << 20

// sendBody is the flags that say what is sent.
type sendBody struct {
	status, message, typ string
	fields               []string
	data                 string
}

func (o *sendBody) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.status, "status", "", "the field status, such as success or failure")
	flags.StringVar(&o.message, "message", "", "the field message, for people")
	flags.StringVar(&o.typ, "type", "", "the type of the event: the field type, and the header that the scheme has for it")
	flags.StringArrayVarP(&o.fields, "field", "f", nil, "another field, as `KEY=VALUE`; VALUE is JSON, or else text; may be given again")
	flags.StringVar(&o.data, "data", "", "send `DATA` as it is instead: @FILE, @- for what comes in, or a text")
}

func (o *sendBody) hasData() bool { return o.data != "" }

// body returns the bytes to send.
func (o *sendBody) body(u *ui) ([]byte, error) {
	made := o.status != "" || o.message != "" || len(o.fields) > 0
	switch {
	case o.hasData() && made:
		return nil, usageError("put the fields into the data, or leave --data out",
			"--data is the whole body, and there are fields besides it")
	case o.hasData():
		return readData(u, o.data)
	case !made && o.typ == "":
		return nil, usageError("write --status success --message TEXT, --field KEY=VALUE, or --data @FILE",
			"what is to be sent? Nothing is given")
	}
	var object jsonObject
	for _, field := range [][2]string{{"type", o.typ}, {"status", o.status}, {"message", o.message}} {
		if field[1] != "" {
			object.set(field[0], jsonText(field[1]))
		}
	}
	const stamp = "timestamp"
	if !slices.ContainsFunc(o.fields, func(f string) bool { return strings.HasPrefix(f, stamp+"=") }) {
		object.set(stamp, jsonText(u.now().UTC().Format(time.RFC3339)))
	}
	if err := object.assign("--field", o.fields); err != nil {
		return nil, err
	}
	return object.bytes(), nil
}

// readData returns a text, or what @FILE or @- refer to.
func readData(u *ui, data string) ([]byte, error) {
	name, refers := strings.CutPrefix(data, "@")
	if !refers {
		return []byte(data), nil
	}
	in := u.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, usageError("", "--data: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxData+1))
	switch {
	case err != nil:
		return nil, usageError("", "--data: %w", err)
	case len(body) > maxData:
		return nil, usageError("", "--data: there are more than %s", bytesText(maxData))
	}
	return body, nil
}

// A jsonObject is a JSON object in the making, its fields in the order in which
// they were set.
type jsonObject struct {
	names  []string
	values [][]byte
}

func (o *jsonObject) set(name string, value []byte) {
	o.names, o.values = append(o.names, name), append(o.values, value)
}

// assign sets what the flag of that name says: KEY=VALUE, where VALUE is JSON or
// else text.
func (o *jsonObject) assign(flag string, assignments []string) error {
	for _, assignment := range assignments {
		name, value, ok := strings.Cut(assignment, "=")
		switch {
		case !ok || name == "":
			return usageError("write KEY=VALUE, such as -f branch=main", "%s %q sets nothing", flag, assignment)
		case slices.Contains(o.names, name):
			return usageError("", "%s: %q is there twice", flag, name)
		}
		raw := new(bytes.Buffer)
		if json.Compact(raw, []byte(value)) != nil {
			raw = bytes.NewBuffer(jsonText(value))
		}
		o.set(name, raw.Bytes())
	}
	return nil
}

func (o *jsonObject) bytes() []byte {
	b := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, jsonText(name)...), ':'), o.values[i]...)
	}
	return append(b, '}')
}

// jsonText is a text in JSON, as people would write it.
func jsonText(text string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(strings.ToValidUTF8(text, "\uFFFD")); err != nil {
		panic(err) // a text can always be written
	}
	return bytes.TrimSpace(b.Bytes())
}
