// The unix socket: who may connect, and how long its name may be.

package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrTaken is returned when an identity is open in another engine already.
var ErrTaken = errors.New("this identity is open in another engine")

// listen opens the control socket at path with mode 0600. A socket left by an engine that was
// killed is replaced; the caller knows that none listens there.
func listen(path string) (net.Listener, error) {
	short, done, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(short); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the old control socket: %w", bare(err))
	}
	var l net.Listener
	privately(func() { l, err = net.Listen("unix", short) })
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", bare(err))
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // its name may go through a closed directory
	return &listener{Listener: l, path: path}, nil
}

// listener hears only our own user and root.
type listener struct {
	net.Listener
	path string
}

// Accept returns the next connection of an allowed user; others are closed without a word.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if allowed(c) {
			return c, nil
		}
		_ = c.Close()
	}
}

// Close stops listening and removes the socket.
func (l *listener) Close() error {
	_ = os.Remove(l.path)
	return l.Listener.Close()
}

// dial connects to the control socket at path.
func dial(path string) (net.Conn, error) {
	short, done, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer done()
	c, err := net.Dial("unix", short)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil, ErrNoEngine
	case err != nil:
		return nil, fmt.Errorf("reach the engine: %w", bare(err))
	}
	return c, nil
}

// shorten returns a name for path that fits the 107 bytes a socket address holds: through
// /proc/self/fd when path is too long. The directory stays open until done.
func shorten(path string) (short string, done func(), err error) {
	if len(path) < 100 {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, fmt.Errorf("open the directory of the control socket: %w", bare(err))
	}
	name := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	return name, func() { _ = dir.Close() }, nil
}

// bare strips paths and addresses from a system error.
func bare(err error) error {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no
	}
	return errors.New(strings.SplitN(err.Error(), ":", 2)[0])
}
