// A way out whose sockets another process opens: that of the sealed engine.

package native

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"nightjar/onion/held"
	"nightjar/onion/quiet"
)

// A Lender opens the sockets of a Device or a Direct for somebody who cannot.
type Lender struct {
	Listen func(ctx context.Context) (net.PacketConn, error)
	Dial   func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	Gone   <-chan struct{} // closed when there are no more
}

// A Lent is a way out by borrowed sockets. It ends with its lender.
type Lent struct {
	lender Lender
	open   held.Set
	done   chan struct{}
	stop   chan struct{}
	once   sync.Once
	work   sync.WaitGroup
}

// Borrow returns the way out by a lender's sockets.
func Borrow(l Lender) *Lent {
	b := &Lent{lender: l, done: make(chan struct{}), stop: make(chan struct{})}
	b.work.Go(func() {
		select {
		case <-l.Gone:
			b.end()
		case <-b.stop:
		}
	})
	return b
}

// ListenPacket is as of Device and Direct.
func (b *Lent) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	c, err := b.lender.Listen(ctx)
	if err != nil {
		return nil, quiet.Error(err)
	}
	return b.open.Packets(quiet.Packets(c))
}

// DialAddr is as of Device and Direct.
func (b *Lent) DialAddr(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	c, err := b.lender.Dial(ctx, to)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, quiet.Error(err)
	}
	return b.open.Conn(quiet.Conn(c))
}

func (b *Lent) end() {
	if b.open.Close() {
		close(b.done)
	}
}

// Done is closed when the way is gone, by its owner or because the lender is. Nothing takes its
// place.
func (b *Lent) Done() <-chan struct{} { return b.done }

// Close ends the way and its sockets, and returns when nothing of it works any more.
func (b *Lent) Close() error {
	b.once.Do(func() { close(b.stop) })
	b.work.Wait()
	b.end()
	return nil
}
