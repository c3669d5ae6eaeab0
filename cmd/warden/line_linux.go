// The line: packets with descriptors.

package warden

import (
	"encoding/json"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A line is one end of the pair.
type line struct {
	conn *net.UnixConn
	mu   sync.Mutex // of writing
}

// pair returns the warden's end, and a file for the engine's.
func pair() (*line, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	theirs := os.NewFile(uintptr(fds[1]), "line")
	ours := os.NewFile(uintptr(fds[0]), "line")
	defer ours.Close()
	l, err := newLine(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return l, theirs, nil
}

// newLine makes a line of a file, which stays the caller's.
func newLine(f *os.File) (*line, error) {
	c, err := net.FileConn(f)
	if err != nil {
		return nil, errMessage
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errMessage
	}
	return &line{conn: u}, nil
}

// say sends a message, with a descriptor unless it is nil. The engine cannot send any. A message
// that is too long for the line is not sent: errMessage.
func (l *line) say(message any, with *os.File) error {
	b, err := json.Marshal(message)
	if err != nil || len(b) > maxAsk {
		return errMessage
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if with == nil {
		_, err = l.conn.Write(b)
		return err
	}
	_, _, err = l.conn.WriteMsgUnix(b, unix.UnixRights(int(with.Fd())), nil)
	return err
}

// hear waits for a packet of at most n bytes, and the descriptor that came with it, or nil.
func (l *line) hear(n int) ([]byte, *os.File, error) {
	b, oob := make([]byte, n+1), make([]byte, unix.CmsgSpace(4))
	got, oobn, flags, _, err := l.conn.ReadMsgUnix(b, oob)
	if err != nil {
		return nil, nil, err
	}
	with := received(oob[:oobn])
	if got == 0 || got > n || flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		if with != nil {
			with.Close()
		}
		return nil, nil, errMessage
	}
	return b[:got], with, nil
}

// received takes the descriptor out of a packet's ancillary data.
func received(oob []byte) (f *os.File) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			if f != nil {
				f.Close()
			}
			f = os.NewFile(uintptr(fd), "given")
		}
	}
	return f
}
