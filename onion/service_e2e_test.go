//go:build e2e

// What a service keeps to itself.

package onion_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nightjar/onion"
)

func TestStreamsOfOneClientAreBounded(t *testing.T) {
	there, here := startTor(t, nil), startTor(t, nil)
	l := echo(t, there, onion.Service{})
	to := onion.Remote{ID: l.ID(), Port: 7}
	for range 16 {
		c := dial(t, here, to, "one client")
		defer c.Close()
		exchange(t, c)
	}
	begun := time.Now()
	_, err := here.Dial(t.Context(), to, "one client")
	t.Logf("the 17th stream after %v: %v", time.Since(begun).Round(time.Millisecond), err)
	if !errors.Is(err, onion.ErrNoService) {
		t.Errorf("the 17th stream: %v", err)
	}
	other := dial(t, here, to, "another client")
	defer other.Close()
	exchange(t, other)
}

// holds counts the files below dir that contain any of the words.
func holds(t *testing.T, dir string, words ...[]byte) int {
	t.Helper()
	n := 0
	filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		b, _ := os.ReadFile(name)
		for _, w := range words {
			if bytes.Contains(b, w) {
				n++
			}
		}
		return nil
	})
	return n
}

func TestServiceLeavesNothingOnDisk(t *testing.T) {
	tor := startTor(t, nil)
	dir := filepath.Dir(filepath.Dir(tor.Socks()))
	seed := [32]byte{'s', 'e', 'e', 'd', 1, 2, 3, 4, 5}
	l, err := tor.Publish(t.Context(), onion.Service{Port: 7, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	<-l.Published()
	key := sha512.Sum512(seed[:])
	public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	words := [][]byte{seed[:], key[32:], public, []byte(l.ID()),
		[]byte(base64.StdEncoding.EncodeToString(key[:])[44:80])}
	if n := holds(t, dir, words...); n != 0 {
		t.Errorf("%d traces of the service", n)
	}
	if holds(t, dir, []byte("OnionTrafficOnly")) != 1 {
		t.Error("the settings are not found either: this test proves nothing")
	}
}
