// One identity, one kind of way out.

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nightjar/keystore"
	"nightjar/node"
	"nightjar/onion/exposure"
	"nightjar/onion/ways"
)

// typed reads a choice as a user would type it, with or without --change-path.
func typed(t *testing.T, text string, change bool) route {
	t.Helper()
	c, err := ways.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return route{Choice: c, pathFlags: pathFlags{choice: &text, change: &change}}
}

func TestIdentityGoesByTheWayItWentFirst(t *testing.T) {
	id, err := keystore.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	defer id.Lock()
	open := func() *session {
		m, err := node.Remembered(id)
		if err != nil {
			t.Fatal(err)
		}
		return &session{id: id, memory: m, fresh: true}
	}
	vpn, tor := typed(t, "vpn:file", false), typed(t, "tor", false)
	if err := open().checkPath(vpn); err != nil {
		t.Errorf("the first way: %v", err)
	}
	if err := open().keepPath(vpn); err != nil {
		t.Fatal(err)
	}
	if err := open().checkPath(typed(t, "vpn:another-file", false)); err != nil {
		t.Errorf("another VPN is the same kind of way: %v", err)
	}
	for _, other := range []string{"tor", "tor-over-vpn:file", "device:tun0",
		"socks:127.0.0.1:1080", "direct-reveals-my-address"} {
		err := open().checkPath(typed(t, other, false))
		if !errors.Is(err, errPath) || hint(err) == "" || code(err) != "path-change" {
			t.Errorf("after vpn, %s: %v", other, err)
			continue
		}
		for _, who := range []string{exposure.Contact, exposure.Network, exposure.DHT} {
			if !strings.Contains(err.Error(), who+" would learn ") {
				t.Errorf("%s: what %s would learn is not said: %v", other, who, err)
			}
		}
	}
	if err := open().checkPath(typed(t, "tor", true)); err != nil {
		t.Errorf("with --change-path: %v", err)
	}
	if err := open().keepPath(tor); err != nil {
		t.Fatal(err)
	}
	if err := open().checkPath(vpn); !errors.Is(err, errPath) {
		t.Errorf("back, after the change: %v", err)
	}
}

// Identities of before there was a choice went out by tor, and have its guards.
func TestIdentityWithGuardsWentOutByTor(t *testing.T) {
	s := &session{memory: node.Memory{PathData: []byte("Guard in=default")}}
	if err := s.checkPath(typed(t, "tor", false)); err != nil {
		t.Error(err)
	}
	if err := s.checkPath(typed(t, "vpn:file", false)); !errors.Is(err, errPath) {
		t.Errorf("by VPN: %v", err)
	}
}

// Of an identity of a codename or of an exported file nothing here says where it was before.
func TestIdentityFromElsewhereWentOutByTor(t *testing.T) {
	for _, text := range []string{"direct-reveals-my-address", "vpn:file", "socks:127.0.0.1:1080",
		"device:tun0", "tor-over-vpn:file"} {
		err := (&session{}).checkPath(typed(t, text, false))
		if !errors.Is(err, errPath) || !strings.Contains(err.Error(), "nothing here knows") {
			t.Errorf("%s: %v", text, err)
		}
		if err := (&session{}).checkPath(typed(t, text, true)); err != nil {
			t.Errorf("%s with --change-path: %v", text, err)
		}
		naive := &session{fresh: true} // it takes an empty memory for a new identity
		if err := naive.checkPath(typed(t, text, false)); err != nil {
			t.Errorf("%s: what looks at the memory alone refuses too: this test proves nothing: %v",
				text, err)
		}
	}
	if err := (&session{}).checkPath(typed(t, "tor", false)); err != nil {
		t.Error(err)
	}
	codename, from, none, yes, no := true, "file", "", true, false
	for f, want := range map[memoryFlags]bool{
		{codename: &codename, from: &none, amnesic: &no}: false,
		{codename: &no, from: &from, amnesic: &no}:       false,
		{codename: &no, from: &none, amnesic: &yes}:      true,
		{codename: &no, from: &none, amnesic: &no}:       true,
	} {
		if f.fresh() != want {
			t.Errorf("%v %q counts as fresh: %v", *f.codename, *f.from, !want)
		}
	}
}

func TestRestoredIdentityGoesByTor(t *testing.T) {
	id, err := keystore.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	defer id.Lock()
	for _, was := range []string{"", "vpn"} { // what is known is kept
		if was != "" {
			if err := node.KeepWay(id, was); err != nil {
				t.Fatal(err)
			}
		}
		if err := keepOldPath(id); err != nil {
			t.Fatal(err)
		}
		m, err := node.Remembered(id)
		if err != nil || was == "" && m.Way != "tor" || was != "" && m.Way != was {
			t.Errorf("after %q: %q, %v", was, m.Way, err)
		}
	}
}

// A gateway has tor alone, so that an identity of another way cannot be one.
func TestGatewayKeepsToTheWayOfItsIdentity(t *testing.T) {
	id, err := keystore.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	defer id.Lock()
	s := &session{id: id, memory: node.Memory{Way: "tor-over-vpn"}, fresh: true}
	if err := s.goes(torAlone()); !errors.Is(err, errPath) {
		t.Errorf("a gateway of an identity that goes by tor-over-vpn: %v", err)
	}
	r := torAlone()
	change := true
	r.change = &change
	for _, s := range []*session{{id: id, memory: s.memory}, {id: id}} {
		if err := s.goes(r); err != nil {
			t.Error(err)
		}
	}
	if m, err := node.Remembered(id); err != nil || m.Way != "tor" {
		t.Errorf("the gateway's way is not kept: %q, %v", m.Way, err)
	}
}

func TestStatusOfDirectSaysThatNothingHides(t *testing.T) {
	for text, want := range map[string]bool{"direct-reveals-my-address": true, "device:tun0": false,
		"vpn:file": false} {
		c := typed(t, text, false).Choice
		said := strings.Join(wayWarnings(&ways.Way{Choice: c}), " ")
		if strings.Contains(said, "YOU ARE NOT HIDDEN") != want ||
			strings.Contains(pathWords(c.Way.String()), "NOTHING HIDES YOU") != want {
			t.Errorf("%s: status warns %q", text, said)
		}
	}
}

func TestFileInTheHomeIsSeenByAnyName(t *testing.T) {
	dir := t.TempDir()
	home, inside := filepath.Join(dir, "home"), filepath.Join(dir, "home", "wg.conf")
	outside, link := filepath.Join(dir, "wg.conf"), filepath.Join(dir, "link.conf")
	for _, err := range []error{os.Mkdir(home, 0o700), os.WriteFile(inside, nil, 0o600),
		os.WriteFile(outside, nil, 0o600), os.Symlink(inside, link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for file, want := range map[string]bool{inside: true, "home/wg.conf": true, link: true,
		"./home/../home/wg.conf": true, outside: false, "wg.conf": false,
		"home/../wg.conf": false} {
		if within(home, file) != want || within("home", file) != want {
			t.Errorf("%s is in the home: %v", file, !want)
		}
	}
}
