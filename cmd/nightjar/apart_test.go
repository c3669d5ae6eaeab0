// Claims about when identities begin and end.

package main

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"nightjar/cmd/control"
)

func TestIdentitiesDoNotEndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := console{err: io.Discard}
		gaps := func(lockAll func([]control.Engaged, func(control.Engaged) error)) (short int) {
			for range 50 {
				var at []time.Time
				lockAll(make([]control.Engaged, 3), func(control.Engaged) error {
					at = append(at, time.Now())
					return nil
				})
				for i := 1; i < len(at); i++ {
					if d := at[i].Sub(at[i-1]); d < time.Second {
						short++
					} else if d > apartMost {
						t.Errorf("%v apart", d)
					}
				}
			}
			return short
		}
		apart := gaps(func(all []control.Engaged, lock func(control.Engaged) error) {
			if err := c.lockApart(t.Context(), all, lock); err != nil {
				t.Error(err)
			}
		})
		naive := gaps(func(all []control.Engaged, lock func(control.Engaged) error) {
			for _, e := range all {
				_ = lock(e)
			}
		})
		if apart > 8 || naive != 100 { // one in 120 is expected, of 100
			t.Errorf("%d of 100 ended within a second of another; of naive ones %d", apart, naive)
		}
	})
}

func TestWaitingApartEndsAtOnceWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errLocked)
		begun := time.Now()
		if err := keepApart(ctx, func(time.Duration) {}); err != errLocked ||
			time.Since(begun) > 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
