// Claims about what phones are told.

package sip

import (
	"strings"
	"testing"
)

func TestPhonesOfTwoDoorsListenAtTwoPorts(t *testing.T) {
	seen := map[uint16]bool{}
	for door := uint16(5060); door <= 5080; door++ {
		own := linphonePort(door)
		if seen[own] || own >= 5060 && own <= 5080 && own != 5066 {
			t.Errorf("door %d: its phone listens at %d, which is another's", door, own)
		}
		seen[own] = true
	}
	a := Setup(Config{Listen: "127.0.0.1:5061", User: "me", Password: password})
	if !strings.Contains(a.Paste["linphone"], "sip_port=5161\nsip_tcp_port=5161\n") {
		t.Errorf("the second phone is told %s", a.Paste["linphone"])
	}
}
