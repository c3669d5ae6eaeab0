// Audio between the phone and the lane.

package call

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/node/talk"
)

// Tick is the clock of a lane: one datagram, so one record of the tunnel, each 40 ms. Two
// frames of G.711 or several of Opus fit; on tor this is one cell, 103 kbit/s.
const Tick = 40 * time.Millisecond

// frameRoom is how many received frames wait for the phone: a little over a second.
const frameRoom = 64

// Lane carries the audio of one call: *tunnel.Conn meets it.
type Lane interface {
	SendDatagram(b []byte) error
	ReceiveDatagram(ctx context.Context) ([]byte, error)
	SetClock(every time.Duration)
	Done() <-chan struct{}
}

// Send gives 20 ms of our audio to the far side; frames that cannot leave in time are dropped,
// oldest first.
func (s *Session) Send(f talk.Frame) error {
	if len(f.Payload) == 0 || len(f.Payload) > talk.MaxPayload {
		return talk.ErrMedia
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != answered {
		return s.refusal()
	}
	s.out.push(f)
	return nil
}

// Carry runs the call's audio over a lane until the call ends (nil), the lane does, or ctx is
// done. It may be called again with another lane when one was lost, also before this side knows: a
// call has one lane, the newest.
func (s *Session) Carry(ctx context.Context, l Lane) error {
	l.SetClock(Tick)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	if s.leave == nil {
		close(s.lane)
	} else {
		s.leave()
	}
	s.leave = cancel
	s.mu.Unlock()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { defer cancel(); return s.sendLoop(ctx, l) })
	g.Go(func() error { defer cancel(); return s.receiveLoop(ctx, l) })
	err := g.Wait()
	select {
	case <-s.done:
		return nil
	default:
		return err
	}
}

func (s *Session) sendLoop(ctx context.Context, l Lane) error {
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-l.Done():
			return context.Canceled
		case <-tick.C:
		}
		s.mu.Lock()
		b := s.out.pack()
		s.mu.Unlock()
		if b == nil {
			continue // the tunnel sends padding instead
		}
		if err := l.SendDatagram(b); err != nil {
			return err
		}
	}
}

func (s *Session) receiveLoop(ctx context.Context, l Lane) error {
	for {
		b, err := l.ReceiveDatagram(ctx)
		if err != nil {
			return err
		}
		frames, err := talk.ParseMedia(b)
		if err != nil {
			return err
		}
		for _, f := range frames {
			s.deliver(f)
		}
	}
}

// deliver hands a frame to the phone once, dropping the oldest waiting one when nobody reads.
func (s *Session) deliver(f talk.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != answered || !s.seen.first(f.Seq) {
		return
	}
	for {
		select {
		case s.frames <- f:
			return
		default:
		}
		select {
		case <-s.frames:
		default:
		}
	}
}
