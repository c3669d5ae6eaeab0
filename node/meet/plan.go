// The plan: when each slot is to be stored. Pure, but for randomness.
//
// Each slot has times of its own, so that whoever watches every node of the DHT cannot tell by them
// which slots belong together: neither those of one person, nor those of one pair in two epochs.
// Everybody's slots change at the same moments, for a phase of one's own would be a name.

package meet

import (
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"nightjar/node/card"
)

// maxDuties bounds how many slots are remembered.
const maxDuties = 4096

// gist tells two records apart, but not by their expiry alone: it moves with the time, and what
// moves all slots at once would link them.
func gist(r card.Reach) [32]byte {
	r.Expires = time.Unix(0, 0)
	b, _ := r.MarshalBinary() // of a bad record none: it is not stored
	return sha256.Sum256(b)
}

// stagger is within which time a publisher that begins near the edge of an epoch stores the slot of
// the other one.
const stagger = 10 * time.Minute

// duty is what is to be done about one slot.
type duty struct {
	due  time.Time
	last time.Time // when it was stored, zero before
	what [32]byte  // what was stored: gist of the record
	seq  int64     // and with which seq

	relayed bool // it was stored by a relay the last time
}

// plan remembers the slots that one Meeting stores.
type plan struct {
	mu     sync.Mutex
	duties map[[32]byte]duty // by the slot's key
}

// publishes returns the slots in which a side's record has to be now, and that of the next epoch.
func publishes(root [32]byte, s Side, now time.Time) (out []*slot) {
	for _, epoch := range epochs.around(now, overlap, epochLength) {
		out = append(out, pairSlot(root, s, epoch))
	}
	return out
}

// enter makes duties of slots that have none. That of the present epoch is due now; that of the
// next at a random moment in good time; and that of the former, if the publisher begins so soon
// after it, a little later: what is stored at one moment can be seen to belong together.
func (p *plan) enter(slots []*slot, now time.Time) {
	if p.duties == nil {
		p.duties = make(map[[32]byte]duty)
	}
	for _, s := range slots {
		if _, ok := p.duties[s.key()]; ok {
			continue
		}
		d := duty{due: now}
		switch {
		case s.begin.After(now):
			d.due = between(now, s.begin.Add(-earliest), s.begin.Add(-latest),
				s.begin.Add(-overlap))
		case !s.begin.Add(epochLength).After(now):
			d.due = now.Add(rand.N(stagger))
		}
		p.duties[s.key()] = d
	}
	for k, d := range p.duties {
		if len(p.duties) > maxDuties || now.Sub(d.due) > 2*epochLength {
			delete(p.duties, k)
		}
	}
}

// between returns a random moment from one to another; when that is past, from now to last; and
// when that is past too, soon.
func between(now, from, to, last time.Time) time.Time {
	if from.Before(now) {
		from = now
	}
	if !to.After(from) {
		to = last
	}
	if !to.After(from) {
		to = from.Add(stagger)
	}
	return from.Add(rand.N(to.Sub(from)))
}

// pick returns those of the slots that are due, or hold something else than what; at least the one
// that is due first.
func (p *plan) pick(slots []*slot, what [32]byte, now time.Time) (out []*slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enter(slots, now)
	for _, s := range slots {
		d := p.duties[s.key()]
		if !d.due.After(now) || !d.last.IsZero() && d.what != what {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		out = append(out, p.first(slots))
	}
	return out
}

// first returns the slot that is due first.
func (p *plan) first(slots []*slot) *slot {
	return slices.MinFunc(slots, func(a, b *slot) int {
		return p.duties[a.key()].due.Compare(p.duties[b.key()].due)
	})
}

// duty returns what is known of a slot.
func (p *plan) duty(s *slot) duty {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.duties[s.key()]
}

// done notes that a slot was stored at d.last. It is due again after 40 to 80 minutes.
func (p *plan) done(s *slot, d duty) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.due = Next(d.last)
	p.duties[s.key()] = d
}

// next returns when the first of the slots is due.
func (p *plan) next(slots []*slot, now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enter(slots, now)
	return p.duties[p.first(slots).key()].due
}

// Next returns when to renew what was stored now: after 40 to 80 minutes.
func Next(now time.Time) time.Time {
	return now.Add(republish*2/3 + rand.N(republish*2/3))
}

// Wait returns how long to wait before looking again for somebody who was not found: mean on
// average, at most four times that, and independent of all that was before (exponential). With any
// other rhythm the last look into one epoch's slot would tell when the first into the next comes,
// and which it is.
func Wait(mean time.Duration) time.Duration {
	for {
		if d := time.Duration(rand.ExpFloat64() * float64(mean)); d < 4*mean {
			return d
		}
	}
}
