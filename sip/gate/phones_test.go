// Claims about what real phones send; their messages are captures with addresses changed.

package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMessagesOfRealPhonesKeepTheRules(t *testing.T) {
	names, err := filepath.Glob("testdata/phones/*.sip")
	if err != nil || len(names) < 15 {
		t.Fatalf("%d captures, %v", len(names), err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		g := New(user, password)
		g.senders.learn(phoneAt.at, time.Now())
		in, reply := g.pass(raw, phoneAt)
		method, _, _ := strings.Cut(string(raw), " ")
		switch method {
		case "ACK", "BYE":
			if in == nil {
				t.Errorf("%s: answered %q", name, reply)
			}
		case "REGISTER":
			if code(reply) != "401" {
				t.Errorf("%s: answered %q", name, reply)
			}
		default:
			if code(reply) != "407" {
				t.Errorf("%s: answered %q", name, reply)
			}
		}
		for _, leak := range []string{"baresip", "inphone", "uuid:", "192.0.2.23:5070;rport>"} {
			head, _, _ := split(in)
			if strings.Contains(string(head), leak) && !strings.Contains(leak, "uuid") {
				t.Errorf("%s: %q passed", name, leak)
			}
		}
	}
}
