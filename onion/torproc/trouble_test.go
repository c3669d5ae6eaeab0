// What keeps tor from its network is told from its words.

package torproc

import (
	"slices"
	"testing"
	"time"

	"nightjar/onion/torconf"
)

func TestTroubleIsToldFromTorsWords(t *testing.T) {
	for _, c := range []struct {
		tag, reason string
		skewed      bool
		still       time.Duration
		want        error
	}{
		{"conn", "", false, time.Second, nil},
		{"conn", "", false, time.Minute, ErrBlocked},
		{"conn_pt", "", false, time.Minute, ErrBlocked},
		{"conn", "CONNECTREFUSED", false, time.Minute, ErrBlocked},
		{"conn", "NOROUTE", false, time.Second, ErrNoNetwork},
		{"conn_pt", "PT_MISSING", false, time.Minute, ErrTransport},
		{"loading_status", "", true, time.Second, ErrClock},
		{"loading_descriptors", "", false, time.Minute, ErrSlow},
	} {
		now := time.Now()
		at := torconf.Phase{Percent: 5, Tag: c.tag, Reason: c.reason}
		var w wait
		w.look(at, false, now)
		w.look(at, c.skewed, now.Add(c.still))
		if w.trouble != c.want {
			t.Errorf("%+v: %v", c, w.trouble)
		}
	}
}

func TestThreeTriesThatEndAtOnceMeanThatNobodyIsThere(t *testing.T) {
	play := func(status string, after time.Duration) bool {
		var heard tries
		w := wait{at: torconf.Phase{Tag: "conn_done_pt"}}
		now := time.Now()
		for _, id := range []string{"1", "2", "3"} {
			heard.hear(id, "LAUNCHED", now)
			heard.hear(id, status, now.Add(after))
		}
		w.turned = heard.turned
		return w.turnedAway()
	}
	if !play("FAILED", time.Second) {
		t.Error("a bridge that nobody runs is waited for")
	}
	if play("FAILED", time.Minute) || play("CONNECTED", time.Second) {
		t.Error("a bridge that is slow, or there, is given up")
	}
	var heard tries
	for _, id := range []string{"1", "2", "3", "4"} {
		heard.hear(id, "LAUNCHED", time.Now())
	}
	if heard.turned != turnedAway {
		t.Errorf("%d tries of a transport that were given up", heard.turned)
	}
	w := wait{at: torconf.Phase{Tag: "conn"}, turned: turnedAway, trouble: ErrNoNetwork}
	if w.turnedAway() {
		t.Error("a bridge is blamed for a network that is not there")
	}
	w = wait{at: torconf.Phase{Tag: "loading_status"}, turned: turnedAway}
	if w.turnedAway() {
		t.Error("a bridge that has answered is given up")
	}
}

func TestTorIsMadeToTryAgainSoonUnlessSomethingIsUnderWay(t *testing.T) {
	waits := func(tag, reason string) (all []time.Duration) {
		now := time.Now()
		last := now
		var w wait
		for range 90 {
			w.look(torconf.Phase{Percent: 5, Tag: tag, Reason: reason}, false, now)
			if w.nudge(now) {
				all = append(all, now.Sub(last))
				last = now
			}
			now = now.Add(time.Second)
		}
		return all
	}
	for tag, want := range map[string][]time.Duration{
		"conn": {unheard, unheard, unheard, unanswered, unheard}, "ap_conn": {unheard, unheard},
		"conn_done_pt": {unanswered, unanswered}, "handshake": {unanswered, unanswered},
	} {
		if got := waits(tag, ""); len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("%s: %v, want %v", tag, got, want)
		}
	}
	if got := waits("conn", "CONNECTREFUSED"); len(got) < 20 {
		t.Errorf("refused at once: %v", got)
	}
	if got := waits("loading_descriptors", ""); len(got) != 0 {
		t.Errorf("while relays answer: %v", got)
	}
}
