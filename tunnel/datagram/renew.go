// The renewal of the keys: a whole new handshake inside the session.
//
//	initiator                          responder
//	message 1, under the old keys  ->
//	                               <-  message 2, under the old keys; it opens packets under both
//	any packet under the new keys  ->  it seals under the new keys from here
//	                               <-  any packet under the new keys
//
// Each side, when the first packet under the new keys has opened, takes user data alone under the
// old ones, and after ten seconds nothing; then those are forgotten.

package datagram

import (
	"time"

	"nightjar/tunnel"
	"nightjar/tunnel/handshake"
	"nightjar/tunnel/outlet"
)

const (
	renewAfter  = 120 * time.Second // of use, then the keys are renewed
	renewWithin = 5 * time.Minute   // of when that was due, or the session ends
	renewPause  = time.Minute       // a far side that asks sooner breaks the rules
	renewCount  = 1 << 31           // packets, then they are renewed as well
	lateTime    = 10 * time.Second  // for packets under the old keys
	answerAgain = 400 * time.Millisecond
)

// What the session's own messages begin with.
const (
	askRenewal    = 1 // message 1
	answerRenewal = 2 // message 2
	askStreams    = 3 // the responder has a stream to open
	hello         = 4 // the initiator has the answer; said until it is heard
	askKeys       = 5 // the responder has used the session and wants new keys
)

// keys is the epochs of a session. Guarded by Conn.mu.
type keys struct {
	session *handshake.Session
	asked   *handshake.Renewal // initiator: message 1 is on its way
	since   time.Time          // of the current epoch
	dueFrom time.Time          // since when it is old and used; idle sessions grow old unrenewed
	proved  bool               // a packet has opened in it
	again   func()             // responder: sends the answer once more
	wanted  bool               // responder: has asked for new keys

	current *lane
	next    *lane       // agreed; nothing has opened under it yet
	sealing outlet.Keys // responder: seals once something has
	follows *handshake.Session
	late    *lane // superseded
	lateBy  time.Time
}

func newKeys(s *handshake.Session, l *lane, now time.Time) keys {
	return keys{session: s, since: now, current: l}
}

func (k *keys) lanes() []*lane { return []*lane{k.current, k.next, k.late} }

// due is when there is something to do about keys, or zero.
func (k *keys) due() time.Time {
	switch {
	case k.again != nil:
		return k.since.Add(answerAgain)
	case !k.proved:
		return k.since.Add(proofTime)
	}
	return k.lateBy
}

// process does what the session's own messages ask and what the age of the keys demands.
func (c *Conn) process(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.Err() == nil {
		m, ok := c.coming[ours].Pop()
		if !ok {
			break
		}
		if err := c.own(m, now); err != nil {
			c.end(err)
			return
		}
	}
	if err := c.age(now); err != nil {
		c.end(err)
	}
}

// own takes one of the session's own messages.
func (c *Conn) own(m []byte, now time.Time) error {
	switch {
	case len(m) == 1+handshake.RenewSize && m[0] == askRenewal && !c.initiator:
		return c.answerRenewal(m[1:], now)
	case len(m) == 1+handshake.RenewedSize && m[0] == answerRenewal && c.initiator:
		return c.finishRenewal(m[1:])
	case len(m) == 1 && m[0] == askStreams && c.initiator:
		c.startStreams()
		return nil
	case len(m) == 1 && m[0] == hello && !c.initiator:
		return nil
	case len(m) == 1 && m[0] == askKeys && c.initiator:
		c.use()
		return nil
	}
	return tunnel.ErrRules
}

// age renews the keys, forgets old ones, and ends sessions that were not proved or renewed.
func (c *Conn) age(now time.Time) error {
	k := &c.keys
	age := now.Sub(k.since)
	if k.late != nil && !now.Before(k.lateBy) {
		c.e.lanes.leave(k.late)
		k.late, k.lateBy = nil, time.Time{}
	}
	if k.again != nil && age >= answerAgain {
		k.again()
		k.again = nil
	}
	switch {
	case !k.proved && age >= proofTime:
		return tunnel.ErrUnanswered
	case !c.renewable(age):
		return nil
	case k.overdue(now):
		return tunnel.ErrStale
	case !c.initiator && !k.wanted:
		k.wanted = c.sending[ours].Push([]byte{askKeys}) // it may not know that it was used
		return nil
	case !c.initiator || k.asked != nil || k.next != nil:
		return nil
	}
	r, message, err := k.session.Renew()
	if err != nil {
		return err
	}
	k.asked = r
	c.sending[ours].Push(append([]byte{askRenewal}, message...))
	return nil
}

// renewable reports whether keys of that age are to be renewed: when they are old or have sealed
// much, and were used.
func (c *Conn) renewable(age time.Duration) bool {
	return (age >= renewAfter || c.out.Count() >= renewCount) && c.used.Load()
}

// overdue is asked while the keys are to be renewed, and reports whether that takes too long.
func (k *keys) overdue(now time.Time) bool {
	if k.dueFrom.IsZero() {
		k.dueFrom = now
	}
	return now.Sub(k.dueFrom) > renewWithin
}

// answerRenewal takes message 1 and makes message 2.
func (c *Conn) answerRenewal(message []byte, now time.Time) error {
	k := &c.keys
	if k.next != nil || now.Sub(k.since) < renewPause {
		return tunnel.ErrRules
	}
	s, reply, err := k.session.AnswerRenewal(message)
	if err != nil {
		return tunnel.ErrForged
	}
	k.sealing, err = c.expect(s)
	if err == nil && !c.sending[ours].Push(append([]byte{answerRenewal}, reply...)) {
		err = tunnel.ErrRules
	}
	return err
}

// finishRenewal takes message 2: from here this side seals under the new keys.
func (c *Conn) finishRenewal(message []byte) error {
	k := &c.keys
	if k.asked == nil {
		return tunnel.ErrRules
	}
	s, err := k.asked.Finish(message)
	if err != nil {
		return tunnel.ErrForged
	}
	k.asked = nil
	sealing, err := c.expect(s)
	if err == nil {
		c.rekey(sealing)
		signal(c.beat)
	}
	return err
}

// expect makes the keys of the next session, and takes packets under them.
func (c *Conn) expect(s *handshake.Session) (outlet.Keys, error) {
	sealing, l, err := newEpoch(s)
	if err != nil {
		return sealing, err
	}
	l.conn = c
	if !c.e.lanes.enter(l) {
		return sealing, tunnel.ErrStale
	}
	c.keys.next, c.keys.follows = l, s
	return sealing, nil
}

// proved is told of the first packet that opened in a lane.
func (c *Conn) proved(l *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := &c.keys
	switch {
	case c.Err() != nil:
	case l == k.current:
		k.proved, k.again = true, nil
		if !c.initiator {
			c.e.deliver(c)
		}
	case l == k.next:
		k.current.late.Store(true)
		c.e.lanes.leave(k.late)
		k.late, k.lateBy = k.current, time.Now().Add(lateTime)
		k.current, k.next = l, nil
		k.session, k.follows = k.follows, nil
		k.since, k.dueFrom = time.Now(), time.Time{}
		k.wanted = false
		c.used.Store(false)
		if !c.initiator {
			c.rekey(k.sealing)
			k.sealing = outlet.Keys{}
		}
		signal(c.wake)
	}
}
