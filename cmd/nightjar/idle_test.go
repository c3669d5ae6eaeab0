// Locking after idle time, in fake time.
package main

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnusedIdentityLocksAndUsedOneDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locked := make(chan time.Time, 1)
		i := newIdle(15*time.Minute, func() { locked <- time.Now() })
		begin := time.Now()
		for range 10 {
			<-time.After(14 * time.Minute)
			i.used()
		}
		want := begin.Add(10*14*time.Minute + 15*time.Minute)
		if at := <-locked; !at.Equal(want) {
			t.Errorf("locked %v after the last use", at.Sub(want)+15*time.Minute)
		}
	})
}

func TestCallThatGoesOnKeepsAnIdentityOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locked, calling atomic.Bool
		calling.Store(true)
		i := newIdle(time.Minute, func() { locked.Store(true) })
		i.unless(calling.Load)
		<-time.After(10 * time.Minute)
		synctest.Wait()
		if locked.Load() {
			t.Fatal("locked during a call")
		}
		calling.Store(false)
		<-time.After(2 * time.Minute)
		synctest.Wait()
		if !locked.Load() {
			t.Error("not locked after the call")
		}
	})
}

func TestWithoutATimeNothingIsEverLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locked atomic.Bool
		i := newIdle(0, func() { locked.Store(true) })
		i.used()
		<-time.After(1000 * time.Hour)
		synctest.Wait()
		i.stop()
		if locked.Load() {
			t.Error("locked")
		}
	})
}
