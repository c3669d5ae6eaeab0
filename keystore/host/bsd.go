//go:build darwin || freebsd || netbsd || openbsd || dragonfly

// What the systems that come from BSD have: nothing that closes a process to its own user.

package host

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)

func closeProcess() []string { return append([]string{readable}, noDumps()...) }

func swaps() ([]byte, error) { return nil, errUnknown }
