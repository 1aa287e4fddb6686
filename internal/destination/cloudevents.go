package destination

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tenterhook/tenterhook"
)

// How an event becomes a CloudEvent 1.0: the values of [HTTPConfig].CloudEvents.
const (
	// CloudEventsBinary leaves the body as it is and puts the attributes into
	// headers.
	CloudEventsBinary = "binary"
	// CloudEventsStructured makes a JSON object of attributes and body.
	CloudEventsStructured = "structured"
)

// An attribute of a CloudEvent.
type attribute struct{ name, value string }

// attributes returns those of e, in the order of the specification.
func attributes(e *tenterhook.Event) []attribute {
	typ, source := e.Type, e.Source
	if typ == "" {
		typ = "webhook" // it must not be empty
	}
	if source == "" {
		source = "published"
	}
	all := []attribute{
		{"specversion", "1.0"},
		{"id", e.ID.String()},
		{"source", "/webhook/" + source},
		{"type", typ},
	}
	if !e.ReceivedAt.IsZero() {
		all = append(all, attribute{"time", e.ReceivedAt.UTC().Format(time.RFC3339Nano)})
	}
	return all
}

// binaryMode sets the attributes of e as headers.
func binaryMode(header http.Header, e *tenterhook.Event) {
	for _, a := range attributes(e) {
		header["Ce-"+strings.ToUpper(a.name[:1])+a.name[1:]] = []string{percentEncoded(a.value)}
	}
}

// percentEncoded writes a value as section 3.1.3.2 of the HTTP binding has it.
func percentEncoded(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// structuredMode returns e as one JSON object, and sets the header that says so.
// A body that is JSON is in it byte for byte, and any other in base64.
func structuredMode(header http.Header, e *tenterhook.Event) []byte {
	const around = 512
	b := bytes.NewBuffer(make([]byte, 0, len(e.Body)+around))
	b.WriteByte('{')
	for _, a := range attributes(e) {
		member(b, a.name, a.value)
		b.WriteByte(',')
	}
	contentType := header.Get("Content-Type")
	if contentType != "" {
		member(b, "datacontenttype", contentType)
		b.WriteByte(',')
	}
	if isJSON(contentType) && header.Get("Content-Encoding") == "" && json.Valid(e.Body) && utf8.Valid(e.Body) {
		b.WriteString(`"data":`)
		b.Write(e.Body)
	} else {
		member(b, "data_base64", base64.StdEncoding.EncodeToString(e.Body))
	}
	b.WriteByte('}')
	header["Content-Type"] = []string{"application/cloudevents+json; charset=utf-8"}
	delete(header, "Content-Encoding")
	return b.Bytes()
}

func member(b *bytes.Buffer, name, value string) {
	text, _ := json.Marshal(value) //nolint:errchkjson // a string never fails
	fmt.Fprintf(b, "%q:%s", name, text)
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json"))
}
