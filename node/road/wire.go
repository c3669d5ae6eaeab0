// The socket of the tunnels, with an ear for the DHT nodes that were asked how they see it.

package road

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"nightjar/node/card"
	"nightjar/node/meet/walk"
)

const (
	mostAsked = 8               // questions that wait for their answer
	askTime   = 3 * time.Second // for an answer
	tidSize   = 8
)

// A wire is a socket that takes out the answers to its questions, and lets through all else. Only
// an answer of the node that was asked, with the random number of the question, is one.
type wire struct {
	net.PacketConn
	allowed func(netip.AddrPort) bool // whom it may ask, and where it may be seen

	count atomic.Int32 // of asked: most of the time none, and nothing is looked into
	mu    sync.Mutex
	asked map[[tidSize]byte]question
}

// A question is a ping that waits for its answer.
type question struct {
	node   netip.AddrPort
	answer chan<- netip.AddrPort // has room
}

func newWire(pc net.PacketConn, allowed func(netip.AddrPort) bool) *wire {
	return &wire{PacketConn: pc, allowed: allowed, asked: map[[tidSize]byte]question{}}
}

// ReadFrom returns the next datagram that is no answer to a question.
func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := w.PacketConn.ReadFrom(b)
		if err != nil || w.count.Load() == 0 || !w.takes(b[:n], from) {
			return n, from, err
		}
	}
}

// takes reports whether a datagram is an answer, and hands it on.
func (w *wire) takes(b []byte, from net.Addr) bool {
	u, ok := from.(*net.UDPAddr)
	if !ok || len(b) == 0 || b[0] != 'd' {
		return false
	}
	tid, seen, ok := walk.Pong(b)
	if !ok || len(tid) != tidSize {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	q, ok := w.asked[[tidSize]byte(tid)]
	if !ok || q.node != plain(u.AddrPort()) {
		return false
	}
	w.forget([tidSize]byte(tid))
	q.answer <- seen
	return true
}

// forget ends a question. Called with mu held.
func (w *wire) forget(tid [tidSize]byte) {
	if _, ok := w.asked[tid]; ok {
		delete(w.asked, tid)
		w.count.Add(-1)
	}
}

// put sends a question to a node; false when too many wait, or it may not or cannot leave.
func (w *wire) put(node netip.AddrPort, answer chan<- netip.AddrPort) (
	tid [tidSize]byte, ok bool) {
	var id [20]byte
	rand.Read(id[:])
	rand.Read(tid[:])
	w.mu.Lock()
	if len(w.asked) == mostAsked || !w.allowed(node) {
		w.mu.Unlock()
		return tid, false
	}
	w.asked[tid] = question{node, answer}
	w.count.Add(1)
	w.mu.Unlock()
	_, err := w.WriteTo(walk.Ping(id, tid[:]), net.UDPAddrFromAddrPort(node))
	return tid, err == nil
}

// ask asks nodes as whom they see us, and returns what those say that answer in time, each once.
func (w *wire) ask(ctx context.Context, nodes []netip.AddrPort) (seen []netip.AddrPort) {
	answer := make(chan netip.AddrPort, len(nodes))
	waiting := 0
	for _, node := range nodes {
		tid, ok := w.put(node, answer)
		if ok {
			waiting++
		}
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.forget(tid)
		}()
	}
	limit := time.NewTimer(askTime)
	defer limit.Stop()
	for ; waiting > 0; waiting-- {
		select {
		case at := <-answer:
			if w.allowed(at) && sayable(at) {
				seen = append(seen, at)
			}
		case <-limit.C:
			return seen
		case <-ctx.Done():
			return seen
		}
	}
	return seen
}

// sayable reports whether a record can name that address.
func sayable(at netip.AddrPort) bool {
	_, err := card.Reach{Expires: time.Unix(0, 0), At: []netip.AddrPort{at}}.MarshalBinary()
	return err == nil
}

// plain is an address in the one form that it has here.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
