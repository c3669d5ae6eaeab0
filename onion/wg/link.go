// The one socket by which a VPN's packets leave.

package wg

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.zx2c4.com/wireguard/conn"
)

const (
	// silence is how long a packet goes without any that comes back before the socket is replaced:
	// the address it was opened at may be gone without an error. WireGuard's own measure of the
	// same thing, after which it asks for a new handshake, is as long.
	silence = 15 * time.Second
	// keepalive is the size of the packets that nobody answers.
	keepalive = 32
	// retries of opening a socket begin soon, and get rarer.
	firstRetry = 200 * time.Millisecond
	lastRetry  = 3 * time.Second
)

var errNoSocket = errors.New("no socket to the VPN at the moment")

// A link is a WireGuard bind of one connected socket. Packets go to its endpoint or nowhere: a peer
// that seems to be elsewhere is not followed.
type link struct {
	to             netip.AddrPort
	sent, received atomic.Uint64
	sockets        atomic.Int64
	waiting        atomic.Int64  // since when an answer is, in nanoseconds since 1970; or 0
	silent         atomic.Int64  // the same, whatever sockets were tried since
	wanted         chan struct{} // holds one wish for a new socket
	over           chan struct{} // closed by end
	once           sync.Once
	work           sync.WaitGroup

	mu      sync.Mutex
	sock    net.Conn      // nil while there is none
	changed chan struct{} // closed when sock or open changes
	open    bool          // WireGuard reads
}

func newLink(to netip.AddrPort, first net.Conn) *link {
	l := &link{to: to, sock: first, wanted: make(chan struct{}, 1), over: make(chan struct{}),
		changed: make(chan struct{})}
	l.sockets.Store(1)
	return l
}

// change sets something that readers look at, and wakes them.
func (l *link) change(set func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *link) state() (sock net.Conn, open bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sock, l.open, l.changed
}

// renew asks for a new socket.
func (l *link) renew() {
	select {
	case l.wanted <- struct{}{}:
	default:
	}
}

// keep replaces the socket when that is wanted, until the link ends; greet is called after each.
func (l *link) keep(open Opener, greet func()) {
	l.work.Go(func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		l.work.Go(func() {
			select {
			case <-l.over:
				cancel()
			case <-ctx.Done():
			}
		})
		tick := time.NewTicker(silence / 4)
		defer tick.Stop()
		for {
			select {
			case <-l.over:
				return
			case <-l.wanted:
			case now := <-tick.C:
				if !l.unheard(now) {
					continue
				}
			}
			if l.replace(ctx, open) {
				greet()
			}
		}
	})
}

// unheard reports whether packets leave, and none has come for a while.
func (l *link) unheard(now time.Time) bool {
	since := l.waiting.Load()
	return since > 0 && now.UnixNano()-since > int64(silence)
}

// replace gives up the socket, and opens another as soon as that can be done.
func (l *link) replace(ctx context.Context, open Opener) bool {
	l.put(nil)
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		sock, err := open(ctx, l.to)
		if err == nil {
			l.sockets.Add(1)
			l.waiting.Store(0)
			return l.put(sock)
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.over:
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// put sets the socket to be used, and closes the one before.
func (l *link) put(sock net.Conn) bool {
	var old net.Conn
	ended := false
	l.change(func() {
		select {
		case <-l.over:
			old, ended = sock, true
		default:
			old, l.sock = l.sock, sock
		}
	})
	if old != nil {
		old.Close()
	}
	return !ended
}

// end closes the socket for good and returns when nobody works on another.
func (l *link) end() {
	l.once.Do(func() {
		var old net.Conn
		l.change(func() {
			close(l.over)
			old, l.sock, l.open = l.sock, nil, false
		})
		if old != nil {
			old.Close()
		}
	})
	l.work.Wait()
}

// Open lets WireGuard read. The port is the socket's own affair.
func (l *link) Open(uint16) ([]conn.ReceiveFunc, uint16, error) {
	l.change(func() { l.open = true })
	if sock, _, _ := l.state(); sock != nil {
		sock.SetReadDeadline(time.Time{})
	}
	return []conn.ReceiveFunc{l.receive}, 0, nil
}

// Close ends WireGuard's reading. WireGuard also calls it before Open.
func (l *link) Close() error {
	l.change(func() { l.open = false })
	if sock, _, _ := l.state(); sock != nil {
		return sock.SetReadDeadline(time.Unix(1, 0))
	}
	return nil
}

// receive reads packets: one at least. It fails only when WireGuard is to stop reading.
func (l *link) receive(bufs [][]byte, sizes []int, from []conn.Endpoint) (int, error) {
	for errs := 0; ; {
		sock, open, changed := l.state()
		switch {
		case !open:
			return 0, net.ErrClosed
		case sock == nil:
			<-changed
			continue
		}
		n, err := readMany(sock, bufs, sizes)
		if n > 0 {
			l.received.Add(uint64(n))
			l.waiting.Store(0)
			l.silent.Store(0)
			for i := range n {
				from[i] = endpoint(l.to)
			}
			return n, nil
		}
		// A network that reports the endpoint as unreachable does so by an error of the socket.
		if errs++; !passing(err) || errs > 64 {
			l.lose(sock)
		}
	}
}

// lose stops the use of a socket that does not work, and asks for another.
func (l *link) lose(sock net.Conn) {
	used := false
	l.change(func() {
		if used = l.open && l.sock == sock; used {
			l.sock = nil
		}
	})
	if used {
		sock.Close()
		l.renew()
	}
}

// Send sends packets to the endpoint, whatever WireGuard believes where its peer is.
func (l *link) Send(bufs [][]byte, _ conn.Endpoint) error {
	sock, _, _ := l.state()
	now := time.Now().UnixNano()
	if sock == nil {
		l.silent.CompareAndSwap(0, now)
		return errNoSocket
	}
	for _, b := range bufs {
		if len(b) > keepalive {
			l.waiting.CompareAndSwap(0, now)
			l.silent.CompareAndSwap(0, now)
		}
		_, err := sock.Write(b)
		if errors.Is(err, syscall.ECONNREFUSED) {
			_, err = sock.Write(b) // the error was an earlier packet's
		}
		switch {
		case err == nil:
			l.sent.Add(1)
		case !passing(err):
			l.lose(sock)
			return errNoSocket
		}
	}
	return nil
}

// passing reports whether a socket can go on after an error: the packet is lost, no more.
func passing(err error) bool {
	for _, e := range []error{syscall.ECONNREFUSED, syscall.EAGAIN, syscall.ENOBUFS,
		syscall.EMSGSIZE, syscall.EPERM, syscall.EACCES, syscall.ECONNRESET} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// SetMark does nothing: the socket is not ours to mark.
func (l *link) SetMark(uint32) error { return nil }

// BatchSize returns how many packets receive can read at once.
func (l *link) BatchSize() int { return atOnce }

// ParseEndpoint takes the one endpoint that the socket leads to.
func (l *link) ParseEndpoint(s string) (conn.Endpoint, error) {
	if a, err := netip.ParseAddrPort(s); err != nil || a != l.to {
		return nil, ErrSettings
	}
	return endpoint(l.to), nil
}

// An endpoint is where packets go; there is one.
type endpoint netip.AddrPort

func (e endpoint) ClearSrc()           {}
func (e endpoint) SrcToString() string { return "" }
func (e endpoint) SrcIP() netip.Addr   { return netip.Addr{} }
func (e endpoint) DstIP() netip.Addr   { return netip.AddrPort(e).Addr() }
func (e endpoint) DstToString() string { return netip.AddrPort(e).String() }

// DstToBytes returns the address for WireGuard's cookies.
func (e endpoint) DstToBytes() []byte {
	b, _ := netip.AddrPort(e).MarshalBinary()
	return b
}

// readOne reads one packet.
func readOne(sock net.Conn, bufs [][]byte, sizes []int) (int, error) {
	n, err := sock.Read(bufs[0])
	if err != nil {
		return 0, err
	}
	sizes[0] = n
	return 1, nil
}
