package wire

// An Enrollment asks for a key with a one-time code.
type Enrollment struct {
	Code string `json:"code"`
}

// Enrolled is the answer: who the code was made for, and a key of theirs. It
// is given once; the code is of no use afterwards.
type Enrolled struct {
	Customer string `json:"customer"`
	Key      string `json:"key"`
}
