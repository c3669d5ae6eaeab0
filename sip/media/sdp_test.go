// Claims about session descriptions.

package media

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nightjar/node/talk"
)

var here = netip.MustParseAddr("127.0.0.1")

// phoneSDP reads a description as a real phone writes it, addresses changed.
func phoneSDP(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "sdp", name+".sdp"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRealPhonesAreUnderstood(t *testing.T) {
	all := []talk.Codec{talk.PCMU, talk.PCMA, talk.G722, talk.Opus}
	cases := []struct {
		name   string
		codecs []talk.Codec
		keys   int
		port   uint16
		dir    Direction
	}{
		{"baresip", []talk.Codec{talk.PCMU}, 1, 13164, SendRecv},
		{"baresip-all", all, 1, 39444, SendRecv},
		{"linphone", []talk.Codec{talk.Opus, talk.PCMU, talk.PCMA}, 2, 7078, SendRecv},
		{"srtp-or-plain", []talk.Codec{talk.PCMU, talk.PCMA}, 0, 7080, SendRecv},
		{"old-hold", []talk.Codec{talk.PCMA}, 0, 4000, Inactive},
		{"hold", []talk.Codec{talk.PCMA, talk.PCMU}, 0, 4000, SendOnly},
		{"ipv6", []talk.Codec{talk.G722}, 0, 4000, Inactive},
	}
	for _, c := range cases {
		d, err := ParseSDP(phoneSDP(t, c.name))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !slices.Equal(d.Codecs(), c.codecs) || d.Port != c.port || d.Direction != c.dir ||
			len(d.Keys) != c.keys {
			t.Errorf("%s: got %v port %d %v keys %v", c.name, d.Codecs(), d.Port, d.Direction,
				d.Keys)
		}
	}
}

func TestEncryptedOnlyOfferIsNotTakenForPlain(t *testing.T) {
	for _, name := range []string{"srtp", "dtls"} {
		if _, err := ParseSDP(phoneSDP(t, name)); !errors.Is(err, ErrNoAudio) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAnswerHoldsNothingOfThePhone(t *testing.T) {
	for _, name := range []string{"baresip", "baresip-all", "linphone", "srtp-or-plain"} {
		d, err := ParseSDP(phoneSDP(t, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Local{Host: here, Port: 30000, Version: 1}.Answer(d, d.Formats[0].Codec,
			SendRecv)
		if err != nil {
			t.Fatal(err)
		}
		for _, leak := range []string{"192.0.2", "2001:db8", "c0000217", "tool", "baresip",
			"cname", "ssrc", "carol", "alice", "Talk", "candidate", "useinbandfec", "crypto",
			"speex", "rtcp", "label", "2995820998", "569936065"} {
			if bytes.Contains(b, []byte(leak)) {
				t.Errorf("%s: the answer holds %q", name, leak)
			}
		}
	}
}

// naiveAnswer edits the phone's description and sends it back, as a relay would.
func naiveAnswer(offer []byte) []byte {
	return bytes.Replace(offer, []byte("m=audio 13164"), []byte("m=audio 30000"), 1)
}

func TestEditingTheOfferWouldLeak(t *testing.T) {
	b := naiveAnswer(phoneSDP(t, "baresip"))
	if !bytes.Contains(b, []byte("192.0.2.23")) || !bytes.Contains(b, []byte("cname:sip:alice")) {
		t.Fatal("the naive way shows no leak: this test proves nothing")
	}
}

func TestAnswerMirrorsStreamsAndRefusesTheRest(t *testing.T) {
	d, err := ParseSDP(phoneSDP(t, "srtp-or-plain"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Local{Host: here, Port: 30000, Version: 3}.Answer(d, talk.PCMA, SendRecv)
	if err != nil {
		t.Fatal(err)
	}
	want := "v=0\r\no=- 1 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
		"m=audio 0 RTP/SAVP 96\r\n" +
		"m=audio 30000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=maxptime:20\r\n" +
		"a=sendrecv\r\n" +
		"m=video 0 RTP/AVP 97\r\n"
	if string(b) != want {
		t.Fatalf("got\n%s", b)
	}
	if _, err := (Local{Host: here}).Answer(d, talk.Opus, SendRecv); !errors.Is(err, ErrNoAudio) {
		t.Fatalf("a codec that was not offered was answered: %v", err)
	}
}

func TestOfferAsksForConstantOpus(t *testing.T) {
	b, err := Local{Host: here, Port: 30000, Version: 1}.Offer(talk.Codecs(), SendRecv)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"m=audio 30000 RTP/AVP 111 9 0 8 110 101\r\n",
		"a=rtpmap:111 opus/48000/2\r\n", "a=fmtp:111 maxaveragebitrate=24000;cbr=1;stereo=0\r\n",
		"a=rtpmap:9 G722/8000\r\n", "a=rtpmap:110 telephone-event/48000\r\n"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %q in\n%s", want, b)
		}
	}
}

func TestKeysFollowTheClockOfTheCodec(t *testing.T) {
	d, err := ParseSDP(phoneSDP(t, "linphone"))
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := d.KeysFor(talk.Opus); !ok || k.PayloadType != 101 {
		t.Errorf("opus: %v", k)
	}
	if k, ok := d.KeysFor(talk.PCMU); !ok || k.PayloadType != 100 {
		t.Errorf("PCMU: %v", k)
	}
}

func FuzzSDP(f *testing.F) {
	names, err := filepath.Glob("testdata/sdp/*.sdp")
	if err != nil || len(names) < 8 {
		f.Fatal("seeds are missing")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseSDP(b)
		if err != nil {
			return
		}
		local := Local{Host: here, Port: 30000, Version: 1}
		a, err := local.Answer(d, d.Formats[0].Codec, d.Direction.Reverse())
		if err != nil {
			t.Fatalf("what parses cannot be answered: %v", err)
		}
		back, err := ParseSDP(a)
		if err != nil {
			t.Fatalf("our own answer does not parse: %v\n%q", err, a)
		}
		again, err := local.Answer(back, back.Formats[0].Codec, d.Direction.Reverse())
		if err != nil || !bytes.Equal(a, again) {
			t.Fatalf("our answer does not re-encode to itself:\n%q\n%q", a, again)
		}
	})
}
