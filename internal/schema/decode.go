package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of a body that is checked. They bound the memory and the time of a check.
const (
	MaxBody     = 25 << 20 // bytes, GitHub's own cap
	MaxValues   = 1 << 18  // values, counting each element and each member; less for a file of many alternatives
	MaxDepth    = 64       // arrays and objects within one another
	MaxNumber   = 1000     // bytes of one number
	MaxExponent = 1000     // of ten, in a number, either way
)

// decode reads the value that is checked out of a body. The error is a *Mismatch.
func decode(header http.Header, body []byte, values int) (any, error) {
	if len(body) > MaxBody {
		return nil, beyond("", "at most %d bytes", MaxBody)
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return decodeJSON(body, values)
	}
	if bytes.Count(body, []byte("&")) > values {
		return nil, beyond("", "at most %d fields", values)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &Mismatch{Expected: "a form, as the content type says", Got: "what cannot be read as one"}
	}
	switch payload := form["payload"]; len(payload) {
	case 0:
		return fields(form), nil
	case 1:
		return decodeJSON([]byte(payload[0]), values)
	default:
		return nil, &Mismatch{Expected: "one field payload in the form", Got: strconv.Itoa(len(payload))}
	}
}

// fields returns a form as an object.
func fields(form url.Values) any {
	object := make(map[string]any, len(form))
	for name, texts := range form {
		if len(texts) == 1 {
			object[name] = texts[0]
			continue
		}
		all := make([]any, len(texts))
		for i, text := range texts {
			all[i] = text
		}
		object[name] = all
	}
	return object
}

// decodeJSON reads one JSON value without duplicate keys. Numbers keep their text.
// Text that is not Unicode is let through: what it says is for no schema to judge.
func decodeJSON(body []byte, values int) (any, error) {
	lax := []jsontext.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}
	r := reader{from: jsontext.NewDecoder(bytes.NewBuffer(body), lax...), room: values}
	v, err := r.value()
	if err != nil {
		return nil, notJSON(err)
	}
	if r.duplicate { // which shows when an object is built, at no cost; the place takes a second reading
		again := jsontext.NewDecoder(bytes.NewBuffer(body), lax[0])
		return nil, notJSON(again.SkipValue())
	}
	if _, err := r.from.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &Mismatch{Expected: "one JSON value", Got: "more after it"}
	}
	return v, nil
}

// notJSON turns an error of a reader into a *Mismatch.
func notJSON(err error) error {
	var mismatch *Mismatch
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &mismatch):
		return mismatch
	case errors.Is(err, io.EOF):
		return &Mismatch{Expected: "JSON", Got: "an empty body"}
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		return &Mismatch{Pointer: clip(string(syntax.JSONPointer)), Expected: "one value", Got: "the key twice"}
	case errors.As(err, &syntax):
		return &Mismatch{Expected: "JSON", Got: fmt.Sprintf("what is none at byte %d", syntax.ByteOffset)}
	}
	return &Mismatch{Expected: "JSON", Got: "what cannot be read"}
}

// beyond is the mismatch of what exceeds a limit.
func beyond(pointer, limit string, most int) *Mismatch {
	return &Mismatch{Pointer: clip(pointer), Expected: fmt.Sprintf(limit, most), Got: "more"}
}

// A reader makes values of JSON, within limits.
type reader struct {
	from   *jsontext.Decoder
	room   int // how many values there may be
	values int
	depth  int

	duplicate bool // a key came twice in an object
}

func (r *reader) value() (any, error) {
	if r.values++; r.values > r.room {
		return nil, beyond("", "at most %d values", r.room)
	}
	token, err := r.from.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() { //nolint:exhaustive // because what is left are the two that are read below
	case jsontext.KindNull:
		return nil, nil //nolint:nilnil // because that is the value
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		return r.number(token.String())
	}
	if r.depth++; r.depth > MaxDepth {
		return nil, beyond(string(r.from.StackPointer()), "at most %d levels", MaxDepth)
	}
	defer func() { r.depth-- }()
	if token.Kind() == jsontext.KindBeginArray {
		return r.array()
	}
	return r.object()
}

func (r *reader) array() (any, error) {
	array := []any{}
	for r.from.PeekKind() != jsontext.KindEndArray {
		element, err := r.value()
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	_, err := r.from.ReadToken()
	return array, err
}

func (r *reader) object() (any, error) {
	object, members := make(map[string]any), 0
	for ; r.from.PeekKind() != jsontext.KindEndObject; members++ {
		token, err := r.from.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String() // before the token is gone
		if object[name], err = r.value(); err != nil {
			return nil, err
		}
	}
	r.duplicate = r.duplicate || len(object) != members
	_, err := r.from.ReadToken()
	return object, err
}

// number bounds the work of computing with a number: 1e999999 is short, and the
// integer that it stands for is not.
func (r *reader) number(text string) (any, error) {
	if len(text) > MaxNumber {
		return nil, beyond(string(r.from.StackPointer()), "a number of at most %d bytes", MaxNumber)
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(text[i+1:])
		if err != nil || exponent > MaxExponent || exponent < -MaxExponent {
			return nil, beyond(string(r.from.StackPointer()), "a number with an exponent of at most %d", MaxExponent)
		}
	}
	return json.Number(text), nil
}
