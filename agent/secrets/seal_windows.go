package secrets

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // how Windows makes the SID of a service
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// magic begins a sealed file. The digit is the way it is sealed.
var magic = []byte("TIDEMARK-DPAPI-1\n")

// seal seals for the machine, not for the user: an administrator types the
// secret, the service's account reads it. Its name goes into the seal, so that
// one secret cannot be put in another's place (Microsoft Learn,
// CryptProtectData).
func seal(name string, plain []byte) ([]byte, error) {
	var out windows.DataBlob
	err := windows.CryptProtectData(blob(plain), nil, blob([]byte("tidemark/"+name)), 0, nil,
		windows.CRYPTPROTECT_LOCAL_MACHINE|windows.CRYPTPROTECT_UI_FORBIDDEN, &out)
	if err != nil {
		return nil, fmt.Errorf("seal with DPAPI: %w", err)
	}
	return append(bytes.Clone(magic), take(out)...), nil
}

func unseal(name string, sealed []byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(sealed, magic)
	if !ok || len(body) == 0 {
		return nil, errors.New("the secret's file is damaged: set the secret again")
	}
	var out windows.DataBlob
	err := windows.CryptUnprotectData(blob(body), nil, blob([]byte("tidemark/"+name)), 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out)
	if err != nil {
		return nil, fmt.Errorf("open with DPAPI: %w: the secret was sealed on another machine, or the file is damaged: set it again", err)
	}
	return take(out), nil
}

func blob(b []byte) *windows.DataBlob {
	return &windows.DataBlob{Size: uint32(len(b)), Data: unsafe.SliceData(b)}
}

// take copies what Windows has allocated, and frees it.
func take(b windows.DataBlob) []byte {
	defer func() { _, _ = windows.LocalFree(windows.Handle(unsafe.Pointer(b.Data))) }()
	return bytes.Clone(unsafe.Slice(b.Data, b.Size))
}

// closeDir lets administrators and the system into a new directory, and the
// service to read. Files inherit that.
func closeDir(dir, _ string) error {
	descriptor, err := windows.SecurityDescriptorFromString(
		"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FR;;;" + serviceSID("Tidemark") + ")")
	if err != nil {
		return err
	}
	dacl, _, err := descriptor.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
}

// serviceSID is the SID of NT SERVICE\name, whether that is installed or not:
// S-1-5-80 and the SHA-1 of the name in upper case, as five numbers
// (Microsoft Learn, "Well-known SIDs").
func serviceSID(name string) string {
	var text []byte
	for _, c := range utf16.Encode([]rune(strings.ToUpper(name))) {
		text = binary.LittleEndian.AppendUint16(text, c)
	}
	sum := sha1.Sum(text) //nolint:gosec // see above
	sid := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return sid
}

// ownLike leaves owners alone: the directory's list of rights counts.
func ownLike(string, string) error { return nil }
