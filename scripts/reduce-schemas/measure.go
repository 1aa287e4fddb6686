package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/tenterhook/tenterhook/internal/sample"
)

// measured are the policies that are compared, from all that the description
// says to what is kept.
func measured() []struct {
	name string
	policy
} {
	return []struct {
		name string
		policy
	}{
		{"the description as it stands", policy{closed: true, everyRequired: true, describedNulls: true, textTimes: true}},
		{"open objects, no enums but the action, no limits", policy{everyRequired: true, describedNulls: true, textTimes: true}},
		{"and required only at the top and for identity", policy{describedNulls: true, textTimes: true}},
		{"and null is absent", policy{textTimes: true}},
		{"and times in both forms: what is kept", policy{}},
	}
}

// measure writes how many of the sample payloads disagree with each policy, and
// every disagreement with the description as it stands: the type, a JSON pointer
// without the indices of arrays, and what is wrong there.
func measure(d *description, file string) error {
	var report, details bytes.Buffer
	for i, m := range measured() {
		a, err := reduce(d, m.policy)
		if err != nil {
			return err
		}
		found, err := disagreements(a)
		if err != nil {
			return err
		}
		fmt.Fprintf(&report, "# %3d samples disagree: %s\n", len(found), m.name)
		for _, lines := range found {
			if i == 0 {
				fmt.Fprintln(&details, strings.Join(lines, "\n"))
			}
		}
	}
	report.WriteByte('\n')
	report.Write(details.Bytes())
	if err := os.WriteFile(file, report.Bytes(), fileMode); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// disagreements returns what is wrong with each sample with which something is.
func disagreements(a *archive) ([][]string, error) {
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(a)
	var all [][]string
	for p := range sample.All() {
		root, ok := a.Types[p.String()]
		if !ok {
			root, ok = a.Types[p.Event+".*"]
		}
		if !ok {
			all = append(all, []string{p.String() + "\t\thas no schema"})
			continue
		}
		compiled, err := compiler.Compile(schemaURL + root)
		if err != nil {
			return nil, fmt.Errorf("compile the schema of %s: %w", p, err)
		}
		payload, err := jsonschema.UnmarshalJSON(bytes.NewReader(p.Body))
		if err != nil {
			return nil, fmt.Errorf("decode the sample of %s: %w", p, err)
		}
		wrong, ok := compiled.Validate(payload).(*jsonschema.ValidationError) //nolint:errorlint // because that is what it returns
		if !ok {
			continue
		}
		var lines []string
		for _, line := range leaves(wrong) {
			lines = append(lines, p.String()+"\t"+line)
		}
		slices.Sort(lines)
		all = append(all, slices.Compact(lines))
	}
	return all, nil
}

const schemaURL = "schema:///"

// Load implements [jsonschema.URLLoader].
func (a *archive) Load(url string) (any, error) {
	text, err := json.Marshal(a.Schemas[strings.TrimPrefix(url, schemaURL)])
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// leaves returns what an error comes down to. Of alternatives, those that are
// null do not count.
func leaves(e *jsonschema.ValidationError) []string {
	var all []string
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	if len(all) > 0 {
		return all
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			all = append(all, pointer(append(slices.Clone(e.InstanceLocation), name))+"\tmissing")
		}
		return all
	case *kind.Type:
		if slices.Equal(k.Want, []string{"null"}) {
			return nil
		}
		return []string{pointer(e.InstanceLocation) + "\t" + k.Got + ", described as " + strings.Join(k.Want, " or ")}
	case *kind.Enum:
		return []string{pointer(e.InstanceLocation) + "\tnot one of the values described"}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			all = append(all, pointer(append(slices.Clone(e.InstanceLocation), name))+"\tnot described")
		}
		return all
	case *kind.OneOf:
		return []string{pointer(e.InstanceLocation) + "\tmatches more than one of the forms"}
	}
	return []string{pointer(e.InstanceLocation) + fmt.Sprintf("\t%T", e.ErrorKind)}
}

// pointer writes a place; every element of an array is the same place.
func pointer(tokens []string) string {
	var b strings.Builder
	for _, token := range tokens {
		if strings.Trim(token, "0123456789") == "" {
			token = "*"
		}
		b.WriteString("/" + token)
	}
	return b.String()
}
