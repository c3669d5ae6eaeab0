// Many sessions at once, one of them hostile.

package datagram

import (
	"encoding/binary"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel/batch"
	"nightjar/tunnel/share"
)

// flood has a far side send all that it can by datagrams, messages and streams which nobody here
// receives, for a while.
func flood(t *testing.T, from *Conn, span time.Duration) {
	end := time.Now().Add(span)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	go func() {
		for b := make([]byte, MaxMessage); time.Now().Before(end); {
			if from.SendMessage(t.Context(), b) != nil {
				return
			}
		}
	}()
	for n := 0; time.Now().Before(end); n++ {
		if n < 10 {
			go func() {
				s, err := from.OpenStream(t.Context())
				for err == nil {
					_, err = s.Write(make([]byte, 32<<10))
				}
			}()
		}
		for range 20 {
			from.SendDatagram(make([]byte, MaxDatagram))
		}
		<-tick.C
	}
}

// Both endpoints have a thousand sessions together, which cost little. Then the far side of one
// floods this one; the others go on as if nothing were.
func TestThousandSessionsCostLittleAndAHostileOneItsPart(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	c := newContacts(t)
	defer c.close()
	const sessions = 1000
	thousandIdle(t, c, sessions)
	_, friend := c.connect(t)
	hostile, victim := c.connect(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	flood(t, hostile, time.Second)
	if n := runtime.NumGoroutine() - goroutines; n > sessions+100 {
		t.Error(n, "goroutines")
	}
	if victim.Err() != nil || friend.Err() != nil {
		t.Error(victim.Err(), friend.Err())
	}
	if n := victim.in.waiting(); n == 0 {
		t.Error("the attack does not work, so it proves nothing")
	}
	most := inletBytes + bulkBytes + 4<<20
	if taken := c.eb.stock.Taken(); taken > most || taken == 0 {
		t.Error(taken, "bytes are taken")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int(after.HeapAlloc) - int(before.HeapAlloc); grown > 4*most {
		t.Error("memory grew by", grown)
	}
}

// What hostile sessions leave of the stock is nothing: a session still receives voice as it comes.
func TestSessionReceivesWhenTheStockIsEmpty(t *testing.T) {
	synctest.Test(t, receiveWithoutStock)
}

func receiveWithoutStock(t *testing.T) {
	c, a, b := newPair(t)
	defer c.close()
	c.eb.stock.Take(share.Size)
	naive := newInlet(inletBytes, 0, &c.eb.stock) // which borrows all that it holds
	for n := range 200 {
		a.SendDatagram(binary.BigEndian.AppendUint32(nil, uint32(n)))
		d, err := b.ReceiveDatagram(t.Context())
		if err != nil || binary.BigEndian.Uint32(d) != uint32(n) {
			t.Fatal(n, err)
		}
		naive.put(c.eb.pools.copied(d))
	}
	if naive.waiting() != 0 {
		t.Error("the test would not notice sessions without memory of their own")
	}
	if a.Close(); c.eb.stock.Taken() != share.Size {
		t.Error(c.eb.stock.Taken(), "bytes are taken")
	}
}

// An inlet borrows what it holds beyond its own, and pays it back.
func TestInletPaysBack(t *testing.T) {
	var stock share.Stock
	var p pools
	i := newInlet(10*batch.MaxRow, batch.MaxRow, &stock)
	large := make([]byte, 10*MaxDatagram) // more than a small row holds
	for range 20 {
		i.put(p.copied(large))
	}
	if i.bytes != 10*batch.MaxRow || stock.Taken() != 9*batch.MaxRow {
		t.Error(i.bytes, "bytes wait,", stock.Taken(), "are taken")
	}
	for range 5 {
		i.row().Release()
	}
	if stock.Taken() != 4*batch.MaxRow {
		t.Error(stock.Taken(), "are taken")
	}
	i.close()
	i.put(p.copied(large))
	if stock.Taken() != 0 || i.waiting() != 5 {
		t.Error(stock.Taken(), "are taken,", i.waiting(), "wait")
	}
}
