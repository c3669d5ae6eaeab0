// Claims about the records and datagrams of a conversation.
package talk

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

func id(b byte) []byte { return bytes.Repeat([]byte{b}, 16) }

func samples() []Record {
	return []Record{
		{Kind: KindMain}, {Kind: KindLane, ID: id(1)},
		{Kind: KindText, ID: id(2), Text: "hello, ünïcode"},
		{Kind: KindText, ID: id(2), Text: strings.Repeat("x", MaxText)},
		{Kind: KindAck, ID: id(2)}, {Kind: KindOffer, ID: id(3), Codecs: Codecs()},
		{Kind: KindRinging, ID: id(3)}, {Kind: KindAnswer, ID: id(3), Codec: PCMU},
		{Kind: KindHold, ID: id(3), On: true}, {Kind: KindHold, ID: id(3)},
		{Kind: KindDTMF, ID: id(3), Digit: '#'}, {Kind: KindEnd, ID: id(3), Reason: Busy},
	}
}

func TestRecordSurvivesTheRoad(t *testing.T) {
	var road bytes.Buffer
	for _, r := range samples() {
		if err := WriteRecord(&road, r); err != nil {
			t.Fatalf("write kind %d: %v", r.Kind, err)
		}
	}
	for _, want := range samples() {
		got, err := ReadRecord(&road)
		if err != nil {
			t.Fatalf("read kind %d: %v", want.Kind, err)
		}
		if !got.same(want) || !bytes.Equal(got.ID, want.ID) ||
			!slices.Equal(got.Codecs, want.Codecs) {
			t.Errorf("kind %d came back changed", want.Kind)
		}
	}
}

func TestRecordWithForeignFieldIsRefused(t *testing.T) {
	bad := []Record{
		{}, {Kind: 99, ID: id(1)}, {Kind: KindMain, ID: id(1)}, {Kind: KindAck},
		{Kind: KindAck, ID: id(1)[:15]}, {Kind: KindAck, ID: id(1), Text: "smuggled"},
		{Kind: KindText, ID: id(1)}, {Kind: KindText, ID: id(1), Text: "a\x00b"},
		{Kind: KindText, ID: id(1), Text: "\xff"},
		{Kind: KindText, ID: id(1), Text: strings.Repeat("x", MaxText+1)},
		{Kind: KindOffer, ID: id(1)}, {Kind: KindAnswer, ID: id(1), Codec: 77},
		{Kind: KindDTMF, ID: id(1), Digit: 'x'}, {Kind: KindEnd, ID: id(1)},
	}
	for i, r := range bad {
		if _, err := r.Encode(); err == nil {
			t.Errorf("case %d was encoded", i)
		}
	}
}

func TestNewestFramesAreKeptWhenNotAllFit(t *testing.T) {
	var frames []Frame
	for i := range 5 {
		frames = append(frames, Frame{Seq: uint16(65533 + i), Payload: make([]byte, 160)})
	}
	got, err := ParseMedia(PackMedia(frames))
	if err != nil || len(got) != 2 || got[1].Seq != 1 || got[0].Seq != 0 {
		t.Fatalf("got %d frames, err %v", len(got), err)
	}
}

func FuzzRecord(f *testing.F) {
	for _, r := range samples() {
		b, err := r.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatal("what parses does not re-encode to itself")
		}
	})
}

func FuzzMedia(f *testing.F) {
	f.Add(PackMedia([]Frame{{Seq: 7, Payload: []byte("abc")}, {Seq: 8, Payload: []byte("d")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, err := ParseMedia(b)
		if err == nil && !bytes.Equal(PackMedia(frames), b) {
			t.Fatal("what parses does not re-encode to itself")
		}
	})
}

func TestRecordsAreTheBytesOfTheProtocol(t *testing.T) {
	two, three := strings.Repeat("02", 16), strings.Repeat("03", 16)
	golden := map[string]Record{
		"a1000a":                              {Kind: KindMain},
		"a200020150" + two:                    {Kind: KindAck, ID: id(2)},
		"a300010150" + two + "02626869":       {Kind: KindText, ID: id(2), Text: "hi"},
		"a300030150" + three + "034401020304": {Kind: KindOffer, ID: id(3), Codecs: Codecs()},
		"a300050150" + three + "0403":         {Kind: KindAnswer, ID: id(3), Codec: PCMU},
		"a300060150" + three + "05f5":         {Kind: KindHold, ID: id(3), On: true},
		"a300070150" + three + "061823":       {Kind: KindDTMF, ID: id(3), Digit: '#'},
		"a300080150" + three + "0702":         {Kind: KindEnd, ID: id(3), Reason: Busy},
	}
	for want, r := range golden {
		b, err := r.Encode()
		if got := hex.EncodeToString(b); err != nil || got != want {
			t.Errorf("kind %d: %s, want %s", r.Kind, got, want)
		}
	}
}
