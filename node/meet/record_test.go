// Claims about what lies in a slot.

package meet

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"nightjar/node/card"
	"nightjar/node/meet/walk"
)

func reach() card.Reach {
	return card.Reach{Service: "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid", Port: 443,
		Auth: fixed(5), Expires: at("2027-01-02 03:00:00"), Caps: 3}
}

func body(t testing.TB, r card.Reach) []byte {
	t.Helper()
	b, err := reachBody(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRecordOfOldStillOpens(t *testing.T) {
	text, err := os.ReadFile("testdata/record.hex")
	if err != nil {
		t.Fatal(err)
	}
	value, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	s := pairSlot(fixed(1), Low, 1000)
	b, ok := s.open(walk.Item{Key: s.key(), Value: value})
	if got, good := parseReach(b); !ok || !good || !reflect.DeepEqual(got, reach()) {
		t.Fatalf("%v %v: %+v", ok, good, got)
	}
}

func TestRecordIsAPkarrPacket(t *testing.T) {
	s := pairSlot(fixed(1), Low, 1000)
	i := s.put(body(t, reach()), 1_700_000_000_000_000)
	var m dnsmessage.Message
	if err := m.Unpack(i.Value); err != nil {
		t.Fatal(err)
	}
	others := len(m.Questions) + len(m.Authorities) + len(m.Additionals)
	if len(m.Answers) != 1 || others != 0 || !m.Response {
		t.Fatalf("%v", m.GoString())
	}
	const goldenName = "aut5urctpf8ebqgwwzqf3imo3tty3fgs4nkj148xuuqk1e79dmry." // z-base32
	a := m.Answers[0]
	txt, ok := a.Body.(*dnsmessage.TXTResource)
	if !ok || a.Header.Name.String() != goldenName || a.Header.Class != dnsmessage.ClassINET {
		t.Fatalf("%v", a.GoString())
	}
	if n := len(strings.Join(txt.TXT, "")); n != sealedSize || len(txt.TXT) != 3 {
		t.Fatalf("%d bytes in %d strings", n, len(txt.TXT))
	}
}

func TestNothingInARecordNamesUs(t *testing.T) {
	s := pairSlot(fixed(1), Low, 1000)
	i := s.put(body(t, reach()), 1)
	for _, word := range []string{"nightjar", "onion", "meet", "pair"} {
		if bytes.Contains(bytes.ToLower(i.Value), []byte(word)) {
			t.Errorf("it says %q", word)
		}
	}
	service, _ := reach().MarshalBinary()
	if bytes.Contains(i.Value, service[4:36]) {
		t.Error("the service can be read")
	}
}

func TestEveryRecordHasTheSameSize(t *testing.T) {
	empty := card.Reach{Expires: time.Unix(3600, 0)}
	pair, inbox := pairSlot(fixed(1), Low, 1), inboxSlot(fixed(2), 1, 3)
	sizes := make(map[int]bool)
	for _, i := range []walk.Item{pair.put(body(t, reach()), 1), pair.put(body(t, empty), 1),
		inbox.put(make([]byte, card.SealedSize), 1)} {
		sizes[len(i.Value)] = true
	}
	if len(sizes) != 1 || !sizes[695] {
		t.Fatalf("sizes %v", sizes)
	}
	// The naive variant stores the record as long as it is.
	a, _ := reach().MarshalBinary()
	b, _ := empty.MarshalBinary()
	if len(a) == len(b) {
		t.Fatal("the naive variant hides it too: this test proves nothing")
	}
}

func TestSealedAnewEachTime(t *testing.T) {
	s := pairSlot(fixed(1), Low, 1000)
	a, b := s.put(body(t, reach()), 1), s.put(body(t, reach()), 1)
	if bytes.Equal(a.Value, b.Value) {
		t.Fatal("two seals are the same")
	}
}

func TestEveryFlippedBitOfARecordIsRefused(t *testing.T) {
	s := pairSlot(fixed(1), Low, 1000)
	i := s.put(body(t, reach()), 1)
	for n := range i.Value {
		bad := i
		bad.Value = bytes.Clone(i.Value)
		bad.Value[n] ^= 0x80 >> (n % 8)
		if _, ok := s.open(bad); ok {
			t.Fatalf("byte %d", n)
		}
	}
	for _, n := range []int{0, 12, 76, 694} {
		if _, ok := s.open(walk.Item{Key: i.Key, Value: i.Value[:n]}); ok {
			t.Fatalf("%d bytes", n)
		}
	}
}

func TestRecordOpensOnlyInItsSlot(t *testing.T) {
	s := pairSlot(fixed(1), Low, 1000)
	i := s.put(body(t, reach()), 1)
	for name, other := range map[string]*slot{
		"other side":  pairSlot(fixed(1), High, 1000),
		"other epoch": pairSlot(fixed(1), Low, 1001),
		"other pair":  pairSlot(fixed(2), Low, 1000),
		"inbox":       inboxSlot(fixed(1), 1000, 0),
	} {
		if _, ok := other.open(i); ok {
			t.Error(name)
		}
		moved := i
		moved.Key = other.key()
		moved.Value = pack(moved.Key, i.Value[len(i.Value)-sealedSize:])
		if _, ok := other.open(moved); ok {
			t.Error(name + ", moved")
		}
	}
}

func TestReachMustFit(t *testing.T) {
	if _, err := reachBody(card.Reach{Service: "x"}); !errors.Is(err, card.ErrReach) {
		t.Fatal(err)
	}
}

func FuzzUnpack(f *testing.F) {
	s := pairSlot(fixed(1), Low, 1000)
	f.Add(s.put(body(f, reach()), 1).Value)
	f.Fuzz(func(t *testing.T, value []byte) {
		if sealed, ok := unpack(s.key(), value); ok && !bytes.Equal(pack(s.key(), sealed), value) {
			t.Fatal("not what was parsed")
		}
		_, _ = s.open(walk.Item{Key: s.key(), Value: value})
	})
}

func FuzzReachBody(f *testing.F) {
	f.Add(body(f, reach()))
	f.Add(make([]byte, bodySize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := parseReach(b); ok && !bytes.Equal(body(t, r), b) {
			t.Fatal("not what was parsed")
		}
	})
}
