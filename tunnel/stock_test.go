// The memory that all sessions of a Door share.

package tunnel

import (
	"context"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"

	"nightjar/tunnel/mux"
	"nightjar/tunnel/share"
)

// Hostile sessions fill all the streams that they may open, which nobody reads. All of them hold
// together what is left of the stock and no more, beyond what is each one's own; another session
// of the Door goes on. Limits for each alone would have let them hold several times as much.
func TestHostileSessionsOfADoorShareItsStock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const left, hostile, window = 1 << 20, 3, 32 << 10
		c, d := newContacts(t), new(Door)
		d.stock.Take(share.Size - left)
		var all []*Conn
		join := func() (a, b *Conn) {
			ca, cb := net.Pipe()
			a, b = c.knock(t, d, ca, cb)
			all = append(all, a, b)
			return a, b
		}
		taken := 0
		for range hostile {
			a, b := join()
			for range mux.MaxStreams {
				s, err := a.OpenStream(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				go s.Write(make([]byte, 2*window)) // until it is refused, or waits for ever
			}
			synctest.Wait()
			for range mux.MaxStreams {
				if s, err := b.AcceptStream(expired(t)); err == nil {
					n, _ := io.ReadFull(s, make([]byte, 1))
					taken += n * window
				}
			}
		}
		const own = hostile * 4 * window
		if naive := hostile * mux.MaxStreams * window; taken > left+own || taken < left ||
			naive < 4*taken {
			t.Error("hostile sessions hold", taken, "bytes; without a stock", naive)
		}
		a, b := join()
		s, err := a.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte("heard"))
		far, err := b.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(far, make([]byte, 5)); err != nil {
			t.Error(err)
		}
		for _, conn := range all {
			conn.Close()
		}
		if n := d.stock.Taken(); n != share.Size-left {
			t.Error(n-share.Size+left, "bytes are lost")
		}
	})
}

// One contact makes as many sessions as it likes and fills them all. What it holds of the stock is
// its part, and another contact's session borrows as before.
func TestOneContactCannotTakeTheStockOfADoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sessions, window = 4, 32 << 10
		c, d := newContacts(t), new(Door)
		held := d.stock.Of(c.a.Static)
		held.Take(share.Part - 1<<20) // by sessions that it has
		for range sessions {
			ca, cb := net.Pipe()
			a, b := c.knock(t, d, ca, cb)
			defer a.Close()
			defer b.Close()
			for range mux.MaxStreams {
				s, err := a.OpenStream(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				go s.Write(make([]byte, window))
			}
			synctest.Wait()
		}
		naive := (sessions*(mux.MaxStreams-4))*window + share.Part - 1<<20
		if got := d.stock.Taken(); got > share.Part || naive <= share.Part {
			t.Error("one contact holds", got, "bytes; without parts", naive)
		}
		if !d.stock.Of([32]byte{9}).Take(share.Part) {
			t.Error("nothing is left to another contact")
		}
		runtime.KeepAlive(held)
	})
}

// expired is a context that has ended: what is there is taken, and nothing is waited for.
func expired(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
