//go:build !windows

package main

import "os"

func canMoveCursor(*os.File) bool { return true }
