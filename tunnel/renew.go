// The renewal of the keys inside a session.
//
//	initiator                        responder
//	Renew(message 1)  ->
//	                  <-  Renew(message 2), Switch: its next record is under the new key
//	Switch            ->  its next record is under the new key
//
// The carrier keeps the order, so each side knows from which record on the other's new key holds,
// and drops the old one there.

package tunnel

import (
	"sync"
	"time"

	"nightjar/tunnel/handshake"
)

// keys is the session as it stands and the renewal that is under way.
type keys struct {
	mu        sync.Mutex
	session   *handshake.Session
	asked     *handshake.Renewal // initiator: message 1 is on its way
	collected []byte             // of the message that is coming
	next      *handshake.Session // agreed; the far side has not switched yet
	since     time.Time          // of session
	renewed   chan struct{}      // holds one when both directions have switched
}

// keep has the keys renewed after every two minutes if the session was used since, or as soon as
// it is. The side that dialled asks; either side ends the session if it does not come about.
func (c *Conn) keep() {
	for {
		if !c.await(time.NewTimer(renewAfter).C, nil) || !c.await(nil, c.used) {
			return
		}
		if c.initiator {
			if err := c.askRenewal(); err != nil {
				c.end(err)
				return
			}
		}
		limit := time.NewTimer(renewWithin)
		select {
		case <-c.done:
			return
		case <-limit.C:
			c.end(ErrStale)
			return
		case <-c.keys.renewed:
			limit.Stop()
		}
		select {
		case <-c.used:
		default:
		}
	}
}

// await waits for either channel and reports whether the session still lives.
func (c *Conn) await(timer <-chan time.Time, token <-chan struct{}) bool {
	select {
	case <-c.done:
		return false
	case <-timer:
	case <-token:
	}
	return true
}

// askRenewal sends message 1.
func (c *Conn) askRenewal() error {
	c.keys.mu.Lock()
	defer c.keys.mu.Unlock()
	r, message, err := c.keys.session.Renew()
	if err != nil {
		return err
	}
	c.keys.asked = r
	c.out.post(control{message: message})
	signal(c.wake)
	return nil
}

// renewal takes a piece of the message that is coming and acts on it when it is whole.
func (c *Conn) renewal(piece []byte) error {
	k := &c.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	size, refused := handshake.RenewSize, time.Since(k.since) < renewPause
	if c.initiator {
		size, refused = handshake.RenewedSize, k.asked == nil
	}
	if refused || k.next != nil || len(piece) == 0 || len(k.collected)+len(piece) > size {
		return ErrRules
	}
	k.collected = append(k.collected, piece...)
	if len(k.collected) < size {
		return nil
	}
	message := k.collected
	k.collected = nil
	if c.initiator {
		return c.finishRenewal(message)
	}
	next, reply, err := k.session.AnswerRenewal(message)
	if err != nil {
		return err
	}
	k.next = next
	c.out.post(control{message: reply, next: next.Send})
	signal(c.wake)
	return nil
}

// finishRenewal takes message 2: this side's next Switch may leave.
func (c *Conn) finishRenewal(message []byte) error {
	next, err := c.keys.asked.Finish(message)
	if err != nil {
		return err
	}
	c.keys.asked, c.keys.next = nil, next
	c.out.post(control{next: next.Send})
	signal(c.wake)
	return nil
}

// switchLane goes over to the far side's new key, and forgets the old session.
func (r *reader) switchLane(body []byte) error {
	k := &r.c.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next == nil || len(body) != 0 {
		return ErrRules
	}
	r.lane = k.next.Receive
	k.session, k.next, k.since = k.next, nil, time.Now()
	signal(k.renewed)
	return nil
}
