package tds

import (
	"encoding/binary"
)

// Encryption is what a server offers at pre-login (MS-TDS 2.2.6.5).
type Encryption uint8

const (
	// EncryptionOptional encrypts what the client asks for: all, the login
	// only, or nothing.
	EncryptionOptional Encryption = iota
	// EncryptionRequired encrypts every connection.
	EncryptionRequired
	// EncryptionUnavailable is a server without a certificate: it answers
	// every client that it does not support encryption.
	EncryptionUnavailable
)

// The values of the ENCRYPTION option.
const (
	encryptOff    = 0 // the login only
	encryptOn     = 1
	encryptNotSup = 2
	encryptReq    = 3
)

// The options of PRELOGIN that the server reads or sends.
const (
	versionOption    = 0
	encryptionOption = 1
	instanceOption   = 2
	threadOption     = 3
	marsOption       = 4
	lastOption       = 0xFF
)

// serverVersion is that of SQL Server 2019 RTM: 15.0.2000.
var serverVersion = [4]byte{15, 0, 0x07, 0xD0}

// parsePrelogin returns what the client wants encrypted.
func parsePrelogin(body []byte) (encryption byte, err error) {
	encryption = encryptNotSup
	for at := 0; ; at += 5 {
		if at < len(body) && body[at] == lastOption {
			return encryption, nil
		}
		if at+5 > len(body) {
			return 0, malformed("PRELOGIN without a terminator")
		}
		from := int(binary.BigEndian.Uint16(body[at+1:]))
		size := int(binary.BigEndian.Uint16(body[at+3:]))
		if from+size > len(body) {
			return 0, malformed("PRELOGIN option %d outside of its message", body[at])
		}
		if body[at] == encryptionOption {
			if size != 1 {
				return 0, malformed("ENCRYPTION option of %d bytes", size)
			}
			encryption = body[from]
		}
	}
}

// negotiate answers a client's wish (the tables of MS-TDS 2.2.6.5).
func (e Encryption) negotiate(client byte) (answer byte) {
	switch {
	case e == EncryptionUnavailable:
		return encryptNotSup
	case e == EncryptionRequired:
		return encryptReq
	case client == encryptOn || client == encryptReq:
		return encryptOn
	case client == encryptOff:
		return encryptOff
	}
	return encryptNotSup
}

func appendPrelogin(dst []byte, encryption byte) []byte {
	options := []struct {
		id   byte
		data []byte
	}{
		{versionOption, append(serverVersion[:], 0, 0)},
		{encryptionOption, []byte{encryption}},
		{instanceOption, []byte{0}},
		{threadOption, nil},
		{marsOption, []byte{0}},
	}
	offset := 5*len(options) + 1
	for _, o := range options {
		dst = append(dst, o.id)
		dst = binary.BigEndian.AppendUint16(dst, uint16(offset))
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(o.data)))
		offset += len(o.data)
	}
	dst = append(dst, lastOption)
	for _, o := range options {
		dst = append(dst, o.data...)
	}
	return dst
}
