//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "soak: runs on Linux alone: namespaces, /proc, tmpfs")
	os.Exit(1)
}
