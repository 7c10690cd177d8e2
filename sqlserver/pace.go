package sqlserver

import "time"

// A pace chooses how many rows to ask for, so that a chunk takes about the
// time aimed at and does not outgrow its bytes. It follows exponentially
// weighted averages of the time and the bytes of a row, as pt-table-checksum
// does for time.
type pace struct {
	target  time.Duration
	bytes   int // of a chunk
	most    int // rows
	rows    int // asked for last
	perRow  float64
	perByte float64 // bytes of a row
}

const (
	firstRows  = 1000
	weightOld  = 0.5     // of the averages; the newest chunk has the rest
	growthMost = 8       // a chunk is at most so many times the one before
	aimBytes   = 0.96875 // of the bytes of a chunk: one that outgrows them costs a cancelled statement
)

// next is the number of rows to ask for.
func (p *pace) next() int {
	if p.rows == 0 {
		p.rows = min(firstRows, p.most)
	}
	return p.rows
}

// observe takes the time, rows and bytes of a chunk that was read.
func (p *pace) observe(rows, bytes int, took time.Duration) {
	if rows <= 0 {
		return
	}
	p.perRow = average(p.perRow, took.Seconds()/float64(rows))
	p.perByte = average(p.perByte, float64(bytes)/float64(rows))
	n := float64(p.next() * growthMost)
	if p.perRow > 0 {
		n = min(n, p.target.Seconds()/p.perRow)
	}
	n = max(n, DefaultMinRows)
	if p.perByte > 0 { // bytes bound memory: they go below the least that time does
		n = min(n, float64(p.bytes)*aimBytes/p.perByte)
	}
	p.rows = max(1, min(int(n), p.most))
}

// failed makes the next chunk smaller, after one that was not read in time.
func (p *pace) failed() { p.rows = max(min(DefaultMinRows, p.most), p.next()/growthMost) }

func average(old, now float64) float64 {
	if old == 0 {
		return now
	}
	return weightOld*old + (1-weightOld)*now
}
