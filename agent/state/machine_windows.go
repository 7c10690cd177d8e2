package state

import "golang.org/x/sys/windows/registry"

// MachineID returns what tells this machine from others: MachineGuid, which
// Windows makes when it is installed, or "" where it cannot be read.
func MachineID() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Cryptography`, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return ""
	}
	defer func() { _ = k.Close() }() // it was only read
	id, _, err := k.GetStringValue("MachineGuid")
	if err != nil {
		return ""
	}
	return id
}
