package uploader

// bodies keeps the memory of bodies for the next ones, so that a load makes
// no garbage of their size. What it keeps is bounded in number and size.
type bodies chan []byte

const (
	keptBodies = 2
	keptBytes  = 4 << 20
)

// take returns an empty body with room for about so many bytes.
func (b bodies) take(bytes int) []byte {
	select {
	case body := <-b:
		return body[:0]
	default:
		return make([]byte, 0, bytes)
	}
}

// give takes back a body that nobody reads any more.
func (b bodies) give(body []byte) {
	if cap(body) > keptBytes {
		return
	}
	select {
	case b <- body:
	default:
	}
}
