// Package schema says whether a payload is what its type promises, before
// anything is done with it.
//
// A [Set] holds JSON Schemas by the type of the event. [GitHub] is built in;
// [Load] and [Compile] read a user's; [ByType] puts several together. [Set.Check]
// decodes a body, looks up the schema of its type, and returns a [*Mismatch] that
// names the place in the payload and what was expected there. A type that has no
// schema passes, and [Set.Knows] tells it from one that was checked: providers
// add events, and to stop on them is for whoever wants to, with a set that refuses
// the rest.
//
// # What is checked of GitHub's payloads
//
// GitHub describes its webhooks in OpenAPI. scripts/reduce-schemas makes of it the
// schemas that are embedded here, 31 kB of them. To a receiver, rejecting a genuine
// delivery is worse than passing one that lacks a field it does not read, and the
// description is too strict for that: a third of the 329 payloads that GitHub's
// community collected disagree with it. testdata/description.txt has every
// disagreement, the test says the reason of each, and this is what was given up
// for them:
//
//	samples that disagree   with
//	114                     the description as it stands
//	114                     open objects, no enums but the action, no limits
//	  9                     and what is required, only at the top or if it names a thing
//	  8                     and null is the same as absent
//	  0                     and a time is text or a number
//
// Open objects, enums and limits reject no sample that the rest does not reject;
// they go because they are what GitHub adds to without notice. Most of what is
// required came to be over the years: payloads from before, and those of an
// Enterprise Server from before, lack it. Kept is what stands at the top of a
// payload (action, repository, sender, the thing that the event is about), and at
// any depth what names a thing: base, full_name, head, id, login, name, ref and
// sha. Null in place of an object is what a deleted user or fork leaves behind,
// and the description knows that in some places and not in others.
//
// What remains are the types of all values, those required properties, and the
// action, which must be that of the type. That catches what endangers a receiver:
// a payload cut short, of another event, or of another provider.
//
// # Safety
//
// Bodies come from strangers. They may be as large as [MaxBody], as deep as
// [MaxDepth], of [MaxValues] values and of numbers up to [MaxNumber] bytes; what is
// beyond is a mismatch, as are duplicate keys, which programs read differently.
// Large bodies are checked one at a time. Patterns are those of package regexp,
// whose time is linear. Nothing is ever fetched: a schema that refers to another
// file is an error when it is loaded.
package schema
