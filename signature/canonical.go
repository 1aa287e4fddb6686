package signature

import (
	"net/url"
	"slices"
	"strings"
)

// A canonicalForm is a way in which a provider writes a request, or its fields,
// before it signs them. In a template it is a name in braces.
type canonicalForm struct {
	name   string
	render func(in *reading) ([]byte, *Error)
	binds  bool // all of the body is in it
	url    bool // the URL is in it
	json   bool // it is made of fields of the JSON document
}

func findForm(name string) (canonicalForm, bool) {
	for _, f := range canonicalForms() {
		if f.name == name {
			return f, true
		}
	}
	return canonicalForm{}, false
}

func canonicalForms() []canonicalForm {
	return []canonicalForm{
		{name: "form_sorted", render: formSorted, binds: true},
	}
}

// signedFields returns the fields of a form that is signed by its fields. A body
// that is no form, or that cannot be read, is refused: nothing would be signed
// of it.
func (in *reading) signedFields() (url.Values, *Error) {
	fields := in.fields()
	if in.formErr != nil {
		return nil, refuse(ReasonMalformedValue, "the fields of the form are signed, and it cannot be read: %v", in.formErr)
	}
	return fields, nil
}

// formSorted writes keys and values one after the other, sorted by key; of a key
// that is there more than once, each value once, sorted. It is how Twilio and
// Mandrill sign forms.
func formSorted(in *reading) ([]byte, *Error) {
	fields, err := in.signedFields()
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, key := range sortedKeys(fields) {
		values := slices.Clone(fields[key])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			text = append(append(text, key...), value...)
		}
	}
	return text, nil
}

func sortedKeys(values url.Values) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
