package tds

import (
	"encoding/binary"
	"strconv"
)

// Tokens of a response (MS-TDS 2.2.7).
const (
	returnStatusToken = 0x79
	colMetadataToken  = 0x81
	errorToken        = 0xAA
	infoToken         = 0xAB
	loginAckToken     = 0xAD
	rowToken          = 0xD1
	envChangeToken    = 0xE3
	doneToken         = 0xFD
	doneProcToken     = 0xFE
	doneInProcToken   = 0xFF
)

// Status bits of the DONE tokens (MS-TDS 2.2.7.6).
const (
	doneMore      = 0x01
	doneError     = 0x02
	doneInTran    = 0x04
	doneCount     = 0x10
	doneAttention = 0x20
)

// selectCommand is the CurCmd of a SELECT. The field is undocumented; clients
// use it to tell a result set's count from a count of changed rows.
const selectCommand = 0xC1

func appendDone(dst []byte, token byte, status, command uint16, count uint64) []byte {
	dst = append(dst, token)
	dst = binary.LittleEndian.AppendUint16(dst, status)
	dst = binary.LittleEndian.AppendUint16(dst, command)
	return binary.LittleEndian.AppendUint64(dst, count)
}

const (
	serverName  = "mssqltest"
	programName = "Microsoft SQL Server"
	// maxMessage is the length of the longest message, in characters
	// (RAISERROR cuts at 2,047 too).
	maxMessage = 2047
)

// appendMessage appends an ERROR or INFO token.
func appendMessage(dst []byte, token byte, e *Error) []byte {
	dst = append(dst, token, 0, 0)
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(e.Number))
	dst = append(dst, e.State, e.Class, 0, 0)
	text := len(dst)
	dst = appendUTF16(dst, e.Message)
	dst = dst[:min(len(dst), text+2*maxMessage)]
	binary.LittleEndian.PutUint16(dst[text-2:], uint16((len(dst)-text)/2))
	dst = appendBVarchar(dst, serverName)
	dst = appendBVarchar(dst, "") // procedure
	dst = binary.LittleEndian.AppendUint32(dst, 1)
	binary.LittleEndian.PutUint16(dst[at-2:], uint16(len(dst)-at))
	return dst
}

// appendBVarchar appends a string with a length of one byte, in characters;
// more than 255 are cut.
func appendBVarchar(dst []byte, s string) []byte {
	dst = append(dst, 0)
	at := len(dst)
	dst = appendUTF16(dst, s)
	dst = dst[:min(len(dst), at+2*255)]
	dst[at-1] = byte((len(dst) - at) / 2)
	return dst
}

// Types of ENVCHANGE (MS-TDS 2.2.7.9).
const (
	envDatabase   = 1
	envLanguage   = 2
	envPacketSize = 4
	envCollation  = 7
	envBegin      = 8
	envCommit     = 9
	envRollback   = 10
	envReset      = 18
)

func appendEnvText(dst []byte, kind byte, now, before string) []byte {
	return appendEnv(dst, kind, func(dst []byte) []byte {
		return appendBVarchar(appendBVarchar(dst, now), before)
	})
}

func appendEnvBytes(dst []byte, kind byte, now, before []byte) []byte {
	return appendEnv(dst, kind, func(dst []byte) []byte {
		dst = append(append(dst, byte(len(now))), now...)
		return append(append(dst, byte(len(before))), before...)
	})
}

func appendEnv(dst []byte, kind byte, values func([]byte) []byte) []byte {
	dst = append(dst, envChangeToken, 0, 0, kind)
	at := len(dst) - 1
	dst = values(dst)
	binary.LittleEndian.PutUint16(dst[at-2:], uint16(len(dst)-at))
	return dst
}

// appendTransaction announces that the open transaction is another one.
func appendTransaction(dst []byte, now, before uint64, ended byte) []byte {
	if before != 0 {
		dst = appendEnvBytes(dst, ended, nil, binary.LittleEndian.AppendUint64(nil, before))
	}
	if now != 0 {
		dst = appendEnvBytes(dst, envBegin, binary.LittleEndian.AppendUint64(nil, now), nil)
	}
	return dst
}

// appendLoginAnswer appends what SQL Server answers to a good login, but for
// the DONE token.
func appendLoginAnswer(dst []byte, database string, packetSize int) []byte {
	dst = appendEnvText(dst, envDatabase, database, "master")
	dst = appendMessage(dst, infoToken, &Error{Number: 5701, State: 2, Message: "Changed database context to '" + database + "'."})
	dst = appendEnvBytes(dst, envCollation, collation[:], nil)
	dst = appendEnvText(dst, envLanguage, "us_english", "")
	dst = appendMessage(dst, infoToken, &Error{Number: 5703, State: 1, Message: "Changed language setting to us_english."})

	dst = append(dst, loginAckToken, 0, 0)
	at := len(dst)
	dst = append(dst, 1)                      // interface SQL_TSQL
	dst = append(dst, 0x74, 0x00, 0x00, 0x04) // TDS 7.4
	dst = appendBVarchar(dst, programName)
	dst = append(dst, serverVersion[:]...)
	binary.LittleEndian.PutUint16(dst[at-2:], uint16(len(dst)-at))

	return appendEnvText(dst, envPacketSize, strconv.Itoa(packetSize), strconv.Itoa(defaultPacketSize))
}
