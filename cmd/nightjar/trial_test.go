// Bridges are tried for identities that go out by tor, and for no others.

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nightjar/keystore"
	"nightjar/node"
	"nightjar/node/book"
	"nightjar/onion/exposure"
)

const someBridge = "192.0.2.7:443 224FAB4B7EA0824D204A58D91932114FB33A3AA2"

// wentOut makes a vault in a directory whose identity went out by a kind of way, and knows a
// bridge. What it returns has the password.
func wentOut(t *testing.T, way string) *options {
	t.Helper()
	o := newOptions("bridge test")
	o.home = filepath.Join(t.TempDir(), "home")
	h, err := makeHome(o.home)
	if err != nil {
		t.Fatal(err)
	}
	const word = "correct horse"
	pw, err := keystore.NewPassword([]byte(word))
	if err != nil {
		t.Fatal(err)
	}
	defer pw.Destroy()
	id, err := keystore.CreateWith(h.vault(), nil, pw)
	if err != nil {
		t.Fatal(err)
	}
	defer id.Lock()
	err = node.ChangeBook(id, func(b *book.Book) error {
		b.AddBridge(someBridge)
		b.Way = way
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(o.home, "word")
	if err := os.WriteFile(file, []byte(word+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	o.password = int(f.Fd())
	return o
}

func TestNoBridgeIsTriedPastTheWayOut(t *testing.T) {
	naive := 0
	for way, may := range map[string]bool{"": true, exposure.Tor.String(): true,
		exposure.TorOverVPN.String(): false, exposure.VPN.String(): false} {
		o := wentOut(t, way)
		var said bytes.Buffer
		lines, err := o.onTrial(t.Context(), console{err: &said}, nil)
		if may && (err != nil || len(lines) != 1) {
			t.Errorf("%q: %q, %v", way, lines, err)
		}
		if !may && (!errors.Is(err, errTrialWay) || hint(err) == "" || len(lines) > 0 ||
			code(err) != "path-change") {
			t.Errorf("by %s, a trial goes straight to %q: %v", way, lines, err)
		}
		if warned := strings.Contains(said.String(), "through no VPN"); warned != (way == "") {
			t.Errorf("%q: said %q", way, said.String())
		}
		if told := strings.Contains(bridgeAdded(way), "nightjar bridge test"); told != may {
			t.Errorf("%q: who adds a bridge is told %q", way, bridgeAdded(way))
		}
		if known, _, _ := wentOut(t, way).knownBridges(t.Context(), console{}); !may {
			naive += len(known.Bridges) // what trying all that are known would go to
		}
	}
	if naive != 2 {
		t.Errorf("there is nothing to try on other ways (%d): this test proves nothing", naive)
	}
}

func TestBridgeThatIsTypedIsSaidToBeReachedStraight(t *testing.T) {
	o := newOptions("bridge test")
	o.home = t.TempDir()
	var said bytes.Buffer
	lines, err := o.onTrial(t.Context(), console{err: &said}, strings.Fields(someBridge))
	if err != nil || len(lines) != 1 || lines[0] != someBridge {
		t.Errorf("%q, %v", lines, err)
	}
	if !strings.Contains(said.String(), "learns this machine's address") {
		t.Errorf("said %q", said.String())
	}
}
