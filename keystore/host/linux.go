//go:build linux

// What linux has, and android with it.

package host

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)

func closeProcess() (open []string) {
	if unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) != nil {
		open = append(open, readable)
	}
	return append(open, noDumps()...)
}

func swaps() ([]byte, error) { return os.ReadFile("/proc/swaps") }
