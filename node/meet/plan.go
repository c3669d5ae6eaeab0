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

// punctual is who calls so soon after a slot is due.
const punctual = 2 * time.Minute

// duty is what is to be done about one slot.
type duty struct {
	due  time.Time
	last time.Time // when it was stored, zero before
	what [32]byte  // what was stored: gist of the record
	seq  int64     // and with which seq
	told bool      // the caller was told when it is due

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

// enter makes duties of slots that have none. That of the next epoch is due at a random moment,
// early enough for a caller who comes no later than 80 minutes after it; any other is due now.
func (p *plan) enter(slots []*slot, now time.Time) {
	if p.duties == nil {
		p.duties = make(map[[32]byte]duty)
	}
	for _, s := range slots {
		if _, ok := p.duties[s.key()]; ok {
			continue
		}
		d := duty{due: now}
		from, to := s.begin.Add(-earliest), s.begin.Add(-latest)
		if from.Before(now) {
			from = now
		}
		if to.After(from) {
			d.due = from.Add(rand.N(to.Sub(from)))
		}
		p.duties[s.key()] = d
	}
	for k, d := range p.duties {
		if len(p.duties) > maxDuties || now.Sub(d.due) > 2*epochLength {
			delete(p.duties, k)
		}
	}
}

// pick returns those of the slots that are due, or hold something else than what. A caller who is
// not punctual has a clock of its own, and also gets those that were stored 40 minutes ago, for it
// may come too late for them; at least it gets the one that is due first.
func (p *plan) pick(slots []*slot, what [32]byte, now time.Time) (out []*slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enter(slots, now)
	first := p.first(slots)
	lag := now.Sub(p.duties[first.key()].due)
	onTime := p.duties[first.key()].told && lag >= 0 && lag <= punctual
	for _, s := range slots {
		d := p.duties[s.key()]
		held, changed := !d.last.IsZero(), d.what != what
		old := held && !onTime && now.Sub(d.last) >= republish*2/3
		if !d.due.After(now) || old || held && changed {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		out = append(out, first)
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
	d.due, d.told = Next(d.last), false
	p.duties[s.key()] = d
}

// next returns when the first of the slots is due.
func (p *plan) next(slots []*slot, now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enter(slots, now)
	k := p.first(slots).key()
	d := p.duties[k]
	d.told = true
	p.duties[k] = d
	return d.due
}

// Next returns when to renew what was stored now: after 40 to 80 minutes.
func Next(now time.Time) time.Time {
	return now.Add(republish*2/3 + rand.N(republish*2/3))
}
