package mismatch

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tenterhook/tenterhook/signature"
)

// maxBody bounds what a body may become when it is unpacked.
const maxBody = 25 << 20

const keepBytes = "Verify the bytes as they arrive, and keep a capture without an editor, echo or copy and paste in between."

// bodyNewlines are what editors, echo, here-documents and transfers between
// systems do to the ends of lines.
func bodyNewlines(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		body := c.Request.Body
		all := []struct {
			with string
			body []byte
		}{
			{"without the newline at the end of the body", withoutNewline(body)},
			{"with a newline at the end of the body", suffixed(body, "\n")},
			{"without the white space at the end of the body", bytes.TrimRight(body, " \t\r\n")},
			{"without the white space around the body", bytes.TrimSpace(body)},
			{"with CRLF at the end of the body", suffixed(body, "\r\n")},
			{"with LF instead of CRLF in the body", bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))},
			{
				"with LF instead of CRLF in the body, and none at its end",
				withoutNewline(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))),
			},
			{"with CRLF instead of LF in the body", toCRLF(body)},
			{"with CRLF instead of LF in the body, and none at its end", toCRLF(withoutNewline(body))},
			{"with CRLF instead of LF in the body, and one at its end", suffixed(toCRLF(body), "\r\n")},
			{"without the byte order mark before the body", bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))},
			{"with a byte order mark before the body", append([]byte("\xef\xbb\xbf"), body...)},
		}
		if len(c.Rest) > 0 {
			whole := slices.Concat(body, c.Rest)
			wholeLF := withoutNewline(bytes.ReplaceAll(whole, []byte("\r\n"), []byte("\n")))
			all = append(all, []struct {
				with string
				body []byte
			}{
				{"with what follows the body that Content-Length says", whole},
				{"with the whole body, which has CRLF where it had LF", wholeLF},
			}...)
		}
		for _, ch := range all {
			if !yield(change{with: ch.with, do: keepBytes, request: withBody(c.Request, ch.body)}) {
				return
			}
		}
	}
}

func withoutNewline(body []byte) []byte {
	if line, ok := bytes.CutSuffix(body, []byte("\r\n")); ok {
		return line
	}
	return bytes.TrimSuffix(body, []byte("\n"))
}

func toCRLF(body []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

const beforeParsing = "Verify the raw body before anything parses it: this one was parsed and written again on its way " +
	"(a framework's body parser, a proxy, a log, a test)."

// rewrittenBodies are the JSON of the body as other programs would write it.
func rewrittenBodies(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		document, ok := parseJSON(c.Request.Body)
		if !ok {
			return
		}
		for style := range styles(document) {
			body := document.write(style)
			for _, end := range []string{"", "\n"} {
				with := "with the body's JSON " + style.String()
				if end != "" {
					with += " and with a newline at its end"
				}
				if !yield(change{with: with, do: beforeParsing, request: withBody(c.Request, suffixed(body, end))}) {
					return
				}
			}
		}
	}
}

const formType = "application/x-www-form-urlencoded"

// formBodies are a form for JSON, JSON for a form, and the form as others would
// write it.
func formBodies(c *Case) iter.Seq[change] {
	const rightForm = "The webhook is set to send a form (at GitHub: content type application/x-www-form-urlencoded). " +
		"Verify the form as it arrives, or set the content type to application/json."
	return func(yield func(change) bool) {
		body := c.Request.Body
		as := func(contentType string, body []byte) *signature.Request {
			r := withHeader(c.Request, func(h http.Header) { h.Set("Content-Type", contentType) })
			r.Body = body
			return r
		}
		if json.Valid(body) {
			for _, escape := range []func(string) string{url.QueryEscape, percentEscape} {
				form := []byte("payload=" + escape(string(body)))
				if !yield(change{with: "with the body as the form payload=JSON", do: rightForm, request: as(formType, form)}) {
					return
				}
			}
			return
		}
		for _, name := range []string{"payload", "json", "data"} {
			for field := range strings.SplitSeq(string(body), "&") {
				value, err := url.QueryUnescape(strings.TrimPrefix(field, name+"="))
				if err == nil && strings.HasPrefix(field, name+"=") && !yield(change{
					with: "with the JSON in the form's field " + name + " as the body", do: beforeParsing,
					request: as("application/json", []byte(value)),
				}) {
					return
				}
			}
		}
		for _, form := range rewrittenForms(string(body)) {
			if !yield(change{with: "with the form " + form.how, do: beforeParsing, request: withBody(c.Request, []byte(form.body))}) {
				return
			}
		}
	}
}

type rewrittenForm struct{ how, body string }

func rewrittenForms(body string) []rewrittenForm {
	if !strings.Contains(body, "=") || len(body) > maxBody {
		return nil
	}
	parsed, err := url.ParseQuery(body)
	if err != nil {
		return nil
	}
	return []rewrittenForm{
		{"encoded with + for a space", reencode(body, url.QueryEscape)},
		{"encoded with %20 for a space", reencode(body, percentEscape)},
		{"in the order of its names", parsed.Encode()},
		{"in the order of its names, with %20 for a space", strings.ReplaceAll(parsed.Encode(), "+", "%20")},
		{"decoded", reencode(body, func(text string) string { return text })},
	}
}

// reencode writes a form's fields with another encoding, in their order.
func reencode(form string, escape func(string) string) string {
	fields := strings.Split(form, "&")
	for i, field := range fields {
		name, value, hasValue := strings.Cut(field, "=")
		name, value = unescaped(name), unescaped(value)
		fields[i] = escape(name)
		if hasValue {
			fields[i] += "=" + escape(value)
		}
	}
	return strings.Join(fields, "&")
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

func percentEscape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// encodedBodies are bodies that were packed or unpacked once too often.
func encodedBodies(c *Case) iter.Seq[change] {
	const unwrap = "Unwrap it before it is verified: what is to be verified is what the sender sent."
	return func(yield func(change) bool) {
		body := c.Request.Body
		for _, try := range []struct {
			with, do string
			unpack   func([]byte) ([]byte, bool)
		}{
			{"with the body inside of the gateway's JSON (body, isBase64Encoded)", unwrap, envelope},
			{"with the body decoded from base64", unwrap, decodeBase64},
			{"with the text that the body is as a JSON string", unwrap, jsonString},
			{
				"with the body unpacked from gzip",
				"The sender signed before compressing, or something compressed it since: unpack it, then verify.", gunzip,
			},
			{
				"with the body's characters as UTF-8",
				"Something read the body as Latin-1 and wrote it as UTF-8. Pass its bytes on instead of text.", fromLatin1,
			},
			{
				"with the body's characters as Latin-1",
				"Something read the body as UTF-8 and wrote it as Latin-1, or the sender signs Latin-1.", toLatin1,
			},
		} {
			unpacked, ok := try.unpack(body)
			if ok && !yield(change{with: try.with, do: try.do, request: withBody(c.Request, unpacked)}) {
				return
			}
		}
	}
}

func envelope(body []byte) ([]byte, bool) {
	var event struct {
		Body    *string `json:"body"`
		Encoded bool    `json:"isBase64Encoded"` //nolint:tagliatelle // the gateway's name
	}
	if json.Unmarshal(body, &event) != nil || event.Body == nil {
		return nil, false
	}
	if event.Encoded {
		return decodeBase64([]byte(*event.Body))
	}
	return []byte(*event.Body), true
}

func decodeBase64(body []byte) ([]byte, bool) {
	decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(body)))
	return decoded, err == nil
}

func jsonString(body []byte) ([]byte, bool) {
	var text string
	err := json.Unmarshal(body, &text)
	return []byte(text), err == nil && text != ""
}

func gunzip(body []byte) ([]byte, bool) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, false
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxBody))
	return plain, err == nil
}

func fromLatin1(body []byte) ([]byte, bool) {
	out := make([]byte, 0, len(body))
	for _, r := range string(body) {
		if r > 0xff {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, utf8.Valid(body) && len(out) < len(body)
}

func toLatin1(body []byte) ([]byte, bool) {
	if utf8.Valid(body) {
		return nil, false
	}
	var out []byte
	for _, b := range body {
		out = utf8.AppendRune(out, rune(b))
	}
	return out, true
}

// cutBodies are bodies that were lost, or that something follows.
func cutBodies(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		body := c.Request.Body
		length, err := strconv.Atoi(c.Request.Header.Get("Content-Length"))
		if err == nil && length > 0 && length < len(body) && !yield(change{
			with: "with the first " + strconv.Itoa(length) + " bytes of the body, as Content-Length says", do: keepBytes,
			request: withBody(c.Request, body[:length]),
		}) {
			return
		}
		yield(change{
			with: "with an empty body",
			do:   "The sender signed an empty body: the body that is here came from somewhere else.", request: withBody(c.Request, nil),
		})
	}
}
