// A tor that the warden runs, as the engine sees it.

package warden

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"nightjar/onion/torproc"
)

// A tor is a torproc.Program in another process.
type tor struct {
	ward    *Ward
	id, pid int
	dir     string
	control net.Conn
	done    chan struct{}
	refused bool         // once done
	foreign string       // "" if it is ours
	outlet  net.Listener // behind a wall, or nil
}

// StartTor has the warden start a tor; it is a torproc.Starter. The program and the settings are
// the user's; options can add bridges to them.
func (w *Ward) StartTor(o torproc.Order) (torproc.Program, error) {
	got, err := w.ask(context.Background(), ask{Do: "tor", State: o.State, Options: o.Options})
	if err != nil {
		return nil, torproc.ErrDied
	}
	if got.Why != "" {
		return nil, cause(got.Why)
	}
	if got.with == nil {
		return nil, torproc.ErrDied
	}
	defer got.with.Close()
	control, err := net.FileConn(got.with)
	if err != nil {
		return nil, torproc.ErrDied
	}
	t := &tor{ward: w, id: got.Tor, pid: got.PID, dir: got.Dir, control: control,
		foreign: got.Foreign, done: make(chan struct{})}
	if t.outlet, err = w.outlet(t.id); err != nil {
		control.Close() // which ends it
		return nil, torproc.ErrDied
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	end, over := w.left[t.id]
	delete(w.left, t.id)
	if over || w.asks == nil {
		t.end(end.Refused)
	} else {
		w.tors[t.id] = t
	}
	return t, nil
}

// end says that the process is gone; once.
func (t *tor) end(refused bool) {
	t.refused = refused
	if t.outlet != nil {
		t.outlet.Close()
	}
	close(t.done)
}

func (t *tor) Control() net.Conn     { return t.control }
func (t *tor) Dir() string           { return t.dir }
func (t *tor) Done() <-chan struct{} { return t.done }
func (t *tor) Refused() bool         { return t.refused }
func (t *tor) PID() int              { return t.pid }
func (t *tor) Foreign() string       { return t.foreign }

func (t *tor) Kill() {
	_, _ = t.ward.ask(context.Background(), ask{Do: "kill", Tor: t.id})
}

// Wipe has the warden remove what tor left. If the warden is gone, the next one does.
func (t *tor) Wipe() error {
	if _, err := t.ward.ask(context.Background(), ask{Do: "wipe", Tor: t.id}); err != nil {
		return torproc.ErrDirectory
	}
	return nil
}

func (t *tor) Dial(ctx context.Context) (net.Conn, error) { return t.connect(ctx, "socks") }

// DialExit is torproc.ErrNoExits unless the user allowed streams to leave the network.
func (t *tor) DialExit(ctx context.Context) (net.Conn, error) {
	c, err := t.connect(ctx, "exit")
	if errors.Is(err, syscall.EPERM) {
		err = torproc.ErrNoExits
	}
	return c, err
}

func (t *tor) connect(ctx context.Context, socket string) (net.Conn, error) {
	select {
	case <-t.done:
		return nil, syscall.ECONNREFUSED
	default:
	}
	return t.ward.connect(ctx, ask{Do: socket, Tor: t.id})
}

// Listen asks for a TCP port of loopback, on which a tor that is not ours can serve.
func (t *tor) Listen() (net.Listener, string, error) {
	l, err := t.ward.Stream(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0))
	if err != nil {
		return nil, "", err
	}
	return l, l.Addr().String(), nil
}
