//go:build goexperiment.runtimesecret

// Erasure: what the goroutines of sessions leave on their stacks is erased.

package datagram

import (
	"net/netip"
	"runtime/secret"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/tunnel"
)

func TestGoroutinesOfSessionsEraseWhatTheyHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContacts(t)
		var answers, reads, runs atomic.Bool
		peers := c.eb.peers
		c.eb.peers = func() []tunnel.Peer {
			answers.Store(secret.Enabled())
			return peers()
		}
		a, b := c.connect(t)
		defer c.close()
		b.HandleDatagrams(func([][]byte) { reads.Store(secret.Enabled()) })
		a.SendDatagram([]byte("said"))
		<-time.After(time.Second)
		c.n.mu.Lock()
		c.n.watch = func([]byte, netip.AddrPort, netip.AddrPort) { runs.Store(secret.Enabled()) }
		c.n.mu.Unlock()
		<-time.After(3 * heartbeat) // both send padding
		if !answers.Load() || !reads.Load() || !runs.Load() {
			t.Error("erased:", answers.Load(), reads.Load(), runs.Load())
		}
		if secret.Enabled() {
			t.Error("the test would not notice")
		}
	})
}
