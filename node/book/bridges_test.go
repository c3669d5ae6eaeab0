// Bridges are remembered as they came, and forgotten when they are taken back.

package book

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestBridgesAreRememberedAndForgotten(t *testing.T) {
	var b Book
	for i := range maxBridges + 1 {
		b.AddBridge(fmt.Sprint("bridge ", i))
	}
	b.AddBridge("bridge 7")
	b.Entry, b.Hidden = "bridge 9", true
	if len(b.Bridges) != maxBridges || b.Bridges[0] != "bridge 1" {
		t.Errorf("%d bridges, the first %q", len(b.Bridges), b.Bridges[0])
	}
	bytes, err := b.Encode(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(bytes)
	if err != nil || !slices.Equal(again.Bridges, b.Bridges) || again.Entry != "bridge 9" ||
		!again.Hidden {
		t.Errorf("read back as %+v, %v", again, err)
	}
	if err := again.RemoveBridge("bridge 9"); err != nil || again.Entry != "" {
		t.Errorf("the last way %q, %v", again.Entry, err)
	}
	if err := again.RemoveBridge("bridge 9"); !errors.Is(err, ErrBridge) {
		t.Errorf("removed twice: %v", err)
	}
}
