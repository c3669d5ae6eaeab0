// Opening those sockets.

package warden

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"nightjar/onion/exposure"
	"nightjar/onion/native"
	"nightjar/onion/outlet"
)

// An outside opens the sockets of one way out.
type outside struct {
	way     Way
	carrier carrier      // of device and direct
	outlet  net.Listener // of tor-over-vpn, unless each tor has its own behind a wall
	wall    *wall        // of tor-over-vpn, or nil
	login   outlet.Login
}

// A carrier is a native.Device or a native.Direct.
type carrier interface {
	Packet(ctx context.Context) (net.PacketConn, error)
	Done() <-chan struct{}
	Close() error
}

// reach makes ready what a way needs. Tors are behind the wall where the system lets there be one,
// unless it is nil. Errors are those of package native.
func reach(w Way, around *wall) (*outside, error) {
	o := &outside{way: w, login: outlet.NewLogin()}
	var err error
	switch w.Kind {
	case exposure.Device:
		o.carrier, err = native.OpenDevice(w.Name)
	case exposure.Direct:
		o.carrier, err = native.OpenDirect(w.Word)
	case exposure.TorOverVPN:
		if around != nil && around.holds() {
			o.wall = around
		} else {
			o.outlet, err = native.Loopback(0)
		}
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// torrc is what every tor of the engine is told: with tor-over-vpn, to leave by the outlet. It says
// so from the first moment, whether the engine serves there or not.
func (o *outside) torrc() []string {
	switch {
	case o.wall != nil:
		return o.login.Torrc(wallAt())
	case o.outlet != nil:
		return o.login.Torrc(o.outlet.Addr())
	}
	return nil
}

// astray reports whether nothing but its own settings keeps a tor from going past the VPN.
func (o *outside) astray() bool { return o.way.Kind == exposure.TorOverVPN && o.wall == nil }

// socket opens a socket that is connected to an address, if the way leads there.
func (o *outside) socket(ctx context.Context, network, at string) (*os.File, error) {
	to, err := netip.ParseAddrPort(at)
	if err != nil || !o.way.leads(network, to) {
		return nil, unix.EPERM
	}
	if o.way.Kind == exposure.SOCKS && network == "udp" && !relays(o.way.To, to) {
		return nil, unix.EPERM
	}
	c, err := native.Dial(ctx, network, to)
	if err != nil {
		return nil, err
	}
	return descriptor(c)
}

// datagrams opens a socket of a device or of direct.
func (o *outside) datagrams(ctx context.Context) (*os.File, error) {
	if o.carrier == nil {
		return nil, unix.EPERM
	}
	c, err := o.carrier.Packet(ctx)
	if err != nil {
		return nil, err
	}
	return descriptor(c)
}

// leave hands over the outlet; behind walls only its login, as the listeners come with the tors.
func (o *outside) leave() (word, *os.File) {
	if o.wall != nil {
		return word{User: o.login.User, Key: o.login.Password}, nil
	}
	if o.outlet == nil {
		return word{Errno: int(unix.EPERM)}, nil
	}
	l, ok := o.outlet.(interface{ File() (*os.File, error) })
	if !ok {
		return word{Errno: int(unix.EPERM)}, nil
	}
	f, err := l.File()
	if err != nil {
		return word{Errno: errno(err)}, nil
	}
	return word{User: o.login.User, Key: o.login.Password}, f
}

// lost is closed when the way has ended by itself; nil if it does not.
func (o *outside) lost() <-chan struct{} {
	if o.carrier == nil {
		return nil
	}
	return o.carrier.Done()
}

// watch tells the engine when the way has ended, and when the network has changed.
func (o *outside) watch(ctx context.Context, l *line) {
	if o.way == (Way{}) || o.way.Kind == exposure.Tor {
		return // tor looks after itself
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-o.lost():
			_ = l.say(word{Lost: true}, nil)
			cancel()
		case <-ctx.Done():
		}
	}()
	native.Watch(ctx, func() { _ = l.say(word{Moved: true}, nil) })
}

func (o *outside) close() {
	if o.carrier != nil {
		o.carrier.Close()
	}
	if o.outlet != nil {
		o.outlet.Close()
	}
}

// descriptor takes the descriptor out of a socket whatever is around it, and ends the rest.
func descriptor(c interface{ Close() error }) (f *os.File, err error) {
	defer c.Close()
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil, unix.EPERM
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil, unix.EPERM
	}
	if cerr := raw.Control(func(fd uintptr) {
		var second int
		if second, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			f = os.NewFile(uintptr(second), "given")
		}
	}); cerr != nil {
		return nil, unix.EPERM
	}
	return f, err
}
