// Control: the frames that come and go beside what the users say, and the users' messages.

package datagram

import (
	"context"
	"net/netip"
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/packet"
)

// unanswered is how many challenges wait for their answer; further ones are not answered.
const unanswered = 4

// fill appends to b, up to limit bytes, the frames that are due.
func (c *Conn) fill(b []byte, limit int, now time.Time) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ch := range c.owed {
		f := packet.Frame{Type: packet.Ack, Channel: uint8(ch)}
		if c.owed[ch] && len(b)+f.Size() <= limit {
			f.Sequence, f.Beyond = c.coming[ch].State()
			b = f.Append(b)
			c.owed[ch] = false
		}
	}
	f := packet.Frame{Type: packet.Response}
	for len(c.answers) > 0 && len(b)+f.Size() <= limit {
		f.Token = c.answers[0]
		c.answers = c.answers[1:]
		b = f.Append(b)
	}
	if f.Type = packet.Challenge; len(b)+f.Size() <= limit {
		var due bool
		if f.Token, due = c.path.Due(now, c.slack); due {
			b = f.Append(b)
		}
		c.aim()
	}
	if c.probe.due && len(b)+f.Size() <= limit {
		f.Token, c.probe.due = c.probe.token, false
		b = f.Append(b)
	}
	for ch := range c.sending {
		for {
			f, ok := c.sending[ch].Due(now, c.slack, limit-len(b))
			if !ok {
				break
			}
			if f.Channel = uint8(ch); ch == users {
				c.use()
			}
			b = f.Append(b)
		}
	}
	return b
}

// take takes the frames of a control packet, and returns datagrams with those that were among
// them. A far side that breaks the rules ends the session.
func (c *Conn) take(b []byte, datagrams [][]byte) [][]byte {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(b) > 0 {
		f, rest, ok := packet.Next(b)
		if !ok || c.frame(f, now) != nil {
			c.end(tunnel.ErrRules)
			return datagrams
		}
		if b = rest; f.Type == packet.Data {
			datagrams = append(datagrams, f.Body)
		}
	}
	signal(c.wake)
	return datagrams
}

// frame takes one frame, with the lock held.
func (c *Conn) frame(f packet.Frame, now time.Time) error {
	switch f.Type {
	case packet.Chunk:
		c.owed[f.Channel] = true
		if err := c.coming[f.Channel].Take(f); err != nil {
			return err
		}
		if f.Channel == users {
			c.use()
			signal(c.mail)
		}
	case packet.Ack:
		c.sending[f.Channel].Acked(f.Sequence, f.Beyond, now)
		if f.Channel == users {
			signal(c.room)
		}
	case packet.Challenge:
		if len(c.answers) < unanswered {
			c.answers = append(c.answers, f.Token)
		}
	case packet.Response:
		if c.path.Answered(f.Token); f.Token == c.probe.token && f.Token != 0 {
			c.out.Known(c.probe.way)
			c.probe = probe{}
		}
	case packet.Bye:
		c.end(tunnel.ErrEnded)
	}
	return nil
}

// received takes rows that have come; either may be nil.
func (c *Conn) received(datagrams, streams *Row) {
	if !c.heard.Load() {
		c.heard.Store(true)
	}
	if datagrams != nil {
		c.in.put(datagrams)
		c.use()
	}
	if streams != nil {
		c.packets.put(streams)
		c.use()
		c.knockStreams()
	}
}

// from takes the address of a packet that was newer than all before it.
func (c *Conn) from(at netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at == c.path.Addr() {
		return
	}
	if c.path.Heard(at, time.Now(), token()) {
		c.aim()
		signal(c.wake)
	}
}

// SendMessage queues a message of at most MaxMessage bytes, which arrives once, and in the order
// of messages, if the session lives long enough. It waits, until ctx ends, while too many wait to
// be acknowledged.
func (c *Conn) SendMessage(ctx context.Context, b []byte) error {
	if len(b) > MaxMessage {
		return tunnel.ErrTooLong
	}
	for {
		c.mu.Lock()
		pushed := c.Err() == nil && c.sending[users].Push(b)
		c.mu.Unlock()
		if pushed {
			c.use()
			signal(c.wake)
			signal(c.room)
			return nil
		}
		select {
		case <-c.room:
		case <-c.done:
			return c.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ReceiveMessage returns the next message.
func (c *Conn) ReceiveMessage(ctx context.Context) ([]byte, error) {
	for {
		c.mu.Lock()
		b, ok := c.coming[users].Pop()
		c.mu.Unlock()
		if ok {
			signal(c.mail) // for another who waits
			return b, nil
		}
		select {
		case <-c.mail:
		case <-c.done:
			return nil, c.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
