package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// understands has a console understand escape sequences, which those before
// Windows 10 cannot.
func understands(f *os.File) bool {
	h, mode := windows.Handle(f.Fd()), uint32(0)
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
