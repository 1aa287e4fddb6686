package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"golang.org/x/term"
)

// A mood is what a piece of text is about, which its colour shows. The greater
// one is what a summary takes.
type mood int

const (
	plainText mood = iota
	faint          // of little interest
	bold           // a heading
	good           // done
	waiting        // not done yet
	bad            // failed
)

// A span is a piece of text of one mood. Its text may come from outside.
type span struct {
	mood mood
	text string
}

// text is a span without a mood.
func text(format string, args ...any) span { return span{plainText, fmt.Sprintf(format, args...)} }

// ui is how we talk to people: data goes to stdout, all else to stderr, and
// every text is cleaned on its way. Where data is to be read by programs, it is
// JSON, and so are errors.
type ui struct {
	in       io.Reader
	out, err stream
	json     bool
	width    int // of the terminal that stdout is; 0 if it is none
	now      func() time.Time
}

// A stream is where we write, and whether it shows colour.
type stream struct {
	io.Writer
	colour bool
}

// newUI finds out what the streams are. Colour is for terminals, unless noColour.
func newUI(in io.Reader, out, err io.Writer, noColour bool) *ui {
	u := &ui{in: in, now: time.Now}
	for _, s := range []struct {
		to *stream
		w  io.Writer
	}{{&u.out, out}, {&u.err, err}} {
		_, ok := terminal(s.w)
		*s.to = stream{Writer: s.w, colour: ok && !noColour}
	}
	if fd, ok := terminal(out); ok {
		if width, _, err := term.GetSize(fd); err == nil {
			u.width = width
		}
	}
	return u
}

func terminal(w io.Writer) (fd int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	fd = int(f.Fd())
	return fd, term.IsTerminal(fd)
}

// interactive reports whether stdout is a terminal.
func (u *ui) interactive() bool {
	_, ok := terminal(u.out.Writer)
	return ok
}

// data prints v as JSON on stdout.
func (u *ui) data(v any) error { return u.writeJSON(u.out, v, "  ") }

// record prints v as one line of JSON on stdout.
func (u *ui) record(v any) error { return u.writeJSON(u.out, v, "") }

func (u *ui) writeJSON(w stream, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return u.write(w, cleanJSON(b.Bytes()))
}

// line prints spans on stdout as a line.
func (u *ui) line(spans ...span) error { return u.write(u.out, u.render(u.out, false, spans)+"\n") }

// heading prints a title on stdout, after an empty line.
func (u *ui) heading(title string) error {
	if err := u.line(); err != nil {
		return err
	}
	return u.line(span{bold, title})
}

// block prints a text of several lines on stdout, each indented.
func (u *ui) block(s, indent string) error {
	var b strings.Builder
	for l := range strings.SplitSeq(clean(s, true), "\n") {
		b.WriteString(strings.TrimRight(indent+l, " ") + "\n")
	}
	return u.write(u.out, b.String())
}

// say tells the user something on stderr, which is not data.
func (u *ui) say(format string, args ...any) {
	u.tell(text(format, args...))
}

// hint tells the user what to do next.
func (u *ui) hint(format string, args ...any) {
	u.tell(span{faint, "hint: "}, text(format, args...))
}

func (u *ui) tell(spans ...span) {
	_ = u.write(u.err, u.render(u.err, true, spans)+"\n") // there is nowhere left to tell
}

// fail tells the user of an error and returns the exit code for it.
func (u *ui) fail(err error) exit {
	r := reportOf(err)
	switch {
	case r.told:
	case u.json:
		_ = u.writeJSON(u.err, map[string]report{"error": r}, "  ") // there is nowhere left to tell
	default:
		if len(r.Problems) == 0 {
			u.tell(span{bad, "tenterhook: "}, text("%s", r.Message))
		}
		for _, p := range r.Problems {
			u.tell(span{bad, p.Place() + ": "}, text("%s", strings.TrimPrefix(p.Report(), p.Place()+": ")))
		}
		if r.Hint != "" {
			u.hint("%s", r.Hint)
		}
	}
	return r.Exit
}

// table prints rows on stdout under a header, in columns as wide as they need to
// be. The last column is clipped to the terminal.
func (u *ui) table(header []string, rows [][]span) error {
	all := make([][]span, 0, len(rows)+1)
	head := make([]span, len(header))
	for i, h := range header {
		head[i] = span{faint, h}
	}
	all = append(append(all, head), rows...)
	widths := make([]int, len(header))
	for _, row := range all {
		for i := range row {
			row[i].text = clean(row[i].text, false)
			widths[i] = max(widths[i], lipgloss.Width(row[i].text))
		}
	}
	var b strings.Builder
	for _, row := range all {
		b.WriteString(u.row(row, widths) + "\n")
	}
	return u.write(u.out, b.String())
}

func (u *ui) row(row []span, widths []int) string {
	const gap, least = 2, 8
	var b strings.Builder
	used := 0
	for i, s := range row {
		last := i == len(row)-1
		if last && u.width > 0 {
			s.text = clip(s.text, max(u.width-used, least))
		}
		b.WriteString(u.paint(u.out, s))
		if !last {
			b.WriteString(strings.Repeat(" ", widths[i]-lipgloss.Width(s.text)+gap))
			used += widths[i] + gap
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// fields prints names and values on stdout, below each other. Fields without a
// value are left out.
func (u *ui) fields(rows ...[2]span) error {
	widest := 0
	for _, row := range rows {
		if row[1].text != "" {
			widest = max(widest, lipgloss.Width(row[0].text))
		}
	}
	for _, row := range rows {
		if row[1].text == "" {
			continue
		}
		pad := strings.Repeat(" ", widest-lipgloss.Width(row[0].text)+2)
		if err := u.line(span{faint, row[0].text}, text("%s", pad), row[1]); err != nil {
			return err
		}
	}
	return nil
}

// field is a row of fields.
func field(name string, value span) [2]span { return [2]span{text("%s", name), value} }

func (u *ui) render(w stream, lines bool, spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		s.text = clean(s.text, lines)
		b.WriteString(u.paint(w, s))
	}
	return b.String()
}

// paint gives clean text its colour, if w shows any.
func (u *ui) paint(w stream, s span) string {
	if !w.colour || s.text == "" {
		return s.text
	}
	style := lipgloss.NewStyle()
	switch s.mood {
	case plainText:
		return s.text
	case faint:
		style = style.Faint(true)
	case bold:
		style = style.Bold(true)
	case good:
		style = style.Foreground(lipgloss.Green)
	case waiting:
		style = style.Foreground(lipgloss.Yellow)
	case bad:
		style = style.Foreground(lipgloss.Red)
	}
	return style.Render(s.text)
}

func (u *ui) write(w stream, s string) error {
	if _, err := io.WriteString(w, s); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}
