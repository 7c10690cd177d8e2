// Package recording writes down the requests that the cloud API answered, with
// their bodies, and reads them again.
//
// # Form
//
// A recording is one zstd stream. In it: the line "tidemark-recording 1", a
// Header, then entries. Header and each entry are a JSON document behind its
// length, an unsigned varint as encoding/binary has it; behind an entry that
// is a request follows its body, behind its length. The stream is flushed
// every second, so that one that was cut off is good up to there.
//
// No key is in it: a request stands under the customer whom its key opened.
// The requests of a table are in the order in which they were answered, which
// is that of their sequence numbers. A table of which a request could not be
// written down has a gap: nothing of it follows, because what follows could
// not be applied.
package recording
