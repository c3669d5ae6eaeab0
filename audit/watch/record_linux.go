// The recorder: every packet that leaves by any interface, counted by flow.

package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"nightjar/audit/watch/held"
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
	maxBatch   = 1024
	maxTries   = 6    // how often a flow without an owner is asked about again
	priority   = 10   // of the thread that reads, where it may have one
	unknown    = 0xff // a protocol that is not IP
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
	tries       int // while packets came
	again       int // afterwards
}

// A Recorder records from Open to Close.
type Recorder struct {
	fd    int
	stop  chan struct{}
	ended chan struct{}
	pulse *net.UDPConn // what Sync sends

	// Only the recording goroutine uses these.
	procs   *processes
	sockets []held.Socket
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
	// Not connected: it must not be told that nobody listens there.
	pulse, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
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

// record reads until it is stopped. Packets are taken in batches: what a batch needs to know of
// sockets is asked once, so that the recorder catches up the faster the further it is behind.
func (r *Recorder) record() {
	defer close(r.ended)
	runtime.LockOSThread() // for its priority; the thread ends with this goroutine
	hurry()
	b := make([]byte, headBytes)
	var looked time.Time
	var batch []seen
	for {
		select {
		case <-r.stop:
			return
		default:
		}
		if now := time.Now(); now.Sub(looked) > lookEvery {
			looked = now
			r.look()
			r.late()
		}
		ready := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(ready, int(idle/time.Millisecond)); n < 1 || err != nil {
			continue
		}
		batch = batch[:0]
		for len(batch) < maxBatch {
			s, more := r.read(b)
			if !more {
				break
			}
			if s.size > 0 {
				batch = append(batch, s)
			}
		}
		r.resolve(batch)
		r.count(batch)
	}
}

// hurry lets this thread run before others, where that is allowed: a socket that is open for a
// moment only is looked up in time.
func hurry() {
	attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: priority}
	if unix.SchedSetAttr(0, attr, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -priority)
	}
}

// seen is one packet that was sent.
type seen struct {
	key    flowKey
	packet Packet
	size   int
}

// read takes one packet off the queue, and reports whether there was one. The size of those that do
// not count is 0.
func (r *Recorder) read(b []byte) (s seen, more bool) {
	n, from, err := unix.Recvfrom(r.fd, b, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
	if errors.Is(err, unix.ENETDOWN) {
		return s, true // an interface went; what it had sent is still to be read
	}
	if err != nil {
		return s, false
	}
	link, ok := from.(*unix.SockaddrLinklayer)
	if !ok || link.Pkttype != unix.PACKET_OUTGOING {
		return s, true
	}
	p, ok := Parse(b[:min(n, len(b))])
	if !ok {
		p = Packet{Proto: unknown, Type: byte(swapped(link.Protocol))}
	}
	kind := p.Type
	if p.Proto == TCP {
		kind = p.Type & flagRST
	}
	return seen{flowKey{link.Ifindex, p.Proto, kind, p.From, p.To}, p, max(n, 1)}, true
}

// count adds packets to their flows.
func (r *Recorder) count(batch []seen) {
	pulse := addrPort(r.pulse.LocalAddr())
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range batch {
		k := s.key
		if k.proto == UDP && k.to == pulseAt() && k.from == pulse {
			r.heard++
			close(r.more)
			r.more = make(chan struct{})
			continue
		}
		f := r.flows[k]
		if f == nil {
			if len(r.flows) >= maxFlows {
				r.fault = ErrLost
				return
			}
			f = &Flow{Interface: r.linkName(k.link), Proto: k.proto, Type: k.kind,
				Options: s.packet.Options, From: k.from, To: k.to, First: time.Now()}
			r.flows[k] = f
		}
		f.Owner, f.Peer = r.known[k].owner, r.known[k].peer
		f.Packets++
		f.Bytes += s.size
	}
	if len(r.known) > maxFlows {
		clear(r.known)
	}
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
	if _, err := r.pulse.WriteToUDPAddrPort([]byte{1}, pulseAt()); err != nil {
		return fmt.Errorf("%w: no loopback", ErrBlind)
	}
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
