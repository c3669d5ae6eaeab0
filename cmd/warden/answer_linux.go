// What an engine may ask for.

package warden

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"nightjar/onion/torproc"
	"nightjar/sip/sockets"
)

// dialTime is the longest that a unix socket of this machine may take to accept.
const dialTime = 2 * time.Second

// answer does what is asked. The descriptor is the asker's; the caller closes ours.
func (w *warden) answer(ctx context.Context, a ask) (word, *os.File) {
	switch a.Do {
	case "stream":
		return given(openLoopback(a.Do, a.At))
	case "packet":
		return given(w.phones.packet(a.At))
	case "answer":
		return given(w.phones.answer(a.At, a.To))
	case "drop":
		w.phones.drop(a.At)
		return word{}, nil
	case "tor":
		return w.tors.start(w.line, a)
	case "socks":
		return given(w.tors.dial(ctx, a.Tor, torproc.Program.Dial))
	case "exit":
		return given(w.tors.dial(ctx, a.Tor, dialExit))
	case "kill":
		w.tors.kill(a.Tor)
		return word{}, nil
	case "wipe":
		if err := w.tors.wipe(a.Tor); err != nil {
			return word{Errno: errno(err)}, nil
		}
		return word{}, nil
	case "seat":
		return given(w.seat(ctx, a.At))
	case "socket":
		return given(w.outside.socket(ctx, a.Net, a.At))
	case "datagrams":
		return given(w.outside.datagrams(ctx))
	case "outlet":
		if a.Tor != 0 {
			return given(w.tors.outlet(a.Tor))
		}
		return w.outside.leave()
	case "open":
		if open := w.config.Open[a.At]; open != nil {
			return given(open(ctx))
		}
	}
	return word{Errno: int(unix.EPERM)}, nil
}

// given is the answer with a descriptor, or with the error that there is none.
func given(f *os.File, err error) (word, *os.File) {
	if err != nil {
		return word{Errno: errno(err)}, nil
	}
	return word{}, f
}

// openLoopback opens a socket for the phone.
func openLoopback(kind, at string) (*os.File, error) {
	ap, err := netip.ParseAddrPort(at)
	if err != nil || !ap.Addr().IsLoopback() {
		return nil, unix.EPERM
	}
	if kind == "packet" {
		c, err := sockets.Loopback{}.Packet(ap)
		if err != nil {
			return nil, err
		}
		return handle(c)
	}
	l, err := sockets.Loopback{}.Stream(ap)
	if err != nil {
		return nil, err
	}
	return handle(l)
}

// handle takes the descriptor out of a socket.
func handle(c interface{ Close() error }) (*os.File, error) {
	defer c.Close()
	f, ok := c.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, unix.EPERM
	}
	return f.File()
}

// dialUnix connects to a unix socket in a directory, however long its name.
func dialUnix(ctx context.Context, dir, name string) (*os.File, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	var dialer net.Dialer
	at := filepath.Join("/proc/self/fd", number(d), name)
	c, err := dialer.DialContext(ctx, "unix", at)
	if err != nil {
		return nil, err
	}
	return handle(c)
}
