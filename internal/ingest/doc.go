// Package ingest is the public edge: it takes a provider's request, verifies it,
// routes it, and answers once the event is on stable storage.
//
// One request's way: is there room for its bytes, read them exactly as they
// come, verify the signature over them, decide what each route makes of the
// event, have the store accept event and deliveries in one transaction, answer.
// Nothing is answered with 2xx before that transaction is committed and fsynced.
//
// What is refused is put on record with the reason, which the sender never sees.
package ingest
