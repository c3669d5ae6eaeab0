// What keeps tor from its network is told from its words.

package torproc

import (
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
