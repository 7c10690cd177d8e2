package tds

import "encoding/binary"

const (
	loginFixed     = 94         // bytes before the variable part of LOGIN7
	maxLogin       = 128 << 10  // LOGIN7 may not be longer (MS-TDS 2.2.6.4)
	firstVersion   = 0x72000000 // TDS 7.2, the first with ALL_HEADERS
	integratedFlag = 0x80       // OptionFlags2
	readOnlyFlag   = 0x20       // TypeFlags
	lastTDS7       = 0x74FFFFFF // TDS 8 starts with TLS, not with PRELOGIN
)

// parseLogin reads LOGIN7. Features that a client offers stay unanswered,
// which is how a server without them declines (MS-TDS 2.2.7.11).
func parseLogin(body []byte) (l Login, packetSize int, err error) {
	if len(body) < loginFixed || int(binary.LittleEndian.Uint32(body)) != len(body) {
		return l, 0, malformed("LOGIN7 of %d bytes", len(body))
	}
	if v := binary.LittleEndian.Uint32(body[4:]); v < firstVersion || v > lastTDS7 {
		return l, 0, malformed("TDS version %#x", v)
	}
	text := func(at int, decode func([]byte) string) string {
		from := int(binary.LittleEndian.Uint16(body[at:]))
		size := 2 * int(binary.LittleEndian.Uint16(body[at+2:]))
		if from+size > len(body) {
			err = malformed("LOGIN7 field at %d outside of its message", at)
			return ""
		}
		return decode(body[from : from+size])
	}
	l = Login{
		Host:           text(36, decodeUTF16),
		User:           text(40, decodeUTF16),
		Password:       text(44, revealPassword),
		App:            text(48, decodeUTF16),
		Database:       text(68, decodeUTF16),
		ReadOnlyIntent: body[26]&readOnlyFlag != 0,
	}
	if err == nil && body[25]&integratedFlag != 0 {
		err = &Error{Number: 18452, State: 1, Class: 14,
			Message: "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."}
	}
	return l, int(binary.LittleEndian.Uint32(body[8:])), err
}

// revealPassword undoes the obfuscation of MS-TDS 2.2.6.4: every byte is
// turned by four bits and then XORed with 0xA5.
func revealPassword(b []byte) string {
	plain := make([]byte, len(b))
	for i, c := range b {
		c ^= 0xA5
		plain[i] = c<<4 | c>>4
	}
	return decodeUTF16(plain)
}

// acceptPacketSize is the packet size of a session: what the client asked for
// within the limits, which TLS makes narrower as SQL Server does.
func acceptPacketSize(asked int, encrypted bool) int {
	limit := maxPacketSize
	if encrypted {
		limit = 16383
	}
	if asked == 0 {
		asked = defaultPacketSize
	}
	return min(max(asked, minPacketSize), limit)
}
