// What the tests of this package share: keys in the clear, pairs of contacts and of Conns, and a
// carrier that keeps what crosses it.

package tunnel

import (
	"context"
	"crypto/rand"
	"net"
	"sync"
	"testing"

	"nightjar/tunnel/proof"
)

// contacts are two who know each other.
type contacts struct {
	aKey, bKey *proof.Key
	a, b       Peer // as the other knows them
}

func newContacts(t testing.TB) contacts {
	c := contacts{aKey: proof.NewKey(t), bKey: proof.NewKey(t)}
	var root, psk [32]byte
	rand.Read(root[:])
	rand.Read(psk[:])
	c.a = Peer{Static: c.aKey.AgreementKey(), Root: root, PSK: psk}
	c.b = Peer{Static: c.bKey.AgreementKey(), Root: root, PSK: psk}
	return c
}

// peersOf gives a Door a fixed list.
func peersOf(p ...Peer) func() []Peer { return func() []Peer { return p } }

// connect makes a session over two carriers.
func (c contacts) connect(t testing.TB, ca, cb net.Conn) (a, b *Conn) {
	t.Helper()
	return c.knock(t, new(Door), ca, cb)
}

// knock makes one at a door of b's.
func (c contacts) knock(t testing.TB, d *Door, ca, cb net.Conn) (a, b *Conn) {
	t.Helper()
	accepted := make(chan *Conn)
	go func() {
		b, err := d.Accept(context.Background(), cb, c.bKey, peersOf(c.a))
		if err != nil {
			t.Error("accept:", err)
		}
		accepted <- b
	}()
	a, err := Dial(context.Background(), ca, c.aKey, c.b)
	if err != nil {
		t.Fatal("dial:", err)
	}
	if b = <-accepted; b == nil {
		t.FailNow()
	}
	return a, b
}

// newPair is a session over a pipe.
func newPair(t testing.TB) (a, b *Conn) {
	ca, cb := net.Pipe()
	a, b = newContacts(t).connect(t, ca, cb)
	return a, b
}

// A tap is a carrier that keeps what is written to it.
type tap struct {
	net.Conn
	mu      sync.Mutex
	written []byte
	sizes   []int
}

func (c *tap) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.written = append(c.written, b...)
	c.sizes = append(c.sizes, len(b))
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *tap) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]byte(nil), c.written...)
}

func (c *tap) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.written)
}
