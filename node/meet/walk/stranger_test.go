// Claims about what strangers may say to a node that serves.

package walk

import (
	"bytes"
	"strings"
	"testing"
)

func TestQuestionsOfStrangersAreRewritten(t *testing.T) {
	long := "d1:v4:abcd1:y1:q1:q4:ping1:t2:aa1:ad2:id20:abcdefghij01234567896:noseedi1eee" // unsorted
	clean, ok := Asked([]byte(long))
	if want := "d1:ad" + anID + "e1:q4:ping1:t2:aa1:y1:qe"; !ok || string(clean) != want {
		t.Errorf("%q became %q", long, clean)
	}
	for name, packet := range unasked {
		if _, ok := Asked([]byte(packet)); ok {
			t.Errorf("%s is a question", name)
		}
	}
	for _, s := range []string{"", getReply, anError, pingQuery + "x",
		strings.Replace(pingQuery, "2:id20:", "2:id19:", 1),
		strings.Replace(getQuery, "6:target20:", "6:target2:", 1),
		strings.Replace(putQuery(), "3:sig64:", "3:sig63:", 1),
		strings.Replace(putQuery(), "1:v1:x", "1:v998:"+strings.Repeat("x", 998), 1)} {
		if _, ok := Asked([]byte(s)); ok {
			t.Errorf("%q is a question", s)
		}
	}
}

func TestAnswersOfStrangersAreRewritten(t *testing.T) {
	long := "d2:ip6:abcdef1:rd" + anID + "6:valuesl1:xe5:token1:xe1:t2:aa1:v4:abcd1:y1:re"
	clean, ok := Answered([]byte(long))
	if want := "d2:ip6:abcdef1:rd" + anID + "5:token1:xe1:t2:aa1:y1:re"; !ok || string(clean) != want {
		t.Errorf("%q became %q", long, clean)
	}
	clean, ok = Answered([]byte("d2:ip1:x1:rd" + anID + "e1:t2:aa1:y1:re"))
	if !ok || strings.Contains(string(clean), "2:ip") {
		t.Errorf("an address of one byte became %q", clean)
	}
}

func FuzzStranger(f *testing.F) {
	for _, s := range []string{pingQuery, getQuery, putQuery(), getReply, anError} {
		f.Add([]byte(s))
	}
	for _, s := range unasked {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		for _, read := range []func([]byte) ([]byte, bool){Asked, Answered} {
			clean, ok := read(packet)
			if !ok {
				continue
			}
			if again, ok := read(clean); !ok || !bytes.Equal(again, clean) {
				t.Fatalf("%q became %q, and that %q", packet, clean, again)
			}
		}
	})
}
