//go:build windows

// What windows has: a lock on a range of bytes in place of one on a file, and no way to put a
// directory on disk.

package host

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

func lock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0,
		new(windows.Overlapped))
}

func syncDir(string) error { return nil }

func quiet(fd int) (restore func()) {
	console, old := windows.Handle(fd), uint32(0)
	if windows.GetConsoleMode(console, &old) != nil {
		return func() {} // not a terminal
	}
	const lines = windows.ENABLE_PROCESSED_INPUT | windows.ENABLE_LINE_INPUT
	_ = windows.SetConsoleMode(console, old&^windows.ENABLE_ECHO_INPUT|lines)
	return func() { _ = windows.SetConsoleMode(console, old) }
}

func read(fd int, b []byte) (int, error) {
	var n uint32
	err := windows.ReadFile(windows.Handle(fd), b, &n, nil)
	if errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_HANDLE_EOF) {
		err = nil // the end of the input
	}
	return int(n), err
}

func write(fd int, b []byte) (int, error) {
	var n uint32
	err := windows.WriteFile(windows.Handle(fd), b, &n, nil)
	return int(n), err
}

func closeProcess() []string {
	windows.SetErrorMode(windows.SEM_NOGPFAULTERRORBOX | windows.SEM_FAILCRITICALERRORS)
	return []string{readable, dumps}
}

func swaps() ([]byte, error) { return nil, errUnknown }
