package cloud

import "time"

// Limits bound what one server takes. Memory for bodies is at most Receiving;
// for each batch in work, the 8 MiB window of its frame and one line of at most
// 4 MiB; and for two batches at a time a line of up to Line. A store holds a
// line in up to three forms at once.
type Limits struct {
	Body         int64 // bytes of a body as sent
	Decompressed int64 // bytes of a body of lines, decompressed
	Line         int   // bytes of one line
	Document     int64 // bytes of a JSON document
	Rows         int   // lines of a body
	Page         int   // bytes of a page of a manifest, decompressed
	Receiving    int64 // bytes of all bodies that are being received or worked on

	HeadTime    time.Duration // to send a request's head
	BodyTime    time.Duration // to send a body
	RequestTime time.Duration // for the work on a request, from its whole body on
	AnswerTime  time.Duration // to take an answer, besides what is left of the times above
	Patience    time.Duration // to wait for a turn

	Read, Write, Load, Diff Class // requests by what they are for; package admission tells what goes first
}

// A Class bounds requests of one kind. Beyond Waiting they are refused at once
// with 503.
type Class struct {
	Running int // at once, at most: fewer where that takes the store too long
	Waiting int // for a turn
}

// How Receiving is shared out. Before a body is there nobody knows what it is;
// but small ones are changes and questions, and have memory of their own, so
// that loads never keep them out. Of either, one customer has at most a
// quarter, as of a class of package admission: who sends slowly keeps nobody
// else out.
const (
	smallBody      = 256 << 10
	smallParts     = 8 // of Receiving: one of these
	receivingParts = 4
)

// longBatches is how many batches may hold a long line at a time.
const longBatches = 2

// DefaultLimits take a row of 16 MiB, the largest that an agent sends, in
// base64 and with every character escaped.
func DefaultLimits() Limits {
	return Limits{
		Body:         32 << 20,
		Decompressed: 128 << 20,
		Line:         100 << 20,
		Document:     1 << 20,
		Rows:         100_000,
		Page:         4 << 20,
		Receiving:    256 << 20,
		HeadTime:     10 * time.Second,
		BodyTime:     2 * time.Minute,
		RequestTime:  5 * time.Minute,
		AnswerTime:   time.Minute,
		Patience:     10 * time.Second,
		Read:         Class{Running: 64, Waiting: 1024},
		Write:        Class{Running: 12, Waiting: 128}, // fewer than the store's places: reads do not wait for them
		Load:         Class{Running: 8, Waiting: 64},
		Diff:         Class{Running: 4, Waiting: 16},
	}
}
