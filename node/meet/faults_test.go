// Claims about what goes wrong on the way: an operation completes or says why, in good time. The
// bubble sees to it that no goroutine is left.

package meet

import (
	"errors"
	"testing"
	"time"
)

// within runs f and fails when it takes longer than d.
func within(t *testing.T, d time.Duration, f func()) {
	t.Helper()
	begun := time.Now()
	f()
	if took := time.Since(begun); took > d {
		t.Errorf("took %v", took)
	}
}

func TestGatewayThatDiesInTheMiddleIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 12)
		w.breaks = 1
		within(t, 20*time.Second, func() {
			publish(t, meeting(w, 0), fixed(1), Low, lasting(1))
		})
		find(t, meeting(w, 0), fixed(1), Low, lasting(1))
		w.breaks = 2
		within(t, 20*time.Second, func() {
			_, err := meeting(w, 0).Publish(t.Context(), fixed(2), Low, lasting(1))
			if !errors.Is(err, ErrLost) {
				t.Error(err)
			}
		})
	})
}

func TestLookThroughAGatewayThatDiesSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 30)
		w.breaks = 1
		within(t, 20*time.Second, func() {
			if _, err := meeting(w, 0).Find(t.Context(), fixed(1), Low); !errors.Is(err, ErrLost) {
				t.Error(err)
			}
		})
	})
}

func TestExpiredTokensAreAskedForAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 12)
		for _, f := range w.nodes {
			f.stale = 1
		}
		within(t, time.Minute, func() {
			publish(t, meeting(w, 0), fixed(1), Low, lasting(1))
		})
	})
}

func TestSilenceIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := honest(t, 12, &liar{})
		w.silent = true
		within(t, time.Minute, func() {
			_, err := meeting(w, 0).Find(t.Context(), fixed(1), Low)
			if !errors.Is(err, ErrNoNodes) {
				t.Error(err)
			}
		})
		within(t, time.Minute, func() {
			_, err := meeting(w, 0).Publish(t.Context(), fixed(1), Low, lasting(1))
			if !errors.Is(err, ErrNoNodes) {
				t.Error(err)
			}
		})
		within(t, 2*time.Minute, func() {
			if _, err := meeting(w, 0).Collect(t.Context(), fixed(1)); !errors.Is(err, ErrNoNodes) {
				t.Error(err)
			}
		})
	})
}

func TestHalfOfTheNodesMayBeDead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 40)
		for i, f := range w.nodes {
			f.dead = i%2 == 0
		}
		within(t, 30*time.Second, func() {
			publish(t, meeting(w, 0), fixed(1), Low, lasting(1))
		})
		within(t, 30*time.Second, func() {
			find(t, meeting(w, 0), fixed(1), Low, lasting(1))
		})
	})
}
