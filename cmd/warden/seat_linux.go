// Other engines of the home. What one engine can ask of another is who it is, and nothing else: the
// whole of the other's identity is behind the same socket.

package warden

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// introduction is what is asked, in these words, whatever the engine says.
	introduction = "GET /v1/identity HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n"
	maxIdentity  = 16 << 10        // bytes of an answer
	seatTime     = 3 * time.Second // for all of it
)

// seat connects to the socket of another engine of the same home, and hands over a connection to
// ourselves: when the engine says anything on it, the other is asked who it is, and the answer
// passed on.
func (w *warden) seat(ctx context.Context, name string) (*os.File, error) {
	if name != filepath.Base(name) || !strings.HasPrefix(name, "control") || w.config.Seats == "" {
		return nil, unix.EPERM
	}
	other, err := dialUnix(ctx, w.config.Seats, name)
	if err != nil {
		return nil, err
	}
	defer other.Close()
	engine, err := net.FileConn(other)
	if err != nil {
		return nil, err
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		engine.Close()
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "seat"), os.NewFile(uintptr(fds[1]), "seat")
	defer ours.Close()
	asker, err := net.FileConn(ours)
	if err != nil {
		engine.Close()
		theirs.Close()
		return nil, err
	}
	w.work.Go(func() { introduce(asker, engine) })
	return theirs, nil
}

// introduce asks an engine who it is for one that said anything, and ends both connections.
func introduce(asker, engine net.Conn) {
	defer asker.Close()
	defer engine.Close()
	end := time.Now().Add(seatTime)
	if asker.SetDeadline(end) != nil || engine.SetDeadline(end) != nil {
		return
	}
	if _, err := asker.Read(make([]byte, 1)); err != nil {
		return // it only wanted to know whether somebody is there
	}
	if _, err := io.WriteString(engine, introduction); err != nil {
		return
	}
	if _, err := io.Copy(asker, io.LimitReader(engine, maxIdentity)); err != nil {
		return
	}
	// What is not read when a unix socket is closed would take the answer with it.
	if c, ok := asker.(*net.UnixConn); ok && c.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(asker, maxIdentity))
	}
}
