// Claims about what a packet may look like.

package walk

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
)

const (
	pingQuery = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:roi1e1:t4:aaaa1:y1:qe"
	getQuery  = "d1:ad2:id20:abcdefghij01234567896:target20:abcdefghij01234567894:wantl2:n4ee" +
		"1:q3:get2:roi1e1:t4:aaaa1:y1:qe"
	getReply = "d1:rd2:id20:abcdefghij01234567895:nodes0:5:token4:abcde1:t4:aaaa1:y1:re"
	anError  = "d1:eli203e3:bade1:t4:aaaa1:y1:ee"
)

func putQuery() string {
	k, sig := strings.Repeat("k", 32), strings.Repeat("s", 64)
	return "d1:ad" + anID + "1:k32:" + k + "3:seqi5e3:sig64:" + sig + "5:token1:x1:v1:xe" +
		"1:q3:put2:roi1e1:t4:aaaa1:y1:qe"
}

func TestGatewayCarriesOurQuestionsAndNothingElse(t *testing.T) {
	for _, s := range []string{pingQuery, getQuery, putQuery(),
		strings.Replace(getQuery, "3:get", "9:find_node", 1), strings.Replace(pingQuery, "2:roi1e", "", 1)} {
		if !IsQuery([]byte(s)) {
			t.Errorf("refused %q", s)
		}
	}
	for name, s := range map[string]string{
		"nothing":           "",
		"an HTTP request":   "GET / HTTP/1.1\r\n\r\n",
		"a DNS question":    "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01",
		"an answer":         getReply,
		"announce_peer":     strings.Replace(pingQuery, "4:ping", "13:announce_peer", 1),
		"get_peers":         strings.Replace(getQuery, "3:get", "9:get_peers", 1),
		"unknown argument":  strings.Replace(pingQuery, "9e1:q", "91:zi1ee1:q", 1),
		"unknown top":       strings.Replace(pingQuery, "1:y1:qe", "1:y1:q1:z1:ze", 1),
		"unsorted":          "d1:q4:ping1:ad2:id20:abcdefghij0123456789e2:roi1e1:t4:aaaa1:y1:qe",
		"no arguments":      "d1:q3:put1:t1:a1:y1:qe",
		"immutable put":     strings.Replace(putQuery(), "1:k32:"+strings.Repeat("k", 32), "", 1),
		"put with cas":      strings.Replace(putQuery(), "1:k32:", "3:casi1e1:k32:", 1),
		"put with salt":     strings.Replace(putQuery(), "3:seq", "4:salt1:a3:seq", 1),
		"put of a list":     strings.Replace(putQuery(), "1:v1:x", "1:vle", 1),
		"seq below zero":    strings.Replace(putQuery(), "i5e", "i-5e", 1),
		"long token":        strings.Replace(putQuery(), "5:token1:x", "5:token65:"+strings.Repeat("x", 65), 1),
		"large value":       strings.Replace(putQuery(), "1:v1:x", "1:v997:"+strings.Repeat("x", 997), 1),
		"larger than a MTU": strings.Replace(pingQuery, "4:aaaa", "1500:"+strings.Repeat("a", 1500), 1),
		"long transaction":  strings.Replace(pingQuery, "4:aaaa", "17:"+strings.Repeat("a", 17), 1),
		"no transaction":    strings.Replace(pingQuery, "1:t4:aaaa", "", 1),
		"something behind":  pingQuery + "x",
		"two in one":        pingQuery + pingQuery,
	} {
		if IsQuery([]byte(s)) {
			t.Errorf("%s: carried", name)
		}
	}
}

func TestGatewayReturnsAnswersAndNothingElse(t *testing.T) {
	for _, s := range []string{getReply, anError, strings.Replace(getReply, "1:t4", "2:ip6:abcdef1:t4", 1)} {
		if !IsReply([]byte(s)) {
			t.Errorf("refused %q", s)
		}
	}
	for _, s := range []string{"", pingQuery, putQuery(), getReply + "e", "d1:t1:a1:y1:re", "d1:y1:re",
		"d1:e1:x1:t1:a1:y1:ee", "d1:rd2:id2:abe1:t1:a1:y1:re"} {
		if IsReply([]byte(s)) {
			t.Errorf("returned %q", s)
		}
	}
}

func TestDictionariesAreReadStrictly(t *testing.T) {
	for _, s := range []string{"", "d", "e", "de1", "i1e", "le", "d1:ae", "d1:a1:b1:a1:ce", "di1e1:ae",
		"d1:ai01ee", "d1:ai-0ee", "d1:aiee", "d1:ai9223372036854775808ee", "d01:a1:be", "d1:a-1:be",
		"d1:a10000:be", "d1:a+1:be", "d1:a2:be", "d1:adi1ei1eee", "d1:ad1:aee", "d1:al",
		"d1:a" + strings.Repeat("l", 9) + strings.Repeat("e", 9) + "e"} {
		if _, ok := parseDict([]byte(s)); ok {
			t.Errorf("read %q", s)
		}
	}
}

// The bytes of the signature are BEP44's own test vector.
func TestSignatureIsThatOfBEP44(t *testing.T) {
	k, _ := hex.DecodeString("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548")
	s, _ := hex.DecodeString("305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff" +
		"1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01")
	i := Item{[32]byte(k), 1, []byte("Hello World!"), [64]byte(s)}
	if string(SigningBytes(1, i.Value)) != "3:seqi1e1:v12:Hello World!" || !i.Genuine(i.Key) {
		t.Fatal("not BEP44")
	}
	target := Target(i.Key)
	if hex.EncodeToString(target[:]) != "4a533d47ec9c7d95b1ad75f576cffc641853b750" {
		t.Fatalf("target %x", target)
	}
}

func FuzzDict(f *testing.F) {
	for _, s := range []string{pingQuery, getQuery, putQuery(), getReply, anError, "de", "d1:al1:bi5edeee"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, ok := parseDict(b); ok && !bytes.Equal(d.encode(), b) {
			t.Fatal("not what was parsed")
		}
		IsQuery(b)
		IsReply(b)
	})
}

// FuzzGuard sends a packet through the guard and lets the library decode what comes out, as it
// would.
func FuzzGuard(f *testing.F) {
	for _, body := range answers {
		f.Add([]byte("d1:rd" + body + "e1:t4:aaaa1:y1:re"))
	}
	for _, s := range unasked {
		f.Add([]byte(s))
	}
	f.Add([]byte(getReply))
	f.Add([]byte(anError))
	f.Fuzz(func(t *testing.T, packet []byte) {
		g := &guard{pending: make(map[tid]question)}
		p, from := g.port(), netip.MustParseAddrPort("10.0.0.1:1")
		g.pending[tid([]byte("aaaa"))] = question{from: p, to: from, tid: "lib"}
		g.deliver(packet, from)
		if len(p.in) == 0 {
			return
		}
		out := (<-p.in).packet
		var m krpc.Msg
		if err := bencode.Unmarshal(out, &m); err != nil || m.T != "lib" {
			t.Fatalf("%q became %q: %v", packet, out, err)
		}
		d, ok := parseDict(out)
		r, _ := parseDict(d.get("r"))
		known := []string{"id", "k", "nodes", "nodes6", "seq", "sig", "token", "v"}
		for _, e := range r {
			ok = ok && slices.Contains(known, e.key)
		}
		if !ok || len(d) != 3 {
			t.Fatalf("%q got through", out)
		}
	})
}
