// A host that is refused leaves nothing behind.

package wg

import (
	"errors"
	"net/netip"
	"runtime"
	"testing"
)

func TestRefusedHostLeavesNoGoroutines(t *testing.T) {
	at := netip.MustParseAddr("10.9.0.2")
	before := runtime.NumGoroutine()
	for range 50 {
		if _, err := newHost([]netip.Addr{at, at}, 1280); !errors.Is(err, ErrSettings) {
			t.Fatal("an address was taken twice:", err)
		}
	}
	if n := runtime.NumGoroutine(); n > before+25 {
		t.Error(n-before, "goroutines are left")
	}
}
