// A tor that runs already and is not ours: the system's, or that of Tails or Whonix. It is spoken
// to, and neither set up, started nor ended.

package torproc

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"nightjar/onion/quiet"
)

// dialIn is the longest that a socket of this machine may take to accept.
const dialIn = 5 * time.Second

// Existing returns a Starter that uses a tor which runs already: control and socks are where it
// listens, as "unix:/run/tor/control" or "127.0.0.1:9051". Both must be on this machine (else
// ErrOption) and belong to the same tor. Of an Order only Dir counts. Errors are ErrOption,
// ErrAway, ErrAuth and ErrDirectory.
//
// Its user must be able to reach the sockets on which services are served: they are in a directory
// that all users may enter and none but ours may list, by names of 128 random bits.
func Existing(control, socks string) Starter {
	return func(o Order) (Program, error) {
		if !local(control) || !local(socks) || len(o.Options) > 0 {
			return nil, ErrOption
		}
		ctx, cancel := context.WithTimeout(context.Background(), dialIn)
		defer cancel()
		conn, err := dialLocal(ctx, control)
		if err != nil {
			return nil, err
		}
		dir, err := makeDirectory(o.Dir)
		if err != nil {
			conn.Close()
			return nil, err
		}
		for _, name := range []string{dir.path, dir.file("s")} {
			if os.Chmod(name, 0o711) != nil {
				conn.Close()
				dir.wipe()
				return nil, ErrDirectory
			}
		}
		return &existing{dir: dir, control: conn, socks: socks, done: make(chan struct{})}, nil
	}
}

// existing is a Program that others run. It counts as ended when nobody speaks with it any more.
type existing struct {
	dir     *directory
	control net.Conn
	socks   string
	done    chan struct{}
	once    sync.Once
}

func (e *existing) Control() net.Conn     { return e.control }
func (e *existing) Dir() string           { return e.dir.path }
func (e *existing) Done() <-chan struct{} { return e.done }
func (e *existing) Refused() bool         { return false }
func (e *existing) Kill()                 { e.once.Do(func() { close(e.done) }) }
func (e *existing) Wipe() error           { return e.dir.wipe() }
func (e *existing) PID() int              { return 0 }

func (e *existing) Dial(ctx context.Context) (net.Conn, error) { return dialLocal(ctx, e.socks) }

// Foreign returns where the tor listens for SOCKS.
func (e *existing) Foreign() string { return e.socks }

// foreign returns where a Program that is not ours listens for SOCKS, or "" of one that is: whoever
// starts a foreign one gives it a method Foreign that says so.
func foreign(p Program) string {
	if f, ok := p.(interface{ Foreign() string }); ok {
		return f.Foreign()
	}
	return ""
}

// local reports whether a socket is on this machine.
func local(at string) bool {
	if name, ok := strings.CutPrefix(at, "unix:"); ok {
		return filepath.IsAbs(name) && !strings.ContainsAny(name, "\" ")
	}
	a, err := netip.ParseAddrPort(at)
	return err == nil && a.Addr().IsLoopback() && a.Port() != 0
}

func dialLocal(ctx context.Context, at string) (net.Conn, error) {
	network, name := "tcp", at
	if path, ok := strings.CutPrefix(at, "unix:"); ok {
		network, name = "unix", path
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, name)
	switch {
	case err == nil:
		return c, nil
	case os.IsPermission(err):
		return nil, ErrAuth
	case ctx.Err() != nil:
		return nil, quiet.Error(err)
	}
	return nil, ErrAway
}

// checkForeign refuses a tor whose SOCKS socket is another's: what is asked of one tor must not go
// through another.
func (p *Process) checkForeign() error {
	listens, err := p.talk.info("net/listeners/socks")
	if err != nil {
		return err
	}
	want := `"` + foreign(p.program) + `"`
	for _, at := range strings.Fields(listens) {
		if at == want {
			return nil
		}
	}
	return ErrUnsafe
}

// Foreign reports whether the tor is not ours.
func (p *Process) Foreign() bool { return p.foreign }

// Listen opens a socket on which tor can serve, and returns its name.
func (p *Process) Listen() (net.Listener, string, error) {
	name := p.Socket()
	listen := func() (net.Listener, error) { return net.Listen("unix", name) }
	if p.foreign {
		private := listen
		listen = func() (net.Listener, error) { return openly(private) }
	}
	l, err := listen()
	if err != nil {
		return nil, "", quiet.Error(err)
	}
	return l, name, nil
}
