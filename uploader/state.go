package uploader

import "time"

// A State is how the cloud stands, as its client sees it. The zero State is
// that of a cloud that answers, or was not asked yet.
type State struct {
	Away  bool      // requests fail for a reason that is the cloud's or the network's
	Since time.Time // Away: the first failure
	Next  time.Time // Away or Refused: no try before
	Err   error     // Away: the last failure; its hint is found with fault.Hint

	Refused *Stop // the key is refused, or cannot be read
}
