package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
)

// hidden is a text that no message may repeat.
const hidden = "hunter2-correct-horse"

func TestParse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"env:NAME", "env:_n4me", "file:/run/secrets/x", "file:./a b", "file:C:/x"} {
		ref, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
		if ref.String() != text || ref.IsZero() || ref.Insecure() {
			t.Errorf("Parse(%q) = %v, insecure %t", text, ref, ref.Insecure())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, message, hint string }{
		{"", "the secret reference is empty", Bare},
		{hidden, "this is not a secret reference", Bare},
		{hidden + ":x", "this is not a secret reference", Bare},
		{"ENV:NAME", "this is not a secret reference", Bare},
		{"env: NAME", `not a reference of the kind "env:"`, "write it like env:NAME"},
		{"env:", `not a reference of the kind "env:": the name of the variable is missing`, "write it like env:NAME"},
		{"env:1" + hidden, `not a reference of the kind "env:"`, "write it like env:NAME"},
		{"env:" + hidden + "!", `not a reference of the kind "env:"`, "write it like env:NAME"},
		{"file:", `not a reference of the kind "file:": the path is missing`, "write it like file:PATH"},
		{"file:a\x00b", `not a reference of the kind "file:"`, "write it like file:PATH"},
		{"insecure-literal:", "the text is missing", "write it like insecure-literal:TEXT"},
		{"$TOKEN", "variables are not expanded here", "write env:TOKEN"},
		{"${TOKEN}", "variables are not expanded here", "write env:TOKEN"},
		{"$" + hidden, "this is not a secret reference", Bare},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(tt.text)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("err = %v, want an *Error", err)
			}
			if !strings.Contains(e.Message, tt.message) || e.Hint != tt.hint {
				t.Errorf("message %q, hint %q; want %q, %q", e.Message, e.Hint, tt.message, tt.hint)
			}
			if strings.Contains(e.Error()+e.Hint, hidden) {
				t.Errorf("%q repeats what may be a secret", e.Error()+e.Hint)
			}
		})
	}
}

func TestRefShowsNoSecret(t *testing.T) {
	t.Parallel()
	ref, err := Parse("insecure-literal:" + hidden)
	if err != nil {
		t.Fatal(err)
	}
	if !ref.Insecure() {
		t.Error("Insecure() = false")
	}
	encoded, err := json.Marshal(map[string]Ref{"ref": ref})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("loaded", "ref", ref)
	holder := struct{ Ref Ref }{ref}
	for _, shown := range []string{
		ref.String(), string(encoded), logged.String(),
		fmt.Sprintf("%v %+v %#v %s %q", ref, ref, ref, ref, ref), fmt.Sprintf("%v %+v %#v", holder, holder, holder),
	} {
		if strings.Contains(shown, hidden) || !strings.Contains(shown, "insecure-literal:[redacted]") {
			t.Errorf("shown as %s", shown)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	resolver := Resolver{
		Dir: "/etc/tenterhook",
		LookupEnv: func(name string) (string, bool) {
			value, ok := map[string]string{"NAME": hidden, "EMPTY": "", "BLANK": " \n", "LINE": "a\n"}[name]
			return value, ok
		},
		ReadFile: func(path string) ([]byte, error) {
			content, ok := map[string]string{
				"/etc/tenterhook/a": hidden + "\n", "/b": "x\r\n", "/two": "x\n\n", "/cr": "x\r", "/empty": "", "/line": "\n",
				"/large": strings.Repeat("a", MaxSize+1),
			}[path]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(content), nil
		},
	}
	tests := []struct{ ref, want, message, hint string }{
		{ref: "env:NAME", want: hidden},
		{ref: "env:LINE", want: "a\n"},
		{ref: "file:a", want: hidden},
		{ref: "file:./a", want: hidden},
		{ref: "file:/b", want: "x"},
		{ref: "file:/two", want: "x\n"},
		{ref: "file:/cr", want: "x\r"},
		{ref: "insecure-literal:a:b", want: "a:b"},
		{ref: "env:MISSING", message: `the environment variable "MISSING" is not set`, hint: "export MISSING=..."},
		{ref: "env:EMPTY", message: `the secret "env:EMPTY" is empty`, hint: "anyone sign"},
		{ref: "env:BLANK", message: `the secret "env:BLANK" is empty`, hint: "anyone sign"},
		{ref: "file:/empty", message: `the secret "file:/empty" is empty`, hint: "anyone sign"},
		{ref: "file:/line", message: `the secret "file:/line" is empty`, hint: "anyone sign"},
		{ref: "file:no", message: `read the secret "file:no": file does not exist`, hint: "directory of the configuration"},
		{ref: "file:~/no", message: `read the secret "file:~/no": file does not exist`, hint: "~ is not expanded"},
		{ref: "file:/large", message: `the secret "file:/large" is larger than 65536 bytes`},
	}
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			t.Parallel()
			ref, err := Parse(tt.ref)
			if err != nil {
				t.Fatal(err)
			}
			got, err := resolver.Resolve(t.Context(), ref)
			if tt.message == "" {
				if err != nil || got != tt.want {
					t.Fatalf("got %q, %v; want %q", got, err, tt.want)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || e.Error() != tt.message || !strings.Contains(e.Hint, tt.hint) {
				t.Fatalf("got %q, %#v; want %q, hint %q", got, err, tt.message, tt.hint)
			}
		})
	}
}

func TestResolveNothing(t *testing.T) {
	t.Parallel()
	var resolver Resolver
	if got, err := resolver.Resolve(t.Context(), Ref{}); err == nil {
		t.Errorf("the zero Ref resolved to %q", got)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped")
	cancel(stop)
	if _, err := resolver.Resolve(ctx, Ref{kind: "env", arg: "PATH"}); !errors.Is(err, stop) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

// The list tests itself: every kind reads its own example.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		ref, err := Parse(k.example)
		if err != nil || ref.kind != k.name {
			t.Errorf("%s: its example %q is read as %v, %v", k.name, k.example, ref, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"env:NAME", "file:/x", "insecure-literal:x", "$X", "${X}", "a:b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := Parse(text)
		if err == nil && !ref.Insecure() && ref.String() != text {
			t.Errorf("Parse(%q) prints as %q", text, ref)
		}
	})
}
