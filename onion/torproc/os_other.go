//go:build !unix

// Elsewhere there is no pair of sockets to give to a child, and so no tor of our own.

package torproc

import (
	"errors"
	"io/fs"
	"net"
	"os"
)

func lockFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
}

func ownedByUs(fs.FileInfo) bool { return false }

func socketPair() (net.Conn, *os.File, error) { return nil, nil, errors.ErrUnsupported }

// openly runs f.
func openly(f func() (net.Listener, error)) (net.Listener, error) { return f() }
