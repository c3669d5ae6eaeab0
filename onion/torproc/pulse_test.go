// A silent network is recognized as such, a quiet one is left alone.

package torproc

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// live looks at a pulse every beat for a while. The network answers each probe if it can.
func live(p *pulse, d time.Duration, answers bool) (acts []act) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		<-time.After(beat)
		a := p.look(time.Now(), time.Now())
		if a != nothing {
			acts = append(acts, a)
		}
		if a == probe && answers {
			p.hears(time.Now())
		}
	}
	return acts
}

func isNot(want act) func(act) bool { return func(a act) bool { return a != want } }

func TestIdleNetworkIsAskedOnceAMinuteAndLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPulse(time.Now(), time.Now())
		acts := live(p, 10*time.Minute, true)
		if len(acts) < 8 || len(acts) > 10 || slices.ContainsFunc(acts, isNot(probe)) {
			t.Errorf("in ten minutes %v", acts)
		}
	})
}

// A tor that nobody uses may refuse to build a circuit: its list of relays has grown old.
func TestIdleTorThatWillNotAskIsNotTakenForASilentNetwork(t *testing.T) {
	for _, naive := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPulse(time.Now(), time.Now())
			lost := false
			for range 10 * time.Minute / beat {
				<-time.After(beat)
				switch a := p.look(time.Now(), time.Now()); {
				case a == probe && !naive:
					p.refused()
				case a == fell:
					lost = true
				}
			}
			if lost != naive {
				t.Errorf("naive %v: taken for silent: %v", naive, lost)
			}
		})
	}
}

func TestSilentNetworkIsGivenUpAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPulse(time.Now(), time.Now())
		p.asks(time.Now()) // somebody dials
		acts := live(p, silence+time.Second, false)
		if n := len(acts); n == 0 || acts[n-1] != fell {
			t.Fatalf("in %v of silence: %v", silence, acts)
		}
		acts = live(p, 20*hope, false)
		if len(acts) < 19 || slices.ContainsFunc(acts, isNot(afresh)) {
			t.Errorf("then: %v", acts)
		}
		p.hears(time.Now())
		if acts = live(p, 2*beat, true); !slices.Equal(acts, []act{returned}) {
			t.Errorf("when it answers: %v", acts)
		}
	})
}

func TestLossIsNoticedThoughNobodyWantsAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPulse(time.Now(), time.Now())
		if acts := live(p, idle+silence, false); !slices.Contains(acts, fell) {
			t.Errorf("%v", acts)
		}
	})
}

func TestBusyNetworkIsNeverAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPulse(time.Now(), time.Now())
		for range 600 {
			p.asks(time.Now())
			p.hears(time.Now())
			if acts := live(p, beat, false); len(acts) > 0 {
				t.Fatalf("%v", acts)
			}
		}
	})
}

// A machine that slept has a steady clock that stood still, and a wall clock that ran on.
func TestSleepIsRecognizedByTheTwoClocks(t *testing.T) {
	now := time.Now()
	for by, want := range map[time.Duration]act{0: nothing, time.Minute: nothing,
		3 * time.Minute: woke, -3 * time.Minute: woke, 9 * time.Hour: woke} {
		p := newPulse(now, now.Round(0))
		later := now.Add(beat)
		if got := p.look(later, later.Round(0).Add(by)); got != want {
			t.Errorf("wall clock %v ahead: %v, want %v", by, got, want)
		}
		later = later.Add(beat)
		if got := p.look(later, later.Round(0).Add(by)); got != nothing {
			t.Errorf("told twice: %v", got)
		}
	}
}
