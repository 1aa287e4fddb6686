// Package cli is the command line of Tenterhook: one file per command, and a few
// that all commands share.
//
// A command is a struct of options, a function newX that makes the flags which
// fill it, and a function runX that does the work. The rest is:
//
//	root.go     the list of commands, and what runs them
//	exit.go     how an error becomes an exit code, a message and a hint
//	ui.go       how we talk to people: data on stdout, talk on stderr
//	text.go     how times, sizes and foreign text are written
//	help.go     what --help prints
//	connect.go  where the server is, and which token to show it
//
// Text that comes from outside, such as an event's type or a response, is always
// printed with its control characters escaped: a webhook must not be able to
// steer the terminal of the one who looks at it.
package cli
