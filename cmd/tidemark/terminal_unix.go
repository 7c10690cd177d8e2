//go:build !windows

package main

import "os"

func understands(*os.File) bool { return true }
