package tds

import "encoding/binary"

// The total lengths with a meaning of their own (MS-TDS 2.2.5.2.3).
const (
	plpNull    = 0xFFFFFFFFFFFFFFFF
	plpUnknown = 0xFFFFFFFFFFFFFFFE
)

// appendPLP appends a value in one chunk with its total length.
func appendPLP(dst []byte, t Type, v any) ([]byte, error) {
	at := len(dst)
	dst = append(dst, make([]byte, 12)...)
	dst, err := appendChars(dst, t, v)
	if err != nil {
		return nil, err
	}
	size := len(dst) - at - 12
	binary.LittleEndian.PutUint64(dst[at:], uint64(size))
	if size == 0 {
		return dst[:at+12], nil // the zero chunk length is the terminator
	}
	binary.LittleEndian.PutUint32(dst[at+8:], uint32(size))
	return append(dst, 0, 0, 0, 0), nil
}

// plpLen is the length of the value at the head of b with all its chunks.
func plpLen(b []byte) int {
	if len(b) < 8 {
		return -1
	}
	if binary.LittleEndian.Uint64(b) == plpNull {
		return 8
	}
	for at := 8; ; {
		if len(b)-at < 4 {
			return -1
		}
		size := binary.LittleEndian.Uint32(b[at:])
		at += 4
		if size == 0 {
			return at
		}
		if uint64(size) > uint64(len(b)-at) {
			return -1
		}
		at += int(size)
	}
}

// plpChunks calls f for the data of every chunk of a whole value.
func plpChunks(b []byte, f func(chunk []byte) error) error {
	for at := 8; at+4 <= len(b); {
		size := int(binary.LittleEndian.Uint32(b[at:]))
		if size == 0 {
			break
		}
		if err := f(b[at+4 : at+4+size]); err != nil {
			return err
		}
		at += 4 + size
	}
	return nil
}

// plpData is the data of a whole value, shared with b if it is in one chunk.
func plpData(b []byte) (data []byte, null bool) {
	if binary.LittleEndian.Uint64(b) == plpNull {
		return nil, true
	}
	_ = plpChunks(b, func(chunk []byte) error {
		if data == nil {
			data = chunk[:len(chunk):len(chunk)]
		} else {
			data = append(data, chunk...)
		}
		return nil
	})
	return data, false
}

// textPointer stands before the data of text, ntext and image. Nothing reads
// it: the stand-in has no READTEXT.
var textPointer = [1 + 16 + 8]byte{0: 16}

func appendTextPtr(dst []byte, t Type, v any) ([]byte, error) {
	dst = append(dst, textPointer[:]...)
	at := len(dst) + 4
	dst, err := appendChars(append(dst, 0, 0, 0, 0), t, v)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(dst[at-4:], uint32(len(dst)-at))
	return dst, nil
}

func textPtrLen(b []byte) int {
	if len(b) < 1 {
		return -1
	}
	if b[0] == 0 {
		return 1
	}
	at := 1 + int(b[0]) + 8 + 4
	if len(b) < at {
		return -1
	}
	return at + int(binary.LittleEndian.Uint32(b[at-4:]))
}
