// Package provider holds what people know of a provider besides how it signs:
// what it is called, where a webhook is set up on its side, where its secret
// comes from, and what its events look like. How it signs is a row of the package
// signature, of the same name.
//
// Each provider is one text file, data/NAME.txt, that is read and corrected
// without reading Go. It is a txtar archive. The comment at its top has one
// KEY: TEXT per line:
//
//	title:   the name that the provider goes by
//	docs:    the provider's own page about its webhooks; left out if there is none to rely on
//	secret:  what the secret is and where it is found, as the end of "the secret is"
//	setup:   a step on the provider's side, a sentence or two; {url} is the source's public URL; as often as needed
//	setting: NAME TEXT: what the source needs besides its secret, and where it is found; as often as needed
//
// Each file in the archive is one sample event, named by its type as the scheme
// tells it. Where a scheme has no types, the name says what the sample is. A
// sample is written as a request: its query on a first line that begins with "?"
// if it has one, its headers, an empty line, its body. The headers are those that
// the provider sends and a receiver may read: not the signature, nor the times
// and ids that are signed with it, because signing adds them.
//
// Bodies are written to be read, and sent as providers send them: JSON without
// the spaces between its parts, its numbers, strings and order untouched; a form
// from one KEY=VALUE per line, encoded here; any other text as it stands, without
// the line feed at its end.
//
// The samples are our own: small, after the shapes that providers document, with
// invented values. GitHub's are not here, because package sample has real ones.
package provider
