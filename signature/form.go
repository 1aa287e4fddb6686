package signature

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

const (
	mediaForm      = "application/x-www-form-urlencoded"
	mediaMultipart = "multipart/form-data"

	maxParts = 1000 // of a multipart form
)

var (
	errNoForm    = errors.New("the body is not a form")
	errManyParts = errors.New("the form has too many parts")
)

// isForm reports whether the body is said to be a form.
func isForm(header http.Header) bool {
	content := header["Content-Type"]
	if len(content) != 1 {
		return false
	}
	media, _, _ := strings.Cut(content[0], ";")
	media = strings.TrimSpace(media)
	return strings.EqualFold(media, mediaForm) || strings.EqualFold(media, mediaMultipart)
}

// parseForm returns the fields of a form, which are never nil. Of an error,
// nothing was read; a body of another type is one, unless it is empty.
func parseForm(header http.Header, body []byte) (url.Values, error) {
	if len(body) == 0 {
		return url.Values{}, nil
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return url.Values{}, errNoForm
	}
	var values url.Values
	switch media {
	case mediaForm:
		values, err = url.ParseQuery(string(body))
	case mediaMultipart:
		values, err = parseMultipart(body, params["boundary"])
	default:
		err = errNoForm
	}
	if err != nil {
		return url.Values{}, err
	}
	return values, nil
}

// parseMultipart returns the fields of a form that are not files.
func parseMultipart(body []byte, boundary string) (url.Values, error) {
	values := url.Values{}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxParts {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		if part.FormName() == "" || part.FileName() != "" {
			continue
		}
		text, err := io.ReadAll(part) // at most the body, which is in memory
		if err != nil {
			return nil, err
		}
		values.Add(part.FormName(), string(text))
	}
	return nil, errManyParts
}
