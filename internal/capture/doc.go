// Package capture reads HTTP requests that somebody kept: a file with the bytes
// of the request, what curl printed or a curl command, a HAR file of a browser or
// a proxy, a line of test vectors.
//
// [Read] finds out which of these it is. It takes the body byte for byte where
// the form has the bytes, and says in [Capture.Notes] where it does not: a
// signature is of bytes, and forms that keep text lose some.
//
// What is read is a stranger's. It is bounded, nothing in it is run or expanded,
// and no file that it names is opened.
package capture
