package uploader_test

import (
	"encoding/base64"
	"math/rand/v2"
)

// noise returns one row line of about n bytes that do not compress.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n*3/4)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return []byte(`["1","` + base64.StdEncoding.EncodeToString(b) + "\"]\n")
}
