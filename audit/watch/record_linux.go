// The recorder: every packet that leaves by any interface, counted by flow.

package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Errors of a recorder.
var (
	ErrBlind = errors.New("packets cannot be recorded here")
	ErrLost  = errors.New("the recorder lost packets")
)

const (
	queueBytes = 64 << 20 // of packets that are not read yet
	headBytes  = 256      // of a packet that are looked at
	maxFlows   = 200_000  // remembered at once
	again      = time.Second
	idle       = 50 * time.Millisecond
	lookEvery  = 250 * time.Millisecond
	syncTime   = 10 * time.Second
)

// A Flow is all packets that went one way between two addresses.
type Flow struct {
	Interface string         `json:"interface"`
	Proto     byte           `json:"proto"`
	Type      byte           `json:"type,omitempty"` // of ICMP and IGMP; of TCP whether it resets
	Options   bool           `json:"-"`
	From      netip.AddrPort `json:"from"`
	To        netip.AddrPort `json:"to"`
	Owner     Owner          `json:"owner"`
	Peer      Owner          `json:"peer"` // on loopback: who gets it
	Packets   int            `json:"packets"`
	Bytes     int            `json:"bytes"`
	First     time.Time      `json:"first"`
}

// A Door is a socket of somebody through which others could come in.
type Door struct {
	Owner  Owner          `json:"owner"`
	Proto  byte           `json:"proto"`
	At     netip.AddrPort `json:"at"`
	Listen bool           `json:"listens"`
	Raw    bool           `json:"raw,omitempty"`
}

// flowKey tells flows apart.
type flowKey struct {
	link     int
	proto    byte
	kind     byte
	from, to netip.AddrPort
}

// ends are the two owners of a flow, and when they were last looked up.
type ends struct {
	owner, peer Owner
	at          time.Time
	tries       int
}

// A Recorder records from Open to Close.
type Recorder struct {
	fd    int
	stop  chan struct{}
	ended chan struct{}
	pulse *net.UDPConn // what Sync sends

	// Only the recording goroutine uses these.
	procs   *processes
	sockets []Socket
	known   map[flowKey]*ends
	links   map[int]string

	mu    sync.Mutex
	flows map[flowKey]*Flow
	doors map[Door]bool
	heard uint64 // pulses
	more  chan struct{}
	fault error
	lost  int
}

// Open begins to record. It needs CAP_NET_RAW in the network namespace.
func Open(name Namer) (*Recorder, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC,
		int(swapped(unix.ETH_P_ALL)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBlind, err)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, queueBytes) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, queueBytes)
	}
	pulse, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(pulseAt()))
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%w: no loopback", ErrBlind)
	}
	r := &Recorder{fd: fd, pulse: pulse, stop: make(chan struct{}), ended: make(chan struct{}),
		procs: newProcesses(name), known: map[flowKey]*ends{}, links: map[int]string{},
		flows: map[flowKey]*Flow{}, doors: map[Door]bool{}, more: make(chan struct{})}
	go r.record()
	return r, nil
}

// pulseAt is where pulses are sent: loopback, and nobody listens.
func pulseAt() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.99:9") }

func swapped(n uint16) uint16 { return n<<8 | n>>8 }

// Close ends the recording.
func (r *Recorder) Close() {
	close(r.stop)
	<-r.ended
	r.pulse.Close()
	unix.Close(r.fd)
}

// record reads until it is stopped.
func (r *Recorder) record() {
	defer close(r.ended)
	b := make([]byte, headBytes)
	var looked time.Time
	for {
		select {
		case <-r.stop:
			return
		default:
		}
		if now := time.Now(); now.Sub(looked) > lookEvery {
			looked = now
			r.look()
		}
		ready := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(ready, int(idle/time.Millisecond)); n < 1 || err != nil {
			continue
		}
		for r.read(b) {
		}
	}
}

// read takes one packet off the queue, and reports whether there was one.
func (r *Recorder) read(b []byte) bool {
	n, from, err := unix.Recvfrom(r.fd, b, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
	if errors.Is(err, unix.ENETDOWN) {
		return true // an interface went; what it had sent is still to be read
	}
	if err != nil {
		return false
	}
	link, ok := from.(*unix.SockaddrLinklayer)
	if !ok || link.Pkttype != unix.PACKET_OUTGOING {
		return true
	}
	p, ok := Parse(b[:min(n, len(b))])
	if !ok {
		p = Packet{Proto: 255, Type: byte(swapped(link.Protocol))}
	}
	r.note(link.Ifindex, p, n)
	return true
}

// note counts one packet.
func (r *Recorder) note(link int, p Packet, size int) {
	kind := p.Type
	if p.Proto == TCP {
		kind = p.Type & flagRST
	}
	k := flowKey{link, p.Proto, kind, p.From, p.To}
	if p.Proto == UDP && p.To == pulseAt() && p.From == addrPort(r.pulse.LocalAddr()) {
		r.mu.Lock()
		r.heard++
		close(r.more)
		r.more = make(chan struct{})
		r.mu.Unlock()
		return
	}
	e := r.owners(k, p)
	name := r.linkName(link)
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.flows[k]
	if f == nil {
		if len(r.flows) >= maxFlows {
			r.fault = ErrLost
			return
		}
		f = &Flow{Interface: name, Proto: p.Proto, Type: kind, Options: p.Options, From: p.From,
			To: p.To, First: time.Now()}
		r.flows[k] = f
	}
	f.Owner, f.Peer = e.owner, e.peer
	f.Packets++
	f.Bytes += size
}

// maxTries is how often a packet without an owner is asked about again.
const maxTries = 6

// owners finds both ends of a flow, or remembers them.
func (r *Recorder) owners(k flowKey, p Packet) *ends {
	now := time.Now()
	e := r.known[k]
	fresh := p.Proto == TCP && p.Type&(flagSYN|flagACK) == flagSYN
	switch {
	case e == nil:
		if len(r.known) > maxFlows {
			clear(r.known)
		}
		e = &ends{}
		r.known[k] = e
	case fresh:
		*e = ends{}
	case e.owner == (Owner{}) && e.tries < maxTries:
	case p.Proto == TCP || now.Sub(e.at) < again:
		return e
	}
	e.at = now
	e.tries++
	if o := r.holder(k.proto, k.from, k.to); o != (Owner{}) {
		e.owner = o
	}
	if r.linkName(k.link) == "lo" {
		if o := r.holder(k.proto, k.to, k.from); o != (Owner{}) {
			e.peer = o
		}
	}
	return e
}

// holder says who holds the socket at the local end. It looks among the sockets known, then anew.
func (r *Recorder) holder(proto byte, local, remote netip.AddrPort) Owner {
	for try := range 2 {
		s, ok := find(r.sockets, proto, local, remote)
		if !ok && rawly(proto) {
			s, ok = r.raw(proto)
		}
		if ok {
			if all := r.procs.holders(s.Inode); len(all) > 0 {
				return all[len(all)-1]
			}
		}
		if try == 0 {
			r.refresh()
		}
	}
	return Owner{}
}

// rawly reports whether a protocol is spoken by raw sockets, which have no port to tell them apart.
func rawly(proto byte) bool { return proto != TCP && proto != UDP }

// raw picks a raw socket; if there are several, whose packet it is remains open.
func (r *Recorder) raw(proto byte) (found Socket, ok bool) {
	n := 0
	for _, s := range r.sockets {
		if s.Raw || s.Proto == proto {
			found = s
			n++
		}
	}
	return found, n == 1
}

// refresh reads the kernel's tables.
func (r *Recorder) refresh() {
	all, err := readSockets()
	if err != nil {
		r.mu.Lock()
		r.fault = err
		r.mu.Unlock()
		return
	}
	r.sockets = all
}

// look is done now and then: it meets new processes, and looks at whose doors are open.
func (r *Recorder) look() {
	r.procs.look()
	r.refresh()
	if stats, err := unix.GetsockoptTpacketStats(r.fd, unix.SOL_PACKET,
		unix.PACKET_STATISTICS); err == nil {
		r.mu.Lock()
		r.lost += int(stats.Drops)
		r.mu.Unlock()
	}
	for _, s := range r.sockets {
		if s.Inode == 0 || s.Proto == TCP && !s.Listens {
			continue
		}
		all := r.procs.holders(s.Inode)
		r.mu.Lock()
		for _, o := range all {
			r.doors[Door{o, s.Proto, s.Local, s.Listens, s.Raw}] = true
		}
		r.mu.Unlock()
	}
}

func (r *Recorder) linkName(link int) string {
	if name, ok := r.links[link]; ok {
		return name
	}
	name := fmt.Sprintf("interface %d", link)
	if i, err := net.InterfaceByIndex(link); err == nil {
		name = i.Name
		r.links[link] = name
	}
	return name
}

func addrPort(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := u.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// Sync returns when every packet that was sent before has been recorded. Errors are ErrLost, when
// any was not, and that of ctx.
func (r *Recorder) Sync(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, syncTime, ErrLost)
	defer cancel()
	r.mu.Lock()
	was := r.heard
	r.mu.Unlock()
	_, _ = r.pulse.Write([]byte{1}) // refused: nobody listens
	for {
		r.mu.Lock()
		heard, more, fault, lost := r.heard, r.more, r.fault, r.lost
		r.mu.Unlock()
		switch {
		case fault != nil:
			return fault
		case lost > 0:
			return fmt.Errorf("%w: %d", ErrLost, lost)
		case heard > was:
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Take returns what was recorded since it was last called, after a Sync.
func (r *Recorder) Take(ctx context.Context) (flows []Flow, doors []Door, err error) {
	err = r.Sync(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.flows {
		flows = append(flows, *f)
	}
	for d := range r.doors {
		doors = append(doors, d)
	}
	r.flows, r.doors = map[flowKey]*Flow{}, map[Door]bool{}
	return flows, doors, err
}
