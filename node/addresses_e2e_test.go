// Claims about two nodes that meet by real sockets, in a private DHT on loopback.

//go:build e2e

package node

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"nightjar/audit/privnet/swarm"
	"nightjar/node/book"
	"nightjar/node/talk"
	"nightjar/onion"
)

// roaming is a way out whose first socket, that of the tunnels, can be exchanged for another.
type roaming struct {
	onion.Packets

	mu    sync.Mutex
	first *exchanged
}

func (r *roaming) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	c, err := r.Packets.ListenPacket(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		r.first = &exchanged{now: c}
		return r.first, nil
	}
	return c, nil
}

// move gives the tunnels another port.
func (r *roaming) move(t *testing.T) {
	t.Helper()
	c, err := r.Packets.ListenPacket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	e := r.first
	r.mu.Unlock()
	e.mu.Lock()
	old := e.now
	e.now = c
	e.mu.Unlock()
	_ = old.Close()
}

// exchanged is a socket in the place of another.
type exchanged struct {
	mu   sync.Mutex
	now  net.PacketConn
	over bool
}

func (e *exchanged) conn() (net.PacketConn, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now, e.over
}

func (e *exchanged) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		c, _ := e.conn()
		n, from, err := c.ReadFrom(b)
		if now, over := e.conn(); err == nil || over || now == c {
			return n, from, err
		}
	}
}

func (e *exchanged) WriteTo(b []byte, to net.Addr) (int, error) {
	c, _ := e.conn()
	return c.WriteTo(b, to)
}

func (e *exchanged) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	return e.now.Close()
}

func (e *exchanged) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (e *exchanged) SetDeadline(time.Time) error      { return nil }
func (e *exchanged) SetReadDeadline(time.Time) error  { return nil }
func (e *exchanged) SetWriteDeadline(time.Time) error { return nil }

// byLoopback lets the i-th identity work on sockets of this machine.
func byLoopback(w *world, i int, phone Phone, nodes []netip.AddrPort) (*person, *roaming) {
	w.t.Helper()
	ids, err := vaults()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := ids[i].Save(nil); err != nil {
		w.t.Fatal(err)
	}
	r := &roaming{Packets: loopback{}}
	n, err := New(Config{Identity: ids[i], Packets: r, Private: true})
	if err != nil {
		w.t.Fatal(err)
	}
	if phone != nil {
		n.SetPhone(phone)
	}
	if err := n.change(func(b *book.Book) error {
		for _, a := range nodes {
			b.AddNode(a)
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return w.run(&person{Node: n, id: ids[i]}, loopback{}), r
}

// loopback is a way out to this machine.
type loopback struct{}

func (loopback) ListenPacket(context.Context) (net.PacketConn, error) {
	return net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
}

func (loopback) DialAddr(context.Context, netip.AddrPort) (net.Conn, error) {
	return nil, net.ErrClosed
}

func (loopback) Exposes() []onion.Exposure { return nil }
func (loopback) Done() <-chan struct{}     { return nil }
func (loopback) Close() error              { return nil }

func TestTwoMeetTalkAndMoveByRealSockets(t *testing.T) {
	s, err := swarm.Start(t.Context(), swarm.Options{Nodes: 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	w, phone := &world{t: t}, newFakePhone()
	desk, _ := byLoopback(w, 0, phone, s.Addrs()[:16])
	source, way := byLoopback(w, 1, nil, s.Addrs()[8:24])
	for _, p := range []*person{desk, source} {
		w.await(p, EventReachable)
	}
	begin := time.Now()
	w.befriend(desk, source)
	t.Log("in touch after", time.Since(begin).Round(time.Millisecond))
	for _, p := range []*person{desk, source} {
		other := p.Contacts()[0].Name
		begin = time.Now()
		if _, err := p.Send(t.Context(), other, "hello "+other); err != nil {
			t.Fatal(err)
		}
		w.await(p, EventDelivered)
		t.Log("delivered after", time.Since(begin).Round(time.Microsecond))
	}
	speak(w, source, way)
	underWay(w, desk, source, way, phone)
}

// speak speaks for four seconds and counts what the far phone speaks back; meanwhile the
// address changes.
func speak(w *world, source *person, way *roaming) {
	w.t.Helper()
	c, err := source.Dial(w.t.Context(), "desk", []talk.Codec{talk.Opus})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, want := range []talk.EventKind{talk.Ringing, talk.Answered} {
		if e := <-c.Events(); e.Kind != want {
			w.t.Fatalf("heard %d, want %d", e.Kind, want)
		}
	}
	const frames = 200
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := range frames {
			<-tick.C
			_ = c.Send(talk.Frame{Seq: uint16(i), Payload: make([]byte, 60)})
			if i%100 == 50 {
				way.move(w.t)
				source.Moved()
			}
		}
		for range 25 {
			<-tick.C
		}
		_ = c.End(talk.Hangup)
	}()
	came := 0
	for range c.Frames() {
		came++
	}
	if w.t.Logf("%d of %d frames came back", came, frames); came < frames*8/10 {
		w.t.Errorf("%d of %d frames came back", came, frames)
	}
}

// underWay writes texts while the address changes again and again.
func underWay(w *world, desk, source *person, way *roaming, phone *fakePhone) {
	w.t.Helper()
	for len(phone.texts) > 0 {
		<-phone.texts
	}
	l := source.linkTo(source.addressOf(w.t, "desk"))
	const texts = 60
	for i := range texts {
		if _, err := source.Send(w.t.Context(), "desk", fmt.Sprint(i)); err != nil {
			w.t.Fatal(err)
		}
		if i%6 == 3 {
			way.move(w.t)
			source.Moved()
		}
	}
	for i := range texts {
		if got := <-phone.texts; got != fmt.Sprint(i) {
			w.t.Fatalf("text %d is %q", i, got)
		}
	}
	if source.linkTo(source.addressOf(w.t, "desk")) != l {
		w.t.Error("the link was given up")
	}
	if n := len(desk.Contacts()); n != 1 {
		w.t.Error("contacts:", n)
	}
}
