// Roaming on real sockets: a side whose sockets are closed and opened elsewhere under load, while a
// thief who sees every packet tries to have the session come to it.

package datagram

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/proof"
)

// A wanderer is a carrier whose socket changes. While it has none, nothing leaves.
type wanderer struct {
	mu    sync.Mutex
	sock  *net.UDPConn  // nil during an outage
	next  chan struct{} // holds one when there is another socket
	gone  chan struct{}
	once  sync.Once
	wires [][]byte // what has left
}

func newWanderer(c *net.UDPConn) *wanderer {
	return &wanderer{sock: c, next: make(chan struct{}, 1), gone: make(chan struct{})}
}

// leave closes the socket, settle goes on with another.
func (w *wanderer) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sock.Close()
	w.sock = nil
}

func (w *wanderer) settle(c *net.UDPConn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sock = c
	signal(w.next)
}

func (w *wanderer) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		w.mu.Lock()
		c := w.sock
		w.mu.Unlock()
		if c != nil {
			if n, from, err := c.ReadFrom(b); err == nil {
				return n, from, nil
			}
		}
		select {
		case <-w.next:
		case <-w.gone:
			return 0, nil, net.ErrClosed
		}
	}
}

func (w *wanderer) WriteTo(b []byte, to net.Addr) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sock == nil {
		return 0, net.ErrClosed
	}
	n, err := w.sock.WriteTo(b, to)
	if err == nil && len(w.wires) < 20_000 {
		w.wires = append(w.wires, bytes.Clone(b))
	}
	return n, err
}

func (w *wanderer) Close() error {
	w.once.Do(func() { close(w.gone) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sock != nil {
		w.sock.Close()
	}
	return nil
}

// overheard is one of the packets that have left.
func (w *wanderer) overheard() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wires) == 0 {
		return nil
	}
	return w.wires[mrand.IntN(len(w.wires))]
}

func (w *wanderer) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (w *wanderer) SetDeadline(time.Time) error      { return nil }
func (w *wanderer) SetReadDeadline(time.Time) error  { return nil }
func (w *wanderer) SetWriteDeadline(time.Time) error { return nil }

// socketAt is a socket at a loopback address; Linux has all of 127.0.0.0/8.
func socketAt(t *testing.T, host string) *net.UDPConn {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A numbered is datagrams with numbers that go one way: when each left and came.
type numbered struct {
	mu         sync.Mutex
	left, came []time.Time // zero for what did not come
}

// number sends three datagrams each 4 ms until stop closes.
func number(t *testing.T, from, to *Conn, stop <-chan struct{}) *numbered {
	n := new(numbered)
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(4 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				<-time.After(time.Second)
				from.SendMessage(t.Context(), []byte("end"))
				return
			case <-tick.C:
			}
			for range 3 {
				from.SendDatagram(binary.BigEndian.AppendUint32(nil, n.leave()))
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	group.Go(func() {
		for {
			d, err := to.ReceiveDatagram(ctx)
			if err != nil {
				return
			}
			n.arrive(binary.BigEndian.Uint32(d))
		}
	})
	if _, err := to.ReceiveMessage(t.Context()); err != nil {
		t.Error(err)
	}
	cancel()
	group.Wait()
	return n
}

func (n *numbered) leave() uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left, n.came = append(n.left, time.Now()), append(n.came, time.Time{})
	return uint32(len(n.left) - 1)
}

func (n *numbered) arrive(i uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.came[i] = time.Now()
}

// An outage is from when a socket was closed to when the next one was open.
type outage struct{ from, to time.Time }

// gaps looks at each row of numbers that did not come: it must lie around an outage. It returns how
// many there are, and how many do not.
func (n *numbered) gaps(outages []outage) (all, wrong int) {
	last := 0 // of those that came
	for i := range n.came {
		if n.came[i].IsZero() {
			continue
		}
		if i > last+1 {
			all++
			if !slices.ContainsFunc(outages, func(o outage) bool {
				return !n.left[last].After(o.to) && !n.came[i].Before(o.from)
			}) {
				wrong++
			}
		}
		last = i
	}
	return all, wrong
}

// steal throws what has left w at the far side again, and forgeries of it, from an address of its
// own, until stop closes. It returns how often the session came to it, or anything else.
func steal(t *testing.T, w *wanderer, b *Conn, at netip.AddrPort, host string,
	stop <-chan struct{}) (moved int, fool naive) {
	c := socketAt(t, host)
	thief := c.LocalAddr().(*net.UDPAddr).AddrPort()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if _, _, err := c.ReadFrom(make([]byte, 2048)); err == nil {
				moved++
			}
			return moved, fool
		case <-tick.C:
		}
		wire := w.overheard()
		if wire == nil {
			continue
		}
		fool.take(func([]byte) bool { return false }, wire, thief)
		c.WriteToUDPAddrPort(wire, at)
		forged := bytes.Clone(wire)
		forged[len(forged)-1] ^= 1
		c.WriteToUDPAddrPort(forged, at)
		if to, _ := b.addr(); to == thief {
			moved++
		}
	}
}

// wander has one session move so many times, each to another address and after an outage.
func wander(t *testing.T, who, moves int) {
	socket := socketAt(t, "127.0.0.1")
	at := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	w := newWanderer(socketAt(t, fmt.Sprintf("127.0.%d.1", who+1)))
	aKey, bKey := proof.NewKey(t), proof.NewKey(t)
	var root, psk [32]byte
	rand.Read(root[:])
	pa := tunnel.Peer{Static: aKey.AgreementKey(), Root: root, PSK: psk}
	pb := tunnel.Peer{Static: bKey.AgreementKey(), Root: root, PSK: psk}
	ea := New(w, aKey, func() []tunnel.Peer { return []tunnel.Peer{pb} })
	defer ea.Close()
	eb := New(socket, bKey, func() []tunnel.Peer { return []tunnel.Peer{pa} })
	defer eb.Close()
	a, err := ea.Dial(t.Context(), pb, at)
	if err != nil {
		t.Error(err)
		return
	}
	b, err := eb.Accept(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	stop := make(chan struct{})
	var outages []outage
	var toA, toB *numbered
	var group sync.WaitGroup
	group.Go(func() { toB = number(t, a, b, stop) })
	group.Go(func() { toA = number(t, b, a, stop) })
	group.Go(func() {
		host := fmt.Sprintf("127.0.%d.250", who+1)
		moved, fool := steal(t, w, b, at, host, stop)
		if moved > 0 || fool.source.Addr().String() != host {
			t.Error("the session came to the thief", moved, "times; or nothing was tried")
		}
	})
	for i := range moves {
		<-time.After(300 * time.Millisecond)
		o := outage{from: time.Now()}
		w.leave()
		<-time.After(30 * time.Millisecond)
		w.settle(socketAt(t, fmt.Sprintf("127.0.%d.%d", who+1, i+2)))
		o.to = time.Now()
		outages = append(outages, o)
		if i%2 == 0 {
			ea.Moved() // else the far side learns by the next packet
		}
	}
	<-time.After(300 * time.Millisecond)
	close(stop)
	group.Wait()
	for _, way := range []*numbered{toA, toB} {
		if all, wrong := way.gaps(outages); wrong > 0 || all == 0 || all > moves {
			t.Error(wrong, "of", all, "gaps are no outage's; moves:", moves)
		}
	}
	if a.Err() != nil || b.Err() != nil {
		t.Error(a.Err(), b.Err())
	}
}

// Five sessions change their address twenty times each: more often one after another is not
// followed at that pace.
func TestHundredMovesOnRealSocketsLoseNothingBeyondTheOutage(t *testing.T) {
	var group sync.WaitGroup
	for who := range 5 {
		group.Go(func() { wander(t, who, 20) })
	}
	group.Wait()
}

// What has no outage around it is no gap of one.
func TestLossBesideAnOutageIsNoticed(t *testing.T) {
	now := time.Now()
	ms := func(n int) time.Time { return now.Add(time.Duration(n) * time.Millisecond) }
	var n numbered
	for i := range 100 {
		n.left, n.came = append(n.left, ms(10*i)), append(n.came, ms(10*i+1))
	}
	for _, lost := range []int{20, 21, 50, 51, 52} {
		n.came[lost] = time.Time{}
	}
	if all, wrong := n.gaps([]outage{{ms(498), ms(525)}}); all != 2 || wrong != 1 {
		t.Error(wrong, "of", all)
	}
}
