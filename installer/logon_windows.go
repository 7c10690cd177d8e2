package installer

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Of the local security authority (ntsecapi.h), which golang.org/x/sys has
// nothing of.
var (
	advapi              = windows.NewLazySystemDLL("advapi32.dll")
	lsaOpenPolicy       = advapi.NewProc("LsaOpenPolicy")
	lsaAddAccountRights = advapi.NewProc("LsaAddAccountRights")
	lsaClose            = advapi.NewProc("LsaClose")
	lsaNtStatusToError  = advapi.NewProc("LsaNtStatusToWinError")
)

const (
	policyLookupNames   = 0x0800
	policyCreateAccount = 0x0010
)

// objectAttributes is LSA_OBJECT_ATTRIBUTES, of which only the length counts.
type objectAttributes struct {
	length     uint32
	_          [4]byte
	_, _       uintptr
	attributes uint32
	_          [4]byte
	_, _       uintptr
}

// allowLogon gives an account the right to log on as a service, whose lack is
// why most services with an account of their own do not start. Giving it twice
// is giving it once.
func allowLogon(sid *windows.SID) error {
	var policy windows.Handle
	attributes := objectAttributes{}
	attributes.length = uint32(unsafe.Sizeof(attributes))
	status, _, _ := lsaOpenPolicy.Call(0, uintptr(unsafe.Pointer(&attributes)), policyLookupNames|policyCreateAccount, uintptr(unsafe.Pointer(&policy)))
	if err := lsaError(status); err != nil {
		return err
	}
	defer func() { _, _, _ = lsaClose.Call(uintptr(policy)) }()
	right, err := windows.NewNTUnicodeString("SeServiceLogonRight")
	if err != nil {
		return err
	}
	status, _, _ = lsaAddAccountRights.Call(uintptr(policy), uintptr(unsafe.Pointer(sid)), uintptr(unsafe.Pointer(right)), 1)
	return lsaError(status)
}

func lsaError(status uintptr) error {
	if status == 0 {
		return nil
	}
	code, _, _ := lsaNtStatusToError.Call(status)
	return windows.Errno(code)
}
