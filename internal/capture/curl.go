package capture

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// readCommand reads a curl command, such as browsers copy it. Its
// data may be in a file if the body is given apart.
func readCommand(data []byte, bodyGiven bool) (*Capture, *Error) {
	text := string(bytes.TrimLeft(bytes.TrimPrefix(data, []byte(markOfUTF8)), blankAtStart+"$%#"))
	all, err := words(text)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || strings.TrimSuffix(path.Base(all[0]), ".exe") != "curl" {
		return nil, unreadable("", "the command is not curl")
	}
	if strings.Contains(text, "^\r\n") || strings.Contains(text, "^\n") || strings.Contains(text, `^"`) {
		return nil, unreadable(`choose "Copy as cURL (bash)"`, "the command is written for Windows' cmd")
	}
	c := &command{message: newMessage(), bodyGiven: bodyGiven}
	if err := c.parse(all[1:]); err != nil {
		return nil, err
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	return &Capture{Format: Curl, Request: c.request(), Time: dateOf(c.header)}, nil
}

// A command is what the options of a curl command add up to.
type command struct {
	*message

	data    []string // of -d and its kin, joined with &
	hasData bool
	get     bool // -G: the data goes into the URL
	head    bool
	json    bool

	bodyGiven bool
}

// An option is what curl does with one of its options.
type option struct {
	names string // with spaces between
	take  func(c *command, value string) *Error
}

// curlOptions are the options that have to do with what is sent.
func curlOptions() []option {
	header := func(name string) func(*command, string) *Error {
		return func(c *command, value string) *Error { c.header.Set(name, value); return nil }
	}
	return []option{
		{"-X --request", func(c *command, value string) *Error { c.method = value; return nil }},
		{"-H --header", (*command).takeHeader},
		{"-d --data --data-ascii --data-binary", (*command).takeData},
		{"--data-raw", func(c *command, value string) *Error { c.addData(value); return nil }},
		{"--data-urlencode", (*command).takeEncoded},
		{"--json", func(c *command, value string) *Error { c.json = true; return c.takeData(value) }},
		{"--url", (*command).takeURL},
		{"-A --user-agent", header("User-Agent")},
		{"-e --referer", header("Referer")},
		{"-b --cookie", header("Cookie")},
		{"-r --range", header("Range")},
		{"--oauth2-bearer", func(c *command, value string) *Error { c.header.Set("Authorization", "Bearer "+value); return nil }},
		{"-u --user", func(c *command, value string) *Error {
			c.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(value)))
			return nil
		}},
		{"-F --form --form-string", func(*command, string) *Error {
			return unreadable("capture the bytes of the request",
				"curl chooses the boundary of -F anew each time, so its bytes are not known")
		}},
		{"-T --upload-file", func(*command, string) *Error { return noFiles("-T") }},
		{"-K --config", func(*command, string) *Error { return noFiles("-K") }},
	}
}

// Options of curl's that say nothing of what is sent.
const (
	switches = " -k --insecure -s --silent -S --show-error -v --verbose -i --include --show-headers -L --location -f --fail " +
		"--fail-with-body -N --no-buffer --compressed --http1.0 -0 --http1.1 --http2 --http2-prior-knowledge --http3 -g --globoff " +
		"-O --remote-name -J --remote-header-name -4 --ipv4 -6 --ipv6 -# --progress-bar --no-progress-meter --tlsv1.2 --tlsv1.3 " +
		"--path-as-is --raw --location-trusted -n --netrc --no-keepalive -a --append -q --disable --tcp-nodelay "
	withValue = " -o --output -w --write-out -m --max-time --connect-timeout -x --proxy --retry --retry-delay --retry-max-time " +
		"--cacert --capath --cert -E --key --resolve --connect-to --interface --limit-rate --max-redirs -D --dump-header " +
		"-c --cookie-jar --trace --trace-ascii --stderr --ciphers --pass --noproxy --unix-socket --dns-servers -Y -y "
)

func (c *command) parse(args []string) *Error {
	options := map[string]func(*command, string) *Error{}
	for _, o := range curlOptions() {
		for name := range strings.FieldsSeq(o.names) {
			options[name] = o.take
		}
	}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			if err := c.takeURL(arg); err != nil {
				return err
			}
			continue
		}
		name, value, rest := splitOption(arg)
		for rest != "" && c.takeSwitch(name) { // short switches are written together
			name, rest = "-"+rest[:1], rest[1:]
		}
		if rest == "" && c.takeSwitch(name) {
			continue
		}
		if value += rest; value == "" && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		if err := c.takeOption(options, name, value); err != nil {
			return err
		}
	}
	return nil
}

// takeOption takes an option with its value.
func (c *command) takeOption(options map[string]func(*command, string) *Error, name, value string) *Error {
	take, known := options[name]
	switch {
	case name == "--next" || name == "-:":
		return unreadable("cut out the one request", "the curl command sends several requests")
	case !known && !strings.Contains(withValue, " "+name+" "):
		return unreadable("leave it out if it does not change what is sent", "the curl option %q is not known", clip(name))
	case value == "":
		return unreadable("copy the whole command", "the curl option %q has no value", clip(name))
	case !known:
		return nil
	}
	return take(c, value)
}

// splitOption splits --name=value, which curl does not know but people write,
// and -Xvalue. For a short option, rest is what follows its letter.
func splitOption(arg string) (name, value, rest string) {
	if strings.HasPrefix(arg, "--") {
		name, value, _ = strings.Cut(arg, "=")
		return name, value, ""
	}
	return arg[:2], "", arg[2:]
}

// takeSwitch takes an option that has no value.
func (c *command) takeSwitch(name string) bool {
	switch name {
	case "-G", "--get":
		c.get = true
	case "-I", "--head":
		c.head = true
	default:
		return strings.Contains(switches, " "+name+" ")
	}
	return true
}

func noFiles(option string) *Error {
	return unreadable("give the file with --body FILE, or write what is in it in place of it",
		"%s names a file, and verify opens no files that a capture names", option)
}

func (c *command) takeURL(value string) *Error {
	if c.target != "" {
		return unreadable("cut out the one request", "the curl command has two URLs, %q and %q", clip(c.target), clip(value))
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value // as curl guesses
	}
	c.target = value
	return nil
}

func (c *command) takeHeader(value string) *Error {
	if strings.HasPrefix(value, "@") {
		return noFiles("-H @")
	}
	if headerCount(c.header) >= maxHeaders {
		return unreadable("", "the request has more than %d headers", maxHeaders)
	}
	if name, ok := strings.CutSuffix(value, ";"); ok && !strings.Contains(value, ":") {
		c.add(name, "") // how curl is told to send an empty header
		return nil
	}
	if name, rest, _ := strings.Cut(value, ":"); strings.TrimSpace(rest) == "" {
		c.header[http.CanonicalHeaderKey(name)] = nil // not to be sent
		return nil
	}
	return c.addHeader(value)
}

func (c *command) addData(value string) {
	c.data, c.hasData = append(c.data, value), true
}

func (c *command) takeData(value string) *Error {
	if strings.HasPrefix(value, "@") && !c.bodyGiven {
		return noFiles("@FILE")
	}
	c.addData(value)
	return nil
}

// takeEncoded takes --data-urlencode: CONTENT, =CONTENT, NAME=CONTENT, or a file.
func (c *command) takeEncoded(value string) *Error {
	name, content, named := strings.Cut(value, "=")
	switch {
	case !named && strings.Contains(value, "@") && !c.bodyGiven:
		return noFiles("--data-urlencode @")
	case !named:
		c.addData(percentEncode(value))
	case name == "":
		c.addData(percentEncode(content))
	default:
		c.addData(name + "=" + percentEncode(content))
	}
	return nil
}

// percentEncode encodes as curl does: a space is %20.
func percentEncode(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// finish applies what the options mean together.
func (c *command) finish() *Error {
	if c.target == "" {
		return unreadable("copy the whole command", "the curl command has no URL")
	}
	separator := "&"
	if c.json {
		separator = ""
	}
	body := strings.Join(c.data, separator)
	method := http.MethodGet
	switch {
	case c.get && c.hasData:
		glue := "?"
		if strings.Contains(c.target, "?") {
			glue = "&"
		}
		c.target += glue + body
	case c.head:
		method = http.MethodHead
	case c.hasData:
		method = http.MethodPost
		c.body = []byte(body)
		c.setDefault("Content-Type", "application/x-www-form-urlencoded")
	}
	c.method = cmp.Or(c.method, method)
	for name, values := range c.header {
		if len(values) == 0 {
			delete(c.header, name)
		}
	}
	return nil
}

// setDefault sets a header that the command neither sets nor takes away.
func (c *command) setDefault(name, value string) {
	if c.json && name == "Content-Type" {
		value = "application/json"
	}
	if _, ok := c.header[name]; !ok {
		c.header.Set(name, value)
	}
}
