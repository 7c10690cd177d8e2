package main

import "golang.org/x/sys/windows"

// ownerOf names the account that a file belongs to.
func ownerOf(path string) (string, bool) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return "", false
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return "", false
	}
	name, domain, _, err := owner.LookupAccount("")
	if err != nil {
		return owner.String(), true
	}
	return domain + `\` + name, true
}
