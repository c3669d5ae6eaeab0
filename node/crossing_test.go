// Two contacts that dial each other: every order in which the two tunnels come to stand on the two
// sides, with the real rule and real tunnels, and what is left of them.

package node

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/node/card"
	"nightjar/tunnel"
)

// bareKey is a static key in the clear.
type bareKey struct{ *ecdh.PrivateKey }

func (k bareKey) AgreementKey() [32]byte { return [32]byte(k.PublicKey().Bytes()) }

func (k bareKey) Agree(peer [32]byte) ([32]byte, error) {
	point, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return [32]byte{}, err
	}
	shared, err := k.ECDH(point)
	return [32]byte(shared), err
}

// bare is a node that has a crew and links and nothing else.
func bare(ctx context.Context, address byte) *Node {
	n := &Node{self: card.Address{address}, links: map[card.Address]*link{}}
	n.crew.start(ctx)
	return n
}

// tunnelFrom makes a tunnel and returns the dialler's end and the other's.
func tunnelFrom(t *testing.T, dialler, other bareKey) (near, far *tunnel.Conn) {
	t.Helper()
	ca, cb := net.Pipe()
	made := make(chan *tunnel.Conn)
	go func() {
		caller := tunnel.Peer{Static: dialler.AgreementKey()}
		peers := func() []tunnel.Peer { return []tunnel.Peer{caller} }
		c, err := new(tunnel.Door).Accept(t.Context(), cb, other, peers)
		if err != nil {
			t.Error(err)
		}
		made <- c
	}()
	near, err := tunnel.Dial(t.Context(), ca, dialler, tunnel.Peer{Static: other.AgreementKey()})
	if err != nil {
		t.Fatal(err)
	}
	return near, <-made
}

// A schedule is when each end of the two tunnels is installed: by its dialler at once, by the
// other side a while after or before.
type schedule struct {
	lower       bool // the first tunnel was dialled by the lower address
	gap         time.Duration
	late, early [2]time.Duration // of the far end of each tunnel
}

// settle plays a schedule by a rule of what to do with a second tunnel, and returns the tunnels
// that are left.
func (s schedule) settle(t *testing.T, rule func(*Node, card.Address, *link) bool) (left []int) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		nodes := [2]*Node{bare(ctx, 1), bare(ctx, 2)}
		if !s.lower {
			nodes[0], nodes[1] = nodes[1], nodes[0]
		}
		var keys [2]bareKey
		for i := range keys {
			k, err := ecdh.X25519().GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			keys[i] = bareKey{k}
		}
		start := time.Now().Add(time.Minute)
		var ends [2][2]*tunnel.Conn // of each tunnel, at each node
		for i := range ends {
			near, far := tunnelFrom(t, keys[i], keys[1-i])
			ends[i][i], ends[i][1-i] = near, far
			at := start.Add(time.Duration(i) * s.gap)
			for side, c := range ends[i] {
				n, peer, when := nodes[side], nodes[1-side].self, at
				if side != i {
					when = at.Add(s.late[i] - s.early[i])
				}
				time.AfterFunc(time.Until(when), func() {
					if c.Err() == nil && !rule(n, peer, newLink(c, nil)) {
						c.Close()
					}
				})
			}
		}
		<-time.After(5 * time.Minute)
		for i := range ends {
			if (ends[i][0].Err() == nil) != (ends[i][1].Err() == nil) {
				t.Errorf("%+v: a tunnel that one side alone has", s)
			}
			if ends[i][0].Err() == nil {
				left = append(left, i)
			}
		}
		for i := range ends {
			ends[i][0].Close()
			ends[i][1].Close()
		}
		cancel()
		for _, n := range nodes {
			n.crew.stop()
		}
	})
	return left
}

func TestCrossingTunnelsEndInOne(t *testing.T) {
	played, none := 0, 0
	skews := []time.Duration{0, 2 * time.Second}
	for _, lower := range []bool{true, false} {
		for _, gap := range []time.Duration{0, time.Second, 10 * time.Second,
			crossing - time.Second, crossing + time.Second, 2 * crossing} {
			for bits := range 16 {
				s := schedule{lower: lower, gap: gap}
				for i := range 2 {
					s.late[i] = skews[bits>>(2*i)&1]
					s.early[i] = skews[bits>>(2*i+1)&1]
				}
				played++
				left := s.settle(t, (*Node).install)
				// Where the sides differ in whether the two crossed, none may be left; then both
				// know it, and dial again.
				if edge := (gap - crossing).Abs() <= 4*time.Second; len(left) == 0 && edge {
					none++
				} else if len(left) != 1 {
					t.Errorf("%+v: tunnels left: %v", s, left)
				} else if first := left[0] == 0; !edge && gap > 4*time.Second &&
					first != (lower && gap < crossing) {
					t.Errorf("%+v: the wrong tunnel was kept", s)
				}
			}
		}
	}
	t.Log("schedules:", played, "of which leave none:", none)
	if played != 192 {
		t.Error("schedules:", played)
	}
}

// The newer always takes the older's place: contacts who see the two in different orders are left
// with none.
func TestNewerAlwaysWinningLeavesNone(t *testing.T) {
	newer := func(n *Node, a card.Address, l *link) bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		if old := n.links[a]; old != nil {
			n.crew.spawn(func(context.Context) {
				<-time.After(2 * time.Second) // a slow way
				_ = old.tun.Close()
			})
		}
		n.links[a] = l
		return true
	}
	s := schedule{late: [2]time.Duration{2 * time.Second, 2 * time.Second}, gap: time.Second}
	if left := s.settle(t, newer); len(left) != 0 {
		t.Error("the test would not notice a rule that leaves none:", left)
	}
	if left := s.settle(t, (*Node).install); len(left) != 1 {
		t.Error("tunnels left:", left)
	}
}
