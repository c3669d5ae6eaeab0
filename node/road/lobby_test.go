// Claims about who is shown out of a lobby.

package road

import (
	"testing"
	"testing/synctest"
	"time"
)

// waited is how long the last of many guests, at most share of a kind, waits for a place.
func waited(t *testing.T, l *Lobby, kinds int) (wait time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		for i := range 10 * l.Places {
			if l.Enter(t.Context(), [32]byte{byte(1 + i%kinds)}, func() {}) == nil {
				t.Fatal("not let in")
			}
		}
		begin := time.Now()
		leave := l.Enter(t.Context(), [32]byte{}, func() { t.Error("the newest is shown out") })
		wait = time.Since(begin)
		leave()
		leave()
	})
	return wait
}

func TestNobodyFillsALobby(t *testing.T) {
	if d := waited(t, &Lobby{Places: 8, Share: 2, Patience: time.Second}, 3); d != 0 {
		t.Errorf("three hostile guests keep others waiting for %v", d)
	}
	if d := waited(t, &Lobby{Places: 8, Share: 2, Patience: time.Second}, 100); d > time.Second {
		t.Errorf("a hundred keep others waiting for %v", d)
	}
	if waited(t, &Lobby{Places: 8, Patience: time.Hour}, 1) < 50*time.Minute {
		t.Error("the naive lobby lets in at once too: this test proves nothing")
	}
}

func TestPlacesOfALobbyAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Lobby{Places: 2, Patience: time.Hour}
		begin := time.Now()
		for range 50 {
			leave := l.Enter(t.Context(), [32]byte{}, func() { t.Error("shown out") })
			time.AfterFunc(time.Second, leave)
		}
		synctest.Wait()
		if d := time.Since(begin); d > time.Minute || len(l.guests) > 2 {
			t.Errorf("%v, %d wait", d, len(l.guests))
		}
	})
}
