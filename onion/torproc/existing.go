// A tor that runs already and is not ours: the system's, or that of Tails or Whonix. It is spoken
// to, and neither set up, started nor ended.

package torproc

import (
	"bytes"
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

const (
	// dialIn is the longest that a socket of this machine may take to accept, or to answer.
	dialIn = 5 * time.Second
	// unixly begins the name of a unix socket.
	unixly = "unix:"
)

// A System is where a tor listens that runs already: Control and Socks as "unix:/run/tor/control"
// or "127.0.0.1:9051". Both must be on this machine and belong to the same tor.
type System struct {
	Control, Socks string
	// Password is the name of a file with the password of the control connection, on one line; ""
	// if there is none. The cookie of a tor that has one is found by its own word.
	Password string

	trusts func(uid uint32) bool // whose sockets those may be; nil means mayBeTor
}

// Existing returns the Starter of a System without a password.
func Existing(control, socks string) Starter {
	return System{Control: control, Socks: socks}.Start
}

// Start is a Starter. Whoever listens must be a user that tor may run as (on Linux; elsewhere that
// is not looked at), or nothing is said and it is ErrAway. The connection it hands on has been let
// in: who gets it needs neither cookie nor password. Of an Order only Dir and Exits count. Errors
// are ErrOption, ErrAway, ErrAuth, ErrCookie, ErrPassword and ErrDirectory.
//
// Services are served where we reach tor for SOCKS: on TCP ports of loopback, where any program of
// this machine can knock too, or on unix sockets. For these its user must be able to reach a
// directory that all users may enter and none but ours may list, with names of 128 random bits.
func (s System) Start(o Order) (Program, error) {
	if !local(s.Control) || !local(s.Socks) || len(o.Options) > 0 {
		return nil, ErrOption
	}
	if s.trusts == nil {
		s.trusts = mayBeTor
	}
	conn, err := s.connect()
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
	return &existing{dir: dir, control: conn, socks: s.Socks, exits: o.Exits, trusts: s.trusts,
		done: make(chan struct{})}, nil
}

// connect opens a control connection that has been let in.
func (s System) connect() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialIn)
	defer cancel()
	conn, err := dialLocal(ctx, s.Control, s.trusts)
	if err != nil {
		return nil, err
	}
	do(func() { err = s.enter(conn) })
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// enter has a connection let in.
func (s System) enter(conn net.Conn) error {
	password, err := s.password()
	if err != nil {
		return err
	}
	defer clear(password[:cap(password)])
	return login(conn, password)
}

// password reads the password, if there is one.
func (s System) password() ([]byte, error) {
	if s.Password == "" {
		return nil, nil
	}
	b, err := readSmall(s.Password, maxWord)
	word := bytes.TrimRight(b, "\r\n")
	if err != nil || len(word) == 0 {
		return nil, ErrPassword
	}
	return word, nil
}

// existing is a Program that others run. It counts as ended when nobody speaks with it any more.
type existing struct {
	dir     *directory
	control net.Conn
	socks   string
	exits   bool
	trusts  func(uid uint32) bool
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

func (e *existing) Dial(ctx context.Context) (net.Conn, error) {
	return dialLocal(ctx, e.socks, e.trusts)
}

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
	if name, ok := strings.CutPrefix(at, unixly); ok {
		return filepath.IsAbs(name) && !strings.ContainsAny(name, "\" ")
	}
	a, err := netip.ParseAddrPort(at)
	return err == nil && a.Addr().IsLoopback() && a.Port() != 0
}

// dialLocal connects to a socket of this machine. Before anything is said it looks whose it is.
func dialLocal(ctx context.Context, at string, trusts func(uid uint32) bool) (net.Conn, error) {
	network, name := "tcp", at
	if path, ok := strings.CutPrefix(at, unixly); ok {
		network, name = "unix", path
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, name)
	switch {
	case err == nil && owned(c, trusts):
		return c, nil
	case err == nil:
		c.Close()
		return nil, errStranger
	case os.IsPermission(err):
		return nil, ErrAuth
	case ctx.Err() != nil:
		return nil, quiet.Error(err)
	}
	return nil, ErrAway
}

// checkForeign refuses a tor whose SOCKS socket is not there, or another's: what is asked of one
// tor must not go through another.
func (p *Process) checkForeign(ctx context.Context) error {
	c, err := p.program.Dial(ctx)
	if err != nil {
		return ErrNoSocks
	}
	c.Close()
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
	return errTwo
}

// Foreign reports whether the tor is not ours.
func (p *Process) Foreign() bool { return p.foreign }

// Listen opens a socket on which tor can serve, and returns its name as ADD_ONION takes it.
func (p *Process) Listen() (net.Listener, string, error) {
	if l, ok := p.program.(interface {
		Listen() (net.Listener, string, error)
	}); ok && p.foreign && !strings.HasPrefix(foreign(p.program), unixly) {
		return l.Listen()
	}
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
	return l, unixly + name, nil
}

// Listen opens a TCP port of loopback for a tor that is reached by one.
func (e *existing) Listen() (net.Listener, string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, "", quiet.Error(err)
	}
	return l, l.Addr().String(), nil
}
