//go:build unix

// What all systems of the Unix kind have.

package host

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func lock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func quiet(fd int) (restore func()) {
	old, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return func() {} // not a terminal
	}
	t := *old
	t.Lflag = t.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	t.Iflag |= unix.ICRNL
	_ = unix.IoctlSetTermios(fd, setTermios, &t)
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, old) }
}

func read(fd int, b []byte) (int, error) {
	return repeat(fd, unix.POLLIN, func() (int, error) { return unix.Read(fd, b) })
}

func write(fd int, b []byte) (int, error) {
	return repeat(fd, unix.POLLOUT, func() (int, error) { return unix.Write(fd, b) })
}

// repeat calls f until it neither was interrupted nor would have to wait.
func repeat(fd int, events int16, f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err == unix.EAGAIN {
			ready := []unix.PollFd{{Fd: int32(fd), Events: events}}
			_, err = unix.Poll(ready, -1)
		} else if err == nil {
			return n, nil
		}
		if err != nil && err != unix.EINTR {
			return 0, err
		}
	}
}

func noDumps() (open []string) {
	if unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) != nil {
		open = append(open, dumps)
	}
	return open
}
