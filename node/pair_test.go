// Claims about what two contacts derive from what they share.
package node

import (
	"bytes"
	"encoding/hex"
	"testing"

	"nightjar/node/card"
)

func filled(b byte) (out [32]byte) {
	copy(out[:], bytes.Repeat([]byte{b}, 32))
	return out
}

// The value was made by another implementation of HKDF (RFC 5869) from docs/protocol.md.
func TestPairRootIsTheOneOfTheProtocol(t *testing.T) {
	const want = "4e29919bdcb8be87d7d14d4a17b5ac1575facbdada1bc6abc2c13fffcfbd1870"
	low, high := card.Address(filled(3)), card.Address(filled(4))
	for _, order := range [][2]card.Address{{low, high}, {high, low}} {
		root, err := pairRoot(filled(1), filled(2), order[0], order[1])
		if got := hex.EncodeToString(root[:]); err != nil || got != want {
			t.Errorf("root %s, err %v", got, err)
		}
	}
}

func TestEveryShareOfThePairChangesItsRoot(t *testing.T) {
	low, high := card.Address(filled(3)), card.Address(filled(4))
	seen := map[[32]byte]bool{}
	for _, v := range []struct {
		dh, psk [32]byte
		to      card.Address
	}{{filled(1), filled(2), high}, {filled(9), filled(2), high}, {filled(1), filled(9), high},
		{filled(1), filled(2), card.Address(filled(9))}} {
		root, err := pairRoot(v.dh, v.psk, low, v.to)
		if err != nil || seen[root] {
			t.Errorf("a root repeats, err %v", err)
		}
		seen[root] = true
	}
}
