//go:build e2e && linux

// A guard that is gone, or stands still.

package onion_test

import (
	"fmt"
	"testing"
	"time"

	"nightjar/onion"
)

func TestGuardThatIsGoneIsReplaced(t *testing.T) {
	there := startTor(t, nil)
	far := onion.Remote{ID: echo(t, there, onion.Service{}).ID(), Port: 7}
	var d diary
	here, err := startMarked(t, onion.TorConfig{Keep: true}, &d, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	mine := onion.Remote{ID: echo(t, here, onion.Service{}).ID(), Port: 7}
	back(t, here, far)
	guard, port := guardOf(t, here)
	nft(t, fmt.Sprintf("table inet guard { chain out { type filter hook output priority 0; "+
		"meta skgid %s tcp dport %s counter %s; }; }", marked, port, reset))
	t.Cleanup(func() { nft(t, "delete table inet guard") })
	begun := time.Now()
	t.Logf("dialled again after %v", back(t, here, far))
	t.Logf("reached again %v later", back(t, there, mine))
	if now, _ := guardOf(t, here); now == guard {
		t.Error("circuits go by the guard that is gone: this test proves nothing")
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	if here.Health().Restarts != 0 {
		t.Error("tor was started again, though it can help itself")
	}
}
