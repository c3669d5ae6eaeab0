// The sockets of phones, and to whom they may speak.

package warden

import (
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"nightjar/sip/sockets"
)

// maxPhones is how many UDP sockets for phones an engine can have at a time.
const maxPhones = 128

// phones are the UDP sockets that an engine was handed, by their addresses. A copy of each is kept,
// for as long as the engine has it, and nothing is read from it: no other engine can have the
// address in that time, so that this one answers in nobody else's name.
type phones struct {
	mu   sync.Mutex
	open map[netip.AddrPort]*os.File
	// handing is held for reading while a descriptor is on its way: until it has arrived there is
	// one here too, and the address is not free.
	handing sync.RWMutex
}

// hand notes that what is asked for will be handed over, until the function it returns is called.
func (p *phones) hand(ask string) (done func()) {
	if ask != "packet" && ask != "answer" {
		return func() {}
	}
	p.handing.RLock()
	return p.handing.RUnlock
}

// packet opens a socket for phones. It is for hearing: the engine has no system call by which it
// could name whom to send to.
func (p *phones) packet(at string) (*os.File, error) {
	f, err := openLoopback("packet", at)
	if err != nil {
		return nil, err
	}
	where, err := boundTo(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	second, err := again(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = map[netip.AddrPort]*os.File{}
	}
	if len(p.open) >= maxPhones || p.open[where] != nil {
		f.Close()
		second.Close()
		return nil, unix.EMFILE
	}
	p.open[where] = second
	return f, nil
}

// answer opens a socket that is connected to a phone, at the address of one that the engine has.
func (p *phones) answer(at, to string) (*os.File, error) {
	from, err := netip.ParseAddrPort(at)
	phone, perr := netip.ParseAddrPort(to)
	if err != nil || perr != nil {
		return nil, unix.EPERM
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	main := p.open[from]
	if main == nil {
		return nil, unix.EPERM
	}
	raw, err := main.SyscallConn()
	if err != nil {
		return nil, unix.EPERM
	}
	c, err := sockets.Answer(raw, from, phone)
	if err != nil {
		return nil, err
	}
	return handle(c)
}

// drop forgets a socket that the engine has closed.
func (p *phones) drop(at string) {
	p.handing.Lock()
	defer p.handing.Unlock()
	from, err := netip.ParseAddrPort(at)
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.open[from]; err == nil && f != nil {
		f.Close()
		delete(p.open, from)
	}
}

func (p *phones) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at, f := range p.open {
		f.Close()
		delete(p.open, at)
	}
}

// boundTo returns the address of a socket.
func boundTo(f *os.File) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(int(f.Fd()))
	if err != nil {
		return netip.AddrPort{}, err
	}
	in, ok := sa.(*unix.SockaddrInet4)
	if !ok {
		return netip.AddrPort{}, unix.EPERM
	}
	return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port)), nil
}

// again returns a second descriptor of the same socket.
func again(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "phone"), nil
}
