// Ids of onion services (Tor rend-spec-v3, section "Encoding onion addresses").

package onion

import (
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/base32"
	"strings"
)

const (
	idLength  = 56
	idVersion = 3
)

// serviceID is base32(key 32 | checksum 2 | version 1), lower case, where checksum is the start of
// SHA3-256(".onion checksum" | key | version).
func serviceID(key ed25519.PublicKey) string {
	b := append([]byte(nil), key...)
	b = append(b, idChecksum(key)...)
	b = append(b, idVersion)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))
}

// checkID refuses whatever is not the id of a version 3 onion service.
func checkID(id string) error {
	if len(id) != idLength || strings.ToLower(id) != id {
		return ErrRemote
	}
	b, err := base32.StdEncoding.DecodeString(strings.ToUpper(id))
	if err != nil || len(b) != 35 || b[34] != idVersion {
		return ErrRemote
	}
	if string(b[32:34]) != string(idChecksum(b[:32])) {
		return ErrRemote
	}
	return nil
}

func idChecksum(key []byte) []byte {
	h := sha3.New256()
	h.Write([]byte(".onion checksum"))
	h.Write(key)
	h.Write([]byte{idVersion})
	return h.Sum(nil)[:2]
}
