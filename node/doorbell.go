// Doorbells: onion services that take invitations, one for each card that names one.
//
// Who rings sends a sealed invitation, card.SealedSize bytes, and hears one byte, 1, whatever it
// was: that it arrived, and nothing of what becomes of it. A doorbell shows that we are there to
// whoever holds the card; without one, nobody can see it.

package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/onion"
)

const (
	bellPort   = 1
	maxBells   = 4 // cards with one; of more the newest count
	bellRate   = 8 // invitations per second and doorbell; more wait
	bellBurst  = 32
	bellGuests = 32              // streams at a time and doorbell
	bellHurry  = 3 * time.Second // about two round trips of the path
	ringTime   = 30 * time.Second
	bellRetry  = 10 * time.Minute
	rung       = 1
)

// bellKey is the key of the doorbell of the card with that inbox.
func (n *Node) bellKey(inbox [32]byte) ([32]byte, error) {
	seed, err := n.id.Derive("nightjar doorbell", inbox[:])
	if err != nil {
		return seed, err
	}
	defer clear(seed[:])
	key := ed25519.NewKeyFromSeed(seed[:])
	defer clear(key)
	return [32]byte(key[32:]), nil
}

// keepBells keeps the doorbells of our cards published.
func (n *Node) keepBells(ctx context.Context) {
	up := map[[32]byte]onion.Listener{}
	defer func() {
		for _, l := range up {
			_ = l.Close()
		}
	}()
	for ctx.Err() == nil {
		wanted := n.bells()
		for inbox, l := range up {
			if !slices.Contains(wanted, inbox) {
				_ = l.Close()
				delete(up, inbox)
			}
		}
		for _, inbox := range wanted {
			if up[inbox] != nil {
				continue
			}
			if l, err := n.hang(ctx, inbox); err == nil {
				up[inbox] = l
				n.crew.spawn(func(ctx context.Context) { n.answerBell(ctx, l, inbox, newBell()) })
			}
		}
		pause(ctx, bellRetry, n.bellPoke)
	}
}

// bells lists the inboxes of the cards with a doorbell.
func (n *Node) bells() (out [][32]byte) {
	n.look(func(b *book.Book) {
		for _, c := range b.Cards {
			if c.Bell && time.Now().Before(c.Expires) {
				out = append(out, c.Inbox)
			}
		}
	})
	return out[max(0, len(out)-maxBells):]
}

// hang publishes one doorbell.
func (n *Node) hang(ctx context.Context, inbox [32]byte) (onion.Listener, error) {
	seed, err := n.id.Derive("nightjar doorbell", inbox[:])
	if err != nil {
		return nil, err
	}
	defer clear(seed[:])
	return n.path.Publish(ctx, onion.Service{Seed: seed, Port: bellPort})
}

// A bell is one doorbell at work. When there is no room, who has kept silent for long goes.
type bell struct {
	pace  *rate.Limiter
	hurry time.Duration // after which a silent guest may have to go

	mu     sync.Mutex
	guests []*visitor // in the order in which they came
}

// A visitor is one stream to a doorbell.
type visitor struct {
	conn  net.Conn
	since time.Time
	heard bool // it has handed in what it came with; belongs to the bell
}

func newBell() *bell {
	return &bell{pace: rate.NewLimiter(bellRate, bellBurst), hurry: bellHurry}
}

// enter lets a visitor in, in the place of one that says nothing if need be, and reports whether
// there was room.
func (b *bell) enter(v *visitor) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.guests) >= bellGuests {
		i := slices.IndexFunc(b.guests, func(g *visitor) bool { return !g.heard })
		if i < 0 || v.since.Sub(b.guests[i].since) < b.hurry {
			return false
		}
		_ = b.guests[i].conn.Close()
		b.guests = slices.Delete(b.guests, i, i+1)
	}
	b.guests = append(b.guests, v)
	return true
}

// hears notes that a visitor has handed in what it came with.
func (b *bell) hears(v *visitor) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v.heard = true
}

func (b *bell) leave(v *visitor) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.guests = slices.DeleteFunc(b.guests, func(g *visitor) bool { return g == v })
}

// answerBell takes invitations until the doorbell is taken down.
func (n *Node) answerBell(ctx context.Context, l onion.Listener, inbox [32]byte, b *bell) {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		v := &visitor{conn: conn, since: time.Now()}
		if !b.enter(v) {
			_ = conn.Close()
			continue
		}
		if !n.crew.spawn(func(ctx context.Context) {
			defer b.leave(v)
			defer conn.Close()
			n.greet(ctx, b, v, inbox)
		}) {
			_ = conn.Close()
			return
		}
	}
}

// greet takes one invitation.
func (n *Node) greet(ctx context.Context, b *bell, v *visitor, inbox [32]byte) {
	_ = v.conn.SetDeadline(time.Now().Add(ringTime))
	sealed := make([]byte, card.SealedSize)
	if _, err := io.ReadFull(v.conn, sealed); err != nil {
		return
	}
	b.hears(v)
	if b.pace.Wait(ctx) != nil {
		return
	}
	n.takeIn(sealed, inbox)
	_, _ = v.conn.Write([]byte{rung})
}

// errBell is a doorbell that does not answer as one.
var errBell = errors.New("the doorbell does not answer")

// ring hands in an invitation.
func (n *Node) ring(ctx context.Context, bell card.Gateway, sealed []byte) error {
	ctx, cancel := context.WithTimeout(ctx, ringTime)
	defer cancel()
	conn, err := n.path.Dial(ctx, onion.Remote{ID: bell.ID, Port: bell.Port},
		onion.NewIsolation())
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(ringTime))
	answer := []byte{0}
	if _, err := conn.Write(sealed); err != nil {
		return errBell
	}
	if _, err := io.ReadFull(conn, answer); err != nil || answer[0] != rung {
		return errBell
	}
	return nil
}
