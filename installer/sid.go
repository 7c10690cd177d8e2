package installer

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// serviceSID is the security identifier of a service's virtual account: a hash
// of its name, so that rights can be given before the service is there
// ([MS-DTYP] 2.4.2.4, NT SERVICE).
func serviceSID(service string) string {
	var name []byte
	for _, unit := range utf16.Encode([]rune(strings.ToUpper(service))) {
		name = binary.LittleEndian.AppendUint16(name, unit)
	}
	sum := sha1.Sum(name)
	sid := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return sid
}

// Rights of files ([MS-DTYP] 2.4.3).
const (
	readAndExecute = 0x1200a9
	modify         = 0x1301bf
)

// rights are what the service needs of the folder.
func (f folder) rights() uint32 {
	if f.write {
		return modify
	}
	return readAndExecute
}

// access is a protected access list in the form of the security descriptor
// language ([MS-DTYP] 2.5.1): the system and administrators may do everything,
// the service what it needs, and nobody else gets in.
func access(sid string, f folder) string {
	return fmt.Sprintf("D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x%x;;;%s)", f.rights(), sid)
}

// ours tells whether a folder is one that only Tidemark uses: a folder in
// programData named so, one in that, or one of secrets wherever it is.
func (f folder) ours(programData string) bool {
	if f.closed {
		return true
	}
	slashes := func(p string) string { return strings.ToLower(strings.ReplaceAll(p, `\`, "/")) }
	own := strings.TrimRight(slashes(programData), "/") + "/tidemark"
	return programData != "" && (slashes(f.path) == own || strings.HasPrefix(slashes(f.path), own+"/"))
}
