// Identities that begin and end at moments of their own: who watches when their onion services come
// and go, or a network on which their tors start, could otherwise tell that they are one person's.

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"nightjar/cmd/control"
	"nightjar/node/card"
)

// apartMost is the longest wait between two identities that would begin or end together.
const apartMost = 2 * time.Minute

// keepApart waits for a random time, each up to apartMost as likely as another, and says before how
// long it is. It ends with ctx.
func keepApart(ctx context.Context, say func(time.Duration)) error {
	d := rand.N(apartMost)
	say(d)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// beginApart waits if another identity is open in this home.
func (e *engine) beginApart(ctx context.Context) error {
	self := card.Address(e.id.PublicKey()).String()
	if control.Beside(ctx, string(e.place.home), self, e.seats()) == 0 {
		return nil
	}
	return keepApart(ctx, func(d time.Duration) {
		how := fmt.Sprintf("another identity is open here: waiting %.0f s, so that the two do not "+
			"begin together (--now does not wait)", d.Seconds())
		e.door.Starting(how)
		e.step(e.start, how)
	})
}

// lockApart locks engines one after the other, in any order, each at a moment of its own.
func (c console) lockApart(ctx context.Context, running []control.Engaged,
	lock func(control.Engaged) error) (failed error) {
	rand.Shuffle(len(running), func(i, j int) { running[i], running[j] = running[j], running[i] })
	for i, e := range running {
		if i > 0 {
			err := keepApart(ctx, func(d time.Duration) {
				c.line("the next is locked in %.0f s; %d are open: to lock them now, interrupt "+
					"this: nightjar lock --all", d.Seconds(), len(running)-i)
			})
			if err != nil {
				return err
			}
		}
		if err := lock(e); err != nil {
			failed = err
		}
	}
	return failed
}
