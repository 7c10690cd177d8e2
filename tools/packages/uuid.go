package main

import (
	"crypto/sha1"
	"fmt"
	"strings"
)

// nameUUID is a version 5 UUID of names (RFC 9562, section 5.5), in a space of
// our own.
func nameUUID(names ...string) string {
	space := [16]byte{0x6e, 0x0c, 0x7a, 0x52, 0x8c, 0x1f, 0x4b, 0x0e, 0x9b, 0x57, 0x3d, 0x1a, 0x6c, 0x1f, 0x5e, 0x21}
	h := sha1.Sum(append(space[:], strings.Join(names, "\x00")...))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80
	return strings.ToLower(fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}
