// Blinding: which slots there are at which time. Pure.

package meet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"nightjar/node/card"
)

const (
	epochLength = 6 * time.Hour
	dayLength   = 24 * time.Hour
	epochs      = period(epochLength)
	days        = period(dayLength)
	overlap     = 30 * time.Minute        // clocks may be wrong by so much
	republish   = time.Hour               // an item is renewed after 2/3 to 4/3 of it
	latest      = overlap + republish*4/3 // a slot is first stored so long before its epoch,
	earliest    = latest + republish*4/3  // or up to so long
	indices     = 8                       // slots of an inbox in one day
	leaveAt     = 2                       // of which an invitation takes so many

	seqStep  = 10 * time.Minute
	seqFloor = 1_700_000_000_000_000 // µs since 1970: what seqs of pkarr packets look like
	seqRange = 1 << 45               // µs, about a year
)

// Side tells the two directions of a pair apart.
type Side uint8

// The sides: whose Ed25519 key comes first in byte order is Low.
const (
	Low  Side = 0
	High Side = 1
)

// SideOf returns the side of self towards peer.
func SideOf(self, peer card.Address) Side {
	if bytes.Compare(self[:], peer[:]) < 0 {
		return Low
	}
	return High
}

// slot is one place in the DHT: its keys, which only holders of the secret can derive, and when it
// began.
type slot struct {
	sign  ed25519.PrivateKey
	seal  [32]byte // of XChaCha20-Poly1305
	pace  [32]byte // from which seqs are derived
	begin time.Time
}

func (s *slot) key() [32]byte { return [32]byte(s.sign[32:]) }

// expand is HKDF-SHA256 with info = label | each field in big endian.
func expand(secret [32]byte, size int, label string, fields ...byte) []byte {
	b, err := hkdf.Key(sha256.New, secret[:], nil, label+string(fields), size)
	if err != nil {
		panic(err) // only a size no caller asks for
	}
	return b
}

// derive returns the slot of a label and its fields.
func derive(secret [32]byte, begin time.Time, label string, fields ...byte) *slot {
	s := &slot{begin: begin}
	do(func() {
		k := expand(secret, 96, label, fields...)
		s.sign = ed25519.NewKeyFromSeed(k[:32])
		s.seal, s.pace = [32]byte(k[32:64]), [32]byte(k[64:])
		clear(k)
	})
	return s
}

// pairSlot is where side s of a pair stores its reach record in an epoch. There is one replica.
func pairSlot(root [32]byte, s Side, epoch int64) *slot {
	const replica = 0
	n := binary.BigEndian.AppendUint64([]byte{byte(s)}, uint64(epoch))
	return derive(root, epochs.begin(epoch), "nightjar meet v1 pair", append(n, replica)...)
}

// inboxSlot is one of the places for invitations on a day.
func inboxSlot(inbox [32]byte, day int64, index int) *slot {
	n := binary.BigEndian.AppendUint64(nil, uint64(day))
	return derive(inbox, days.begin(day), "nightjar meet v1 inbox", append(n, byte(index))...)
}

// period counts equal spans of time since 1970. They are the same for everybody.
type period time.Duration

// at returns the number of the period that holds t.
func (p period) at(t time.Time) int64 {
	n := int64(time.Duration(p) / time.Second)
	s := t.Unix()
	if s < 0 {
		return (s - n + 1) / n
	}
	return s / n
}

func (p period) begin(number int64) time.Time {
	return time.Unix(number*int64(time.Duration(p)/time.Second), 0)
}

// around returns the periods that hold any moment from t-before to t+after, first to last.
func (p period) around(t time.Time, before, after time.Duration) []int64 {
	var out []int64
	for n := p.at(t.Add(-before)); n <= p.at(t.Add(after)); n++ {
		out = append(out, n)
	}
	return out
}

// seq numbers the items of a slot. It grows by the step of ten minutes and looks like the
// microseconds that pkarr uses, but begins anywhere: no clock can be read from it, nor how wrong a
// clock is, which would link the slots of one person.
func (s *slot) seq(now time.Time) int64 {
	step := max(int64(now.Sub(s.begin.Add(-dayLength))/seqStep), 0)
	start := binary.BigEndian.Uint64(expand(s.pace, 8, "start")) % seqRange
	n := binary.BigEndian.AppendUint64(nil, uint64(step))
	const micros = int64(seqStep / time.Microsecond)
	jitter := binary.BigEndian.Uint64(expand(s.pace, 8, "step", n...)) % uint64(micros)
	return seqFloor + int64(start) + step*micros + int64(jitter)
}
