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
	"time"

	"golang.org/x/time/rate"

	"nightjar/node/book"
	"nightjar/node/card"
	"nightjar/onion"
)

const (
	bellPort   = 1
	maxBells   = 4 // cards with one; of more the newest count
	bellRate   = 1 // invitations per second and doorbell; more wait
	bellBurst  = 8
	bellGuests = 8 // streams at a time and doorbell
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
				n.crew.spawn(func(ctx context.Context) { n.answerBell(ctx, l, inbox) })
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

// answerBell takes invitations until the doorbell is taken down.
func (n *Node) answerBell(ctx context.Context, l onion.Listener, inbox [32]byte) {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	pace := rate.NewLimiter(bellRate, bellBurst)
	seats := make(chan struct{}, bellGuests)
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		select {
		case seats <- struct{}{}:
		default:
			_ = conn.Close()
			continue
		}
		if !n.crew.spawn(func(ctx context.Context) {
			defer func() { <-seats }()
			defer conn.Close()
			n.greet(ctx, conn, pace, inbox)
		}) {
			_ = conn.Close()
			return
		}
	}
}

// greet takes one invitation.
func (n *Node) greet(ctx context.Context, conn net.Conn, pace *rate.Limiter, inbox [32]byte) {
	_ = conn.SetDeadline(time.Now().Add(ringTime))
	sealed := make([]byte, card.SealedSize)
	if _, err := io.ReadFull(conn, sealed); err != nil || pace.Wait(ctx) != nil {
		return
	}
	n.takeIn(sealed, inbox)
	_, _ = conn.Write([]byte{rung})
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
