// Locking after idle time, in fake time.
package main

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestUnusedIdentityLocksAndUsedOneDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locked := time.Time{}
		i := newIdle(15*time.Minute, func() { locked = time.Now() })
		begin := time.Now()
		for range 10 {
			<-time.After(14 * time.Minute)
			i.used()
		}
		synctest.Wait()
		if !locked.IsZero() {
			t.Fatal("locked while in use")
		}
		<-time.After(time.Hour)
		synctest.Wait()
		if want := begin.Add(10*14*time.Minute + 15*time.Minute); !locked.Equal(want) {
			t.Errorf("locked %v after the last use", locked.Sub(want)+15*time.Minute)
		}
	})
}

func TestCallThatGoesOnKeepsAnIdentityOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locked, calling := false, true
		i := newIdle(time.Minute, func() { locked = true })
		i.unless(func() bool { return calling })
		<-time.After(10 * time.Minute)
		synctest.Wait()
		if locked {
			t.Fatal("locked during a call")
		}
		calling = false
		<-time.After(2 * time.Minute)
		synctest.Wait()
		if !locked {
			t.Error("not locked after the call")
		}
	})
}

func TestWithoutATimeNothingIsEverLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locked := false
		i := newIdle(0, func() { locked = true })
		i.used()
		<-time.After(1000 * time.Hour)
		synctest.Wait()
		i.stop()
		if locked {
			t.Error("locked")
		}
	})
}
