// Ids are those of version 3 onion services and of nothing else.

package onion

import (
	"crypto/ed25519"
	"encoding/base32"
	"errors"
	"strings"
	"testing"
)

// The id is that of the Tor Project's own website, which anybody can look up.
func TestIDAgreesWithTor(t *testing.T) {
	const known = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
	if err := checkID(known); err != nil {
		t.Error(err)
	}
}

func TestOnlyAnIDPasses(t *testing.T) {
	good := serviceID(ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
	if err := checkID(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", good[:55], good + "a", strings.ToUpper(good), good[:55] + "e", "b" + good[1:],
		strings.Repeat("a", 56), strings.Repeat("1", 56), good[:40] + "\r\n" + good[42:],
	} {
		if err := checkID(bad); !errors.Is(err, ErrRemote) {
			t.Errorf("%d characters passed as an id: %v", len(bad), err)
		}
	}
}

func FuzzID(f *testing.F) {
	f.Add("2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid")
	f.Add("")
	f.Fuzz(func(t *testing.T, id string) {
		if checkID(id) != nil {
			return
		}
		if again := serviceID(keyOf(id)); again != id {
			t.Errorf("an id was read back as another")
		}
	})
}

// keyOf returns the public key in an id that checkID has passed.
func keyOf(id string) ed25519.PublicKey {
	b, _ := base32.StdEncoding.DecodeString(strings.ToUpper(id))
	return ed25519.PublicKey(b[:32])
}
