// The claims of this package: queues keep their bounds, rows hold what was sent, a clock's packets
// are all alike.

package outlet

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"nightjar/tunnel/batch"
	"nightjar/tunnel/packet"
)

func TestQueueKeepsOrderAndBound(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	q := Queue{Bytes: 1 << 14, Count: 50}
	var model [][]byte
	size := 0
	for range 100_000 {
		if dice.IntN(5) < 3 {
			b := make([]byte, dice.IntN(1300))
			for i := range b {
				b[i] = byte(dice.Uint32())
			}
			q.Push(b)
			model, size = append(model, b), size+prefix+len(b)
			for size > q.Bytes || len(model) > q.Count {
				size -= prefix + len(model[0])
				model = model[1:]
			}
			continue
		}
		if q.Len() != len(model) {
			t.Fatal(q.Len(), "instead of", len(model))
		}
		if len(model) == 0 {
			continue
		}
		got := [][]byte{make([]byte, 0, 1300)}
		if q.Pop(got...) != 1 || !bytes.Equal(got[0], model[0]) {
			t.Fatal("a datagram came out as another")
		}
		size -= prefix + len(model[0])
		model = model[1:]
	}
}

func TestQueueGivesRoomBack(t *testing.T) {
	q := Queue{Bytes: 1 << 20}
	for range 500 {
		q.Push(make([]byte, 1200))
	}
	large := len(q.ring)
	one := [][]byte{make([]byte, 1200)}
	for range 500 + 4*calm {
		q.Push([]byte("x"))
		for q.Pop(one...) > 0 {
		}
	}
	if large < 500*1200 || len(q.ring) > least {
		t.Error(large, "bytes became", len(q.ring))
	}
}

func TestQueueRefusesWhatCanNeverFit(t *testing.T) {
	q := Queue{Bytes: 1 << 10}
	q.Push(make([]byte, 2000))
	if q.Len() != 0 || len(q.ring) > 1<<10 {
		t.Error("a datagram beyond the bound was taken")
	}
}

// A sink is a carrier that keeps what is sent.
type sink struct{ wires [][]byte }

func (s *sink) WriteTo(b []byte, _ net.Addr) (int, error) {
	s.wires = append(s.wires, bytes.Clone(b))
	return len(b), nil
}
func (s *sink) ReadFrom([]byte) (int, net.Addr, error) { return 0, nil, net.ErrClosed }
func (s *sink) Close() error                           { return nil }
func (s *sink) LocalAddr() net.Addr                    { return nil }
func (s *sink) SetDeadline(time.Time) error            { return nil }
func (s *sink) SetReadDeadline(time.Time) error        { return nil }
func (s *sink) SetWriteDeadline(time.Time) error       { return nil }

// ids are those of the outlets of these tests.
var ids = packet.NewIDs([32]byte{1})

func newOutlet(t *testing.T) (*Outlet, *sink, *packet.Opener) {
	seal, err := packet.NewSealer(packet.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	open, err := packet.NewOpener(packet.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	o := New(batch.New(s), &Rows{}, netip.AddrPort{})
	o.Rekey(Keys{Sealer: seal, IDs: ids})
	return o, s, open
}

func TestRowsHoldWhatWasSent(t *testing.T) {
	o, s, open := newOutlet(t)
	var all [][]byte
	for n := 0; n <= packet.MaxBody; n += 3 {
		all = append(all, bytes.Repeat([]byte{byte(n)}, n))
	}
	if err := o.Datagrams(all...); err != nil {
		t.Fatal(err)
	}
	for i, wire := range s.wires {
		k, body, _, err := open.Open(wire)
		if err != nil || k != packet.Datagram || !bytes.Equal(body, all[i]) {
			t.Fatal("datagram", i, "left as another", err)
		}
	}
	if len(s.wires) != len(all) || !o.Sent() || o.Sent() {
		t.Error(len(s.wires), "left")
	}
}

func TestMixedPacketsKeepTheirOrder(t *testing.T) {
	o, s, open := newOutlet(t)
	for n := range 200 {
		o.Stream(make([]byte, n*7%1200))
	}
	o.Send(packet.Control, []byte("last"))
	for n, wire := range s.wires[:200] {
		if k, body, _, err := open.Open(wire); k != packet.Stream || len(body) != n*7%1200 {
			t.Fatal(n, k, len(body), err)
		}
	}
	if k, _, _, _ := open.Open(s.wires[200]); k != packet.Control || len(s.wires) != 201 {
		t.Error("the last is another")
	}
}

func TestClockHasOneSizeAndFewWait(t *testing.T) {
	o, s, _ := newOutlet(t)
	o.SetClock(packet.ClockSize)
	for n := range 100 {
		if err := o.Datagrams(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Datagrams(make([]byte, 500)); !errors.Is(err, ErrTooLong) {
		t.Error("a datagram that can never leave was taken:", err)
	}
	if len(s.wires) != 0 || o.datagrams.Len() != latest {
		t.Error(len(s.wires), "left by themselves,", o.datagrams.Len(), "wait")
	}
	o.Send(packet.Padding, nil)
	o.Send(packet.Control, o.Gather(nil, 480))
	for _, wire := range s.wires {
		if len(wire) != packet.ClockSize {
			t.Error("a packet has", len(wire), "bytes")
		}
	}
}

func TestEachAddressHasAnotherID(t *testing.T) {
	o, s, _ := newOutlet(t)
	o.Datagrams(nil, nil)
	o.Turn()
	o.Datagrams(nil)
	o.Move(netip.MustParseAddrPort("192.0.2.1:7"))
	o.Datagrams(nil)
	o.Move(netip.MustParseAddrPort("192.0.2.1:7"))
	o.Datagrams(nil)
	for i, want := range []uint64{0, 0, 1, 2, 2} {
		if got := packet.ID(s.wires[i]); got != ids.At(want) {
			t.Error("packet", i, "bears id", got)
		}
	}
}

func TestIDsStayWithinWhatTheFarSideLooksFor(t *testing.T) {
	o, s, _ := newOutlet(t)
	last := func() uint64 {
		o.Datagrams(nil)
		return packet.ID(s.wires[len(s.wires)-1])
	}
	for range 5 * mostTurns {
		o.Turn()
	}
	if last() != ids.At(mostTurns) {
		t.Error("the id is beyond what the far side knows")
	}
	o.Known(1)
	if o.Turn(); last() != ids.At(mostTurns+1) {
		t.Error("a far side that has seen an id brings no further one")
	}
	o.Known(1 << 60) // never sent
	o.Turn()
	if o.Turn(); last() != ids.At(mostTurns+1) {
		t.Error("a far side can have seen what was not sent")
	}
}

func TestOutletWithoutKeysSendsNothing(t *testing.T) {
	o, s, _ := newOutlet(t)
	o.Rekey(Keys{})
	if err := o.Datagrams([]byte("x")); !errors.Is(err, ErrShut) || len(s.wires) != 0 {
		t.Error(err, len(s.wires))
	}
}

func TestSealingRowsAllocatesNothing(t *testing.T) {
	o, _, _ := newOutlet(t)
	row := [][]byte{make([]byte, 200), make([]byte, 200), make([]byte, 200), make([]byte, 200)}
	if n := testing.AllocsPerRun(1000, func() {
		if n, err := o.fill(packet.Datagram, row); n != len(row) || err != nil {
			t.Fatal(n, err)
		}
		o.used = 0
	}); n > 0 {
		t.Error(n, "allocations a row")
	}
}
