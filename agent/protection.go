package agent

import "go.uber.org/zap"

// An Unprotected is a connection on which the configuration has turned
// protection off: others can read it, or stand in for the other end.
type Unprotected struct {
	Connection string `json:"connection"` // "cloud", "source main"
	Message    string `json:"message"`
	Hint       string `json:"hint"`
}

// warn tells the log what is unprotected, at the start and at every reload.
func (s Site) warn(log *zap.Logger) {
	for _, u := range s.Unprotected {
		log.Warn("connection.unprotected", zap.String("connection", u.Connection), zap.String("why", u.Message), zap.String("hint", u.Hint))
	}
}
