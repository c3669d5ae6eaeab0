// What a far side can make this one hold: a bounded number of bytes, whatever it opens and sends.

package mux

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"nightjar/tunnel/record"
	"nightjar/tunnel/share"
)

// A far side whose streams were all read well for a while, and then no more, has them filled.
func TestAllStreamsTogetherHoldABoundedNumberOfBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		var there [MaxStreams]*Stream
		for i := range there {
			var here *Stream
			here, there[i] = open(t, a, b)
			go here.Write(make([]byte, 4<<20))
			io.CopyN(io.Discard, there[i], 2<<20)
		}
		synctest.Wait()
		held, windows, naive := 0, uint32(0), 0
		for _, s := range there {
			held += s.in.size
			windows += s.window
			naive += lastWindow // what each would have, had it not to share
		}
		const most = MaxStreams*firstWindow + allWindows
		if held > most || windows > most {
			t.Error("held", held, "windows", windows, "at most", most)
		}
		if windows < most-lastWindow || naive <= most {
			t.Error("the test would not notice windows without a bound")
		}
		a.Close(net.ErrClosed)
		b.Close(net.ErrClosed)
	})
}

func TestRoomOfFinishedStreamsIsUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair(t)
		for range 3 * allWindows / lastWindow {
			here, there := open(t, a, b)
			go func() {
				here.Write(make([]byte, 3<<20))
				here.Close()
			}()
			io.Copy(io.Discard, there)
			there.Close()
			if there.window != lastWindow {
				t.Fatal("window", there.window)
			}
			synctest.Wait()
		}
		if b.grown != 0 || a.grown != 0 {
			t.Error("room lost:", a.grown, b.grown)
		}
	})
}

// A far side opens, fills and finishes streams that nobody accepts, and reads no answers, so that
// by the count of both sides they are gone.
func TestStreamsThatNobodyAcceptsHoldABoundedNumberOfBytes(t *testing.T) {
	m, naive := New(true, nil, func() {}), 0
	for n := range uint32(1000) {
		id := 2 + 2*n
		for _, f := range []record.Frame{frame(record.Open, id), frame(record.Stop, id),
			frame(record.Data, id, make([]byte, 400)...), frame(record.Finish, id)} {
			if err := m.Receive(f); err != nil {
				t.Fatal(err)
			}
		}
		for m.Pending() {
			m.Fill(make([]byte, 0, record.Plain))
		}
		naive += 400
	}
	held := 0
	for _, s := range m.arrived {
		held += s.in.size
	}
	if len(m.arrived) > mostArrived || held > mostArrived*400 || held == 0 || naive <= held {
		t.Error(len(m.arrived), "streams hold", held, "bytes")
	}
	if m.held != len(m.arrived) {
		t.Error("what", m.held, "streams hold is counted, not", len(m.arrived))
	}
}

// Other sessions have taken all that there is to share: this one still has its own streams, and
// refuses further ones in a way that its far side understands.
func TestStreamsBeyondTheStockAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stock share.Stock
		stock.Take(share.Size)
		a, b := newPair(t)
		b.loan.Stock = &stock
		for range ownStreams {
			here, there := open(t, a, b)
			go here.Write([]byte("heard"))
			if _, err := io.ReadFull(there, make([]byte, 5)); err != nil {
				t.Fatal(err)
			}
		}
		s, err := a.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = s.Write(make([]byte, 1000))
		}
		if !errors.Is(err, ErrStopped) {
			t.Error(err)
		}
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		if _, err := b.Open(t.Context()); !errors.Is(err, ErrCrowded) {
			t.Error(err)
		}
		stock.Give(share.Size)
		open(t, a, b)
		if stock.Taken() != firstWindow {
			t.Error(stock.Taken(), "bytes are taken")
		}
		a.Close(net.ErrClosed)
		b.Close(net.ErrClosed)
		if stock.Taken() != 0 {
			t.Error(stock.Taken(), "bytes are lost")
		}
	})
}

func TestWhatStreamsBorrowComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stock share.Stock
		a, b := newPair(t)
		a.loan.Stock, b.loan.Stock = &stock, &stock
		var all []*Stream
		most := 0
		for range 20 {
			here, there := open(t, a, b)
			go func() {
				here.Write(make([]byte, 1<<20))
				here.CloseWrite()
			}()
			io.Copy(io.Discard, there)
			most = max(most, stock.Taken())
			all = append(all, here, there)
		}
		for _, s := range all {
			s.Close()
		}
		synctest.Wait()
		if stock.Taken() != 0 || most == 0 {
			t.Error(stock.Taken(), "bytes are lost of", most)
		}
		a.Close(net.ErrClosed)
		b.Close(net.ErrClosed)
	})
}
