// Names and payloads. Pure.

package relay

import (
	"encoding/base32"
	"encoding/binary"

	"golang.org/x/net/dns/dnsmessage"

	"nightjar/node/meet/walk"
)

const (
	headSize = 64 + 8 // before the value
	maxBody  = headSize + 1000
)

// zbase32 is the alphabet of pkarr's names.
var zbase32 = base32.NewEncoding("ybndrfg8ejkmcpqxot1uwisza345h769").WithPadding(base32.NoPadding)

// Name is a key as pkarr writes it: z-base32, 52 characters.
func Name(key [32]byte) string { return zbase32.EncodeToString(key[:]) }

// ParseName reads what Name wrote, and nothing else.
func ParseName(s string) (key [32]byte, ok bool) {
	b, err := zbase32.DecodeString(s)
	if err != nil || len(b) != len(key) || Name([32]byte(b)) != s {
		return key, false
	}
	return [32]byte(b), true
}

// Marshal is the payload of an item.
func Marshal(i walk.Item) []byte {
	b := append(make([]byte, 0, headSize+len(i.Value)), i.Sig[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(i.Seq))
	return append(b, i.Value...)
}

// Unmarshal reads the payload of a key's item and checks its signature; ErrPayload for everything
// else.
func Unmarshal(key [32]byte, b []byte) (walk.Item, error) {
	if len(b) < headSize || len(b) > maxBody {
		return walk.Item{}, ErrPayload
	}
	i := walk.Item{Key: key, Sig: [64]byte(b[:64]), Seq: int64(binary.BigEndian.Uint64(b[64:])),
		Value: append([]byte{}, b[headSize:]...)}
	if !i.Genuine(key) {
		return walk.Item{}, ErrPayload
	}
	return i, nil
}

// message reports whether b is a DNS message (RFC 1035) and nothing follows it.
func message(b []byte) bool {
	var m dnsmessage.Parser
	if _, err := m.Start(b); err != nil || m.SkipAllQuestions() != nil {
		return false
	}
	return m.SkipAllAnswers() == nil && m.SkipAllAuthorities() == nil &&
		m.SkipAllAdditionals() == nil
}
