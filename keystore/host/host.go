// Package host is what the keystore asks of the operating system, and what each of them gives:
// a lock on a file, a directory on disk, a terminal without echo, a process that is closed to
// others. Where a system cannot, the function says so. It knows nothing of secrets.
package host

import (
	"errors"
	"os"
)

// Words for what a system leaves open.
const (
	readable = "other programs of this user can read the memory of this one"
	dumps    = "core dumps could not be turned off"
)

// errUnknown says that this system is not asked about swap.
var errUnknown = errors.New("not known on this system")

// Lock takes the exclusive lock of a file and waits until it is free. Closing the file gives it
// back, and so does the end of the process.
func Lock(f *os.File) error { return lock(f) }

// SyncDir puts a directory's names on disk, where the system has a call for that.
func SyncDir(path string) error { return syncDir(path) }

// Quiet turns the echo of a terminal off and returns what turns it on again. On what is no
// terminal it does nothing.
func Quiet(fd int) (restore func()) { return quiet(fd) }

// Read reads what there is, at least one byte, or waits for it; 0 at the end of the input. The
// bytes go nowhere but into b.
func Read(fd int, b []byte) (int, error) { return read(fd, b) }

// Write writes some of b, and says how much.
func Write(fd int, b []byte) (int, error) { return write(fd, b) }

// CloseProcess forbids core dumps, and reading by other programs of the same user. It returns in
// words what it could not forbid.
func CloseProcess() (open []string) { return closeProcess() }

// Swaps returns the kernel's list of swap areas in the form of linux: a line of headings, then a
// line for each.
func Swaps() ([]byte, error) { return swaps() }
