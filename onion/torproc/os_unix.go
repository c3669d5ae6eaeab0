//go:build unix

// What is asked of the system: locks, owners, a pair of sockets.

package torproc

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// lockFile makes or opens a file and locks it. The lock ends with this process; children do not
// inherit it.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, errLocked
	}
	return f, nil
}

func ownedByUs(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid()
}

// socketPair returns two connected sockets, neither of which other children inherit.
func socketPair() (ours net.Conn, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	mine := os.NewFile(uintptr(fds[0]), "control")
	theirs = os.NewFile(uintptr(fds[1]), "control")
	ours, err = net.FileConn(mine)
	mine.Close()
	if err != nil {
		theirs.Close()
		return nil, nil, errors.ErrUnsupported
	}
	return ours, theirs, nil
}

// openly runs f, in which a unix socket is made that all users may connect to. It is not opened to
// them afterwards: a sealed engine cannot change the mode of any file. Files that others make
// meanwhile have the mode they name.
func openly(f func() (net.Listener, error)) (net.Listener, error) {
	before := syscall.Umask(0o111)
	defer syscall.Umask(before)
	return f()
}
