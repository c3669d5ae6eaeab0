// Claims about pings.

package walk

import (
	"bytes"
	"net/netip"
	"testing"
)

func TestPingIsAQuestionLikeOthers(t *testing.T) {
	b := Ping([20]byte{1, 2, 3}, []byte("tid12345"))
	if !IsQuery(b) {
		t.Fatalf("a gateway would not carry %q", b)
	}
	want := "d1:ad2:id20:\x01\x02\x03" + string(make([]byte, 17)) +
		"e1:q4:ping2:roi1e1:t8:tid123451:y1:qe"
	if string(b) != want {
		t.Fatalf("%q", b)
	}
}

func TestPongSaysWhereItWasSent(t *testing.T) {
	const rest = "1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t2:hi1:y1:re"
	for in, want := range map[string]string{
		"d2:ip6:\xcb\x00\x71\x09\x0f\xa0" + rest: "203.0.113.9:4000",
		"d" + rest:                               "",
		"d2:ip5:abcde" + rest:                    "",
	} {
		tid, seen, ok := Pong([]byte(in))
		if !ok || string(tid) != "hi" {
			t.Fatalf("%q is no answer", in)
		}
		if want == "" && seen.IsValid() || want != "" && seen.String() != want {
			t.Errorf("%q: seen at %v", in, seen)
		}
	}
	for _, in := range []string{"", "d", "d1:q4:ping1:t2:hi1:y1:qe", "d1:eli201ee1:t2:hi1:y1:ee",
		"d2:ip6:abcdef1:y1:re"} {
		if _, _, ok := Pong([]byte(in)); ok {
			t.Errorf("%q is an answer", in)
		}
	}
}

func FuzzPong(f *testing.F) {
	f.Add([]byte("d2:ip6:\xcb\x00\x71\x09\x0f\xa01:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t2:hi1:y1:re"))
	f.Add(Ping([20]byte{}, []byte("t")))
	f.Fuzz(func(t *testing.T, b []byte) {
		tid, seen, ok := Pong(b)
		if !ok {
			return
		}
		if len(tid) == 0 || len(tid) > maxTID || !bytes.Contains(b, tid) ||
			seen.Addr().Is4In6() || seen == (netip.AddrPort{}) && seen.IsValid() {
			t.Fatalf("tid %q, seen %v", tid, seen)
		}
	})
}
