package state

import (
	"os"
	"strings"
)

// damaged is between FileName and the time in the name of a file set aside.
const damaged = ".damaged-"

// Aside lists the names of the damaged files in dir that Open has set aside,
// oldest first; none where dir cannot be read.
func Aside(dir string) []string {
	entries, _ := os.ReadDir(dir) // by name, which is by time
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), FileName+damaged) {
			names = append(names, e.Name())
		}
	}
	return names
}
